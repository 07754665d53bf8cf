"""Conventions of the package: what loads what, one version, and reasons that are in the catalogue."""

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cassl.v1.error_reason_pb2 import ErrorReason

from cassl_worker.version import VERSION

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "worker-py" / "cassl_worker"
HEAVY = {"torch", "torchvision", "timm", "onnx"}
SHARED_MODULES = {"__init__", "errors", "version"}


def modules_after(code: str) -> set[str]:
    """Top-level modules that are loaded in a new Python after `code`."""
    script = f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(REPOSITORY / "worker-py")},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


def test_the_session_loads_no_torch() -> None:
    loaded = modules_after("import cassl_worker.__main__, cassl_worker.session, cassl_worker.tasks")
    assert "grpc" in loaded
    assert not loaded & HEAVY


def test_help_loads_neither_torch_nor_grpc() -> None:
    code = """
from cassl_worker.__main__ import parse_options
try:
    parse_options(["--help"])
except SystemExit:
    pass
"""
    assert not modules_after(code) & {*HEAVY, "grpc", "zmq", "numpy", "google"}


def test_the_worker_has_the_version_of_the_whole() -> None:
    assert json.loads((REPOSITORY / "package.json").read_text())["version"] == VERSION


def test_every_module_is_on_one_side() -> None:
    config = tomllib.loads((REPOSITORY / "worker-py" / "pyproject.toml").read_text())
    torch_side, session_side, *_ = config["tool"]["importlinter"]["contracts"]
    sided = {*torch_side["source_modules"], *session_side["source_modules"], "cassl_worker.tasks"}
    names = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")}
    assert {f"cassl_worker.{name}" for name in names - SHARED_MODULES} == sided


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_reasons_of_errors_are_in_the_catalogue(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    raised = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "CasslError"]
    reasons = {str(call.args[0].value) for call in raised if isinstance(call.args[0], ast.Constant)}
    assert {f"ERROR_REASON_{reason}" for reason in reasons} <= set(ErrorReason.keys())
