"""What this machine and its Python offer to tasks, found without loading torch."""

import glob
import importlib.util
import os
import platform
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from itertools import takewhile
from pathlib import Path

from cassl.v1.worker_service_pb2 import Gpu

from cassl_worker.detectron2_probe import BACKEND as DETECTRON2
from cassl_worker.detectron2_probe import is_usable, probe
from cassl_worker.errors import CasslError

NVIDIA_SMI = ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
NVIDIA_SMI_SECONDS = 10.0
MIB = 2**20
COMPUTING_PACKAGES = ("torch", "torchvision", "timm", DETECTRON2, "lightly", "onnx", "onnxscript", "numpy", "pillow")
"""Another version of these may compute something else."""
CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def backends() -> list[str]:
    """What detectors may be built with. Takes seconds if detectron2 is installed."""
    torch = ["torch"] if importlib.util.find_spec("torch") is not None else []
    return [*torch, *([DETECTRON2] if is_usable() else [])]


def faults() -> list[str]:
    """Why detectors cannot be built with what is installed for them."""
    found = probe()
    return [] if found is None or found.fault == "" else [f"{DETECTRON2} cannot be used here: {found.fault}"]


def versions() -> dict[str, str]:
    """Of Python and of the installed packages that decide what is computed, by their names."""
    found = {"python": platform.python_version()}
    for package in COMPUTING_PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def devices(gpus: list[Gpu]) -> list[str]:
    """As torch names them."""
    return ["cpu", *(gpu.device for gpu in gpus)]


def find_gpus() -> list[Gpu]:
    """Those that torch sees. By their device files; name and memory by nvidia-smi, where that answers."""
    count = len(glob.glob("/dev/nvidia[0-9]*"))
    described = describe_gpus() if count > 0 else []
    if len(described) != count:
        described = [("", 0)] * count
    seen = visible(described, os.environ.get("CUDA_VISIBLE_DEVICES"))
    return [Gpu(device=f"cuda:{index}", name=name, memory_bytes=size) for index, (name, size) in enumerate(seen)]


def check_process_count(count: int, gpus: list[Gpu]) -> None:
    """CONFIG_INVALID where some of the processes of a training would have no GPU of their own."""
    if 0 < len(gpus) < count:
        raise CasslError(
            "CONFIG_INVALID",
            f"--processes is {count}, but each needs a GPU of its own and the worker sees {len(gpus)}.",
            f"Give at most {len(gpus)}, or leave it out: one for each GPU.",
        )


def visible(gpus: list[tuple[str, int]], names: str | None) -> list[tuple[str, int]]:
    """names: what CUDA_VISIBLE_DEVICES says: numbers up to the first that no GPU has, or names such as GPU-1234, whose
    GPUs are not looked for."""
    if names is None:
        return gpus
    entries = [entry.strip() for entry in names.split(",") if entry.strip()]
    if not all(entry.lstrip("-").isdigit() for entry in entries):
        return [("", 0)] * min(len(entries), len(gpus))
    return [gpus[int(entry)] for entry in takewhile(lambda entry: 0 <= int(entry) < len(gpus), entries)]


def describe_gpus() -> list[tuple[str, int]]:
    """Name and bytes of each GPU. Empty if nvidia-smi is missing or fails."""
    try:
        answer = subprocess.run(NVIDIA_SMI, capture_output=True, text=True, check=True, timeout=NVIDIA_SMI_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return []
    return parse_gpus(answer.stdout)


def parse_gpus(text: str) -> list[tuple[str, int]]:
    """Of lines such as `NVIDIA H100 80GB HBM3, 81559`; a size that is no number counts as 0, which is not known."""
    rows = [line.rsplit(",", 1) for line in text.splitlines() if "," in line]
    return [(name.strip(), int(size) * MIB if size.strip().isdigit() else 0) for name, size in rows]


def memory_bytes() -> int:
    """Of the machine, or the limit of the container if that is lower. 0 if it is not known."""
    try:
        installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0
    return min([installed, *(limit for path in CGROUP_LIMITS if (limit := read_limit(path)) is not None)])


def read_limit(path: Path) -> int | None:
    """None if there is no file, or it says `max`."""
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
