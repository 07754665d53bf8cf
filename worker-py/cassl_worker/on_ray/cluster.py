"""The nodes of the cluster as a job sees them, and what they have."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ray

from cassl_worker.errors import CasslError
from cassl_worker.on_ray.settings import GB, Demand

LOOK_SECONDS = 2.0

Node = Mapping[str, Any]


def join() -> None:
    """Makes this process the driver of its job."""
    if not ray.is_initialized():
        ray.init(log_to_driver=False)


def wait_for_node(demand: Demand, seconds: float, tell: Callable[[str], None]) -> None:
    """Returns once a node has what a process asks for, whoever uses it; an autoscaler may be adding one.

    RAY_RESOURCES_MISSING if there is none by then. tell: is given what is waited for, once.
    """
    until, is_told = time.monotonic() + seconds, False
    while not any(has(node, demand) for node in living()):
        lack = missing(demand, living())
        if time.monotonic() > until:
            raise lack
        if not is_told:
            tell(f"{lack.message} Waiting for one, {seconds:g} s at most.")
            is_told = True
        time.sleep(LOOK_SECONDS)


def living() -> list[Node]:
    return [node for node in ray.nodes() if node["Alive"]]


def has(node: Node, demand: Demand) -> bool:
    return not lacks(node, demand)


def lacks(node: Node, demand: Demand) -> list[str]:
    """What the node does not have of what is asked for, in words."""
    resources, labels = node["Resources"], node.get("Labels", {})
    amounts = [amount_text(name, it) for name, it in demand.amounts().items() if it > resources.get(name, 0)]
    selectors = [
        f"the label {key}={value}" for key, value in demand.labels.items() if not meets(labels.get(key), value)
    ]
    return amounts + selectors


def meets(label: str | None, selector: str) -> bool:
    """Ray's selectors: `value`, `!value`, `in(a, b)`, `!in(a, b)`."""
    wanted, is_negated = selector.removeprefix("!"), selector.startswith("!")
    if wanted.startswith("in(") and wanted.endswith(")"):
        values = [value.strip() for value in wanted[3:-1].split(",")]
    else:
        values = [wanted]
    return (label in values) != is_negated


def amount_text(name: str, amount: float) -> str:
    return f"{amount / GB:g} GB of memory" if name == "memory" else f"{amount:g} {name}"


def missing(demand: Demand, nodes: Sequence[Node]) -> CasslError:
    by_node = [f"{node['NodeManagerAddress']} lacks {' and '.join(lacks(node, demand))}" for node in nodes[:3]]
    more = [f"{len(nodes) - 3} more lack something too"] if len(nodes) > 3 else []
    return CasslError(
        "RAY_RESOURCES_MISSING",
        f"No node of the cluster has what a process of the task asks for: {'; '.join([*by_node, *more])}.",
        "Ask for less in the file of --ray, or add a node that has it.",
    )


def pack(path: Path) -> Any:
    """A file as an object of Ray, which other nodes fetch once each."""
    return ray.put(path.read_bytes())


def unpack(content: Any, path: Path) -> Path:
    path.write_bytes(ray.get(content))
    return path
