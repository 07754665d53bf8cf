"""Whether detectron2 is here, and what it can do.

It is found out in a process of its own: importing it takes seconds, and one built for another torch may end Python.

python -m cassl_worker.detectron2_probe prints what is found as JSON.
"""

import importlib.util
import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache

BACKEND = "detectron2"
INSTALL = f"{sys.executable} -m pip install --no-build-isolation git+https://github.com/facebookresearch/detectron2.git"
"""detectron2 is on no package index, and is built with the torch that is installed."""
LIMIT_VARIABLE, LIMIT_SECONDS = "CASSL_DETECTRON2_PROBE_SECONDS", 600.0
"""Environment variable of the worker: how long it waits. Importing takes seconds, but minutes on a machine that others
keep busy, and a worker asks only once."""
SCRIPT = """
import importlib, importlib.util, json, pathlib
import detectron2, detectron2.config, detectron2.modeling
folder = pathlib.Path(detectron2.__file__).parent
found = {
    "version": detectron2.__version__,
    "file": detectron2.__file__,
    "has_extension": importlib.util.find_spec("detectron2._C") is not None,
    "has_model_zoo": any(path.is_dir() for path in (folder / "model_zoo" / "configs", folder.parent / "configs")),
}
if found["has_extension"]:
    importlib.import_module("detectron2._C")
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Detectron2:
    """An installed detectron2, or one that cannot be used.

    Attributes:
        file: of its package.
        has_extension: whether its compiled part `_C` is here. Only rotated boxes and deformable convolutions need it.
        has_model_zoo: whether the configurations of its model zoo are here.
        fault: why it cannot be imported; empty if it can.
    """

    version: str = ""
    file: str = ""
    has_extension: bool = False
    has_model_zoo: bool = False
    fault: str = ""


@lru_cache(maxsize=1)
def probe() -> Detectron2 | None:
    """None if detectron2 is not installed. Takes seconds the first time if it is."""
    if importlib.util.find_spec(BACKEND) is None:
        return None
    given = os.environ.get(LIMIT_VARIABLE, "")
    limit = seconds(given) if given else LIMIT_SECONDS
    if limit is None:
        return Detectron2(fault=f"{LIMIT_VARIABLE} is `{given}`, but must be a number of seconds above 0")
    try:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return Detectron2(fault=f"importing it takes more than {limit:g} s; {LIMIT_VARIABLE} can say more")
    if done.returncode == 0:
        return Detectron2(**json.loads(done.stdout.splitlines()[-1]))
    return Detectron2(fault=(done.stderr.strip().splitlines() or [f"it ends Python with {done.returncode}"])[-1])


def seconds(text: str) -> float | None:
    """None if the text is no positive number."""
    with suppress(ValueError):
        value = float(text)
        return value if 0 < value < float("inf") else None
    return None


def is_usable() -> bool:
    found = probe()
    return found is not None and found.fault == ""


if __name__ == "__main__":
    found = probe()
    print(json.dumps({"install": INSTALL, "found": None if found is None else asdict(found)}))
