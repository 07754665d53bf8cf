"""Conventions of the package: what loads what, one version, and reasons that are in the catalogue."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cassl.v1.error_reason_pb2 import ErrorReason

from cassl_worker.options import parse_options
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
from cassl_worker.options import parse_options
try:
    parse_options(["--help"])
except SystemExit:
    pass
"""
    assert not modules_after(code) & {*HEAVY, "grpc", "zmq", "numpy", "google"}


def test_the_readme_explains_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_options(["--help"])
    offered = set(re.findall(r"^ +(--[a-z-]+)", capsys.readouterr().out, re.MULTILINE))
    rows = re.findall(r"^\| `--.*?\|", (PACKAGE.parent / "README.md").read_text(), re.MULTILINE)
    assert {option for row in rows for option in re.findall(r"--[a-z-]+", row)} == offered - {"--version"}


def test_the_worker_has_the_version_of_the_whole() -> None:
    assert json.loads((REPOSITORY / "package.json").read_text())["version"] == VERSION


def test_every_module_is_on_one_side() -> None:
    config = tomllib.loads((REPOSITORY / "worker-py" / "pyproject.toml").read_text())
    torch_side, session_side, *_ = config["tool"]["importlinter"]["contracts"]
    sided = {
        *torch_side["source_modules"],
        *session_side["source_modules"],
        "cassl_worker.on_ray",
        "cassl_worker.tasks",
    }
    names = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")}
    assert {f"cassl_worker.{name}" for name in names - SHARED_MODULES} == sided


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_reasons_of_errors_are_in_the_catalogue(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    raised = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "CasslError"]
    reasons = {str(call.args[0].value) for call in raised if isinstance(call.args[0], ast.Constant)}
    assert {f"ERROR_REASON_{reason}" for reason in reasons} <= set(ErrorReason.keys())


UNPICKLING_MODULES = {"cPickle", "cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}


def unpickles(node: ast.AST) -> bool:
    """Whether a piece of code could run what stands in a file: unpickle it, or evaluate it."""
    match node:
        case ast.Import(names=names):
            return any(name.name.partition(".")[0] in UNPICKLING_MODULES for name in names)
        case ast.ImportFrom(module=str(module)):
            return module.partition(".")[0] in UNPICKLING_MODULES
        case ast.Call(func=ast.Name(id=name)):
            return name in {"eval", "exec", "compile", "__import__"}
        case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr="load"), keywords=keywords):
            return not any(key.arg == "weights_only" and is_true(key.value) for key in keywords)
        case ast.Call(func=ast.Attribute(attr="load"), keywords=keywords):
            return any(key.arg == "allow_pickle" and not is_false(key.value) for key in keywords)
    return False


def is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


RESTRICTED_UNPICKLER = PACKAGE / "foreign_weights.py"
"""Its unpickler looks every global up in a list of its own; test_foreign_weights.py gives it what runs code."""


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_is_unpickled(path: Path) -> None:
    allowed = ["import pickle"] if path == RESTRICTED_UNPICKLER else []
    assert [ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if unpickles(node)] == allowed


def test_pickle_is_only_the_base_of_the_restricted_unpickler() -> None:
    tree = ast.parse(RESTRICTED_UNPICKLER.read_text())
    used = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and is_name(node.value, "pickle")]
    bases = [base for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases]
    assert set(used) == {"Unpickler", "UnpicklingError"}
    assert used.count("Unpickler") == [ast.unparse(base) for base in bases].count("pickle.Unpickler") == 1


def is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "import torch\ntorch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.load(path, weights_only=sure)",
        "numpy.load(path, allow_pickle=True)",
        "eval(text)",
    ],
)
def test_what_unpickles_is_found(code: str) -> None:
    assert any(unpickles(node) for node in ast.walk(ast.parse(code)))
