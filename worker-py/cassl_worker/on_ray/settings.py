"""What the controller tells the worker of a Ray job; see ts/ray/job-request.ts. Needs no Ray."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from cassl_worker.errors import CasslError

VARIABLE = "CASSL_RAY"
"""Of the environment, in jobs of Ray."""
GB = 1_000_000_000


@dataclass(frozen=True)
class Demand:
    """What each process of the work asks of its node, and how many there are.

    Attributes:
        resources: amounts by names that the cluster's operator has chosen.
        labels: a label selector.
        min_workers: how many are enough to begin with.
        max_failures: how often Ray starts the processes of a training again.
    """

    cpus: float
    gpus: float
    memory_gb: float
    resources: Mapping[str, float]
    labels: Mapping[str, str]
    workers: int
    min_workers: int
    max_failures: int

    def amounts(self) -> dict[str, float]:
        """By Ray's names, without what is not asked for."""
        named = {"CPU": self.cpus, "GPU": self.gpus, "memory": self.memory_gb * GB, **self.resources}
        return {name: amount for name, amount in named.items() if amount > 0}


@dataclass(frozen=True)
class RaySettings:
    """
    Attributes:
        storage: folder or URI that all nodes share.
        pending_seconds: how long to wait for nodes that have what is asked for.
        ray_version: of the cluster.
    """

    storage: str
    pending_seconds: float
    ray_version: str
    train: Demand
    predict: Demand


def read_settings(text: str) -> RaySettings:
    values = json.loads(text)
    return RaySettings(**values | {kind: demand(values[kind]) for kind in ("train", "predict")})


def demand(values: Mapping[str, Any]) -> Demand:
    return Demand(**{"min_workers": values["workers"], "max_failures": 0, **values})


def check_version(settings: RaySettings) -> None:
    """WORKER_INCOMPLETE without Ray; RAY_VERSION_MISMATCH if it is not the cluster's, which Ray finds out late."""
    try:
        installed = version("ray")
    except PackageNotFoundError as error:
        remedy = f"Install it for the Python of the nodes: pip install 'ray[data,train]=={settings.ray_version}'"
        raise CasslError("WORKER_INCOMPLETE", "The Python of this job has no Ray.", remedy) from error
    if installed != settings.ray_version:
        raise CasslError(
            "RAY_VERSION_MISMATCH",
            f"The Python of this job has Ray {installed}, the cluster runs {settings.ray_version}.",
            "Install the same version of Ray in the job's environment and on all nodes.",
        )
