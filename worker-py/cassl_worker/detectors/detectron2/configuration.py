"""Configurations of detectron2: of its model zoo, or files of the worker's own folders.

A configuration is named relative to a folder, never by a path or an address: a LazyConfig file is Python, and YAML of
detectron2 may have expressions too. Which of these run on a machine is for its owner to say.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from pathlib import Path, PurePosixPath
from typing import Any

import detectron2
import yaml
from detectron2.config import CfgNode, LazyConfig, get_cfg
from omegaconf import DictConfig, OmegaConf

from cassl.v1.task_pb2 import Detectron2Config

from cassl_worker.detectron2_probe import INSTALL
from cassl_worker.errors import CasslError

FOLDERS_VARIABLE = "CASSL_DETECTRON2_CONFIGS"
"""Environment variable of the worker: folders of configurations, separated as in PATH."""
YAML_SECTIONS, PYTHON_SECTIONS = ("MODEL.", "INPUT."), ("model.", "dataloader.train.mapper.")
"""What can be overridden in each kind of file: the model, and how detectron2's data mapper makes training images."""
SETTLED = frozenset({"device", "mask_format", "instance_mask_format", "use_instance_mask"})
"""Keys, in lower case and without their section, that follow from cassl.yaml, as all do that end in _test or begin with
test_."""


def read_configuration(described: Detectron2Config) -> CfgNode | DictConfig:
    """A YAML file, or a LazyConfig file, with the overrides. CONFIG_INVALID if there is none, or a key is not known."""
    file, overrides = find(described.config), list(described.overrides)
    if file.suffix == ".py":
        refuse_overrides(overrides, PYTHON_SECTIONS)
        return LazyConfig.apply_overrides(LazyConfig.load(str(file)), overrides)
    refuse_overrides(overrides, YAML_SECTIONS)
    check_bases(file)
    configuration = WatchedConfiguration(get_cfg())
    # Those of the model zoo have tags that are evaluated.
    configuration.merge_from_file(str(file))
    configuration.merge_from_list([part for override in overrides for part in override.split("=", 1)])
    return configuration


class WatchedConfiguration(CfgNode):  # type: ignore[misc]
    """A configuration that knows which of its keys have been read."""

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        self.__dict__.setdefault("read", set()).add(name)
        return value


def refuse_unread(configuration: CfgNode | DictConfig, overrides: Sequence[str], section: str) -> None:
    """To be called when all that a section is for has been built. Constructors that a LazyConfig file names refuse what
    they do not know by themselves."""
    if not isinstance(configuration, CfgNode):
        return
    for override in overrides:
        *parents, key = override.partition("=")[0].split(".")
        node = reduce(lambda outer, name: outer[name], parents, configuration)
        if override.startswith(section) and key not in node.__dict__.get("read", ()):
            raise invalid(f"nothing that is built looks at the override `{override}`", "Leave it out.")


def is_bgr(name: str, configuration: CfgNode | DictConfig) -> bool:
    """Whether images have blue first."""
    if isinstance(configuration, CfgNode):
        orders = {configuration.INPUT.FORMAT}
    else:
        places = ("model.input_format", "dataloader.train.mapper.image_format")
        orders = {OmegaConf.select(configuration, place) for place in places} - {None}
    if orders not in ({"BGR"}, {"RGB"}):
        raise invalid(
            f"`{name}` must have images either BGR or RGB, not {' and '.join(sorted(orders)) or 'leave it open'}",
            "Set `INPUT.FORMAT`, or `model.input_format` and the mapper's `image_format`, in the configuration.",
        )
    return orders == {"BGR"}


@contextmanager
def faults_of(name: str) -> Iterator[None]:
    """What detectron2 raises about a configuration as CONFIG_INVALID, or WORKER_INCOMPLETE where it needs what is not
    installed."""
    try:
        yield
    except CasslError:
        raise
    except ImportError as error:
        raise CasslError(
            "WORKER_INCOMPLETE",
            f"`{name}` needs something that is not installed, such as detectron2's compiled part `_C`: {error}.",
            f"Build it with `{INSTALL}`, or choose a model without rotated boxes and deformable convolutions.",
        ) from error
    except Exception as error:  # Of yacs, omegaconf, hydra and of every constructor that a configuration may name.
        first = (str(error) or type(error).__name__).strip().splitlines()[0]
        what = f"detectron2 cannot build `{name}`: {first}"
        raise invalid(what, "Correct the configuration or its overrides.") from error


def find(name: str) -> Path:
    """The file of a configuration."""
    path = PurePosixPath(name)
    if "://" in name or path.is_absolute() or ".." in path.parts or path.suffix not in (".yaml", ".py"):
        raise invalid(
            f"`{name}` is no name of a configuration of detectron2",
            "Name a .yaml or .py file relative to its folder, without `..`, such as "
            "COCO-Detection/faster_rcnn_R_50_FPN_1x.yaml.",
        )
    for folder in folders():
        file = (folder / path).resolve()
        if file.is_file() and file.is_relative_to(folder.resolve()):
            return file
    raise invalid(
        f"there is no configuration `{name}` in {', '.join(map(str, folders())) or 'any folder'}",
        f"Name one of detectron2's model zoo, or put it into a folder that {FOLDERS_VARIABLE} of the worker names.",
    )


def folders() -> list[Path]:
    """The worker's own, then those of the model zoo."""
    package = Path(detectron2.__file__).parent
    own = [Path(folder) for folder in os.environ.get(FOLDERS_VARIABLE, "").split(os.pathsep) if folder]
    zoo = [package / "model_zoo" / "configs", package.parent / "configs"]
    return [folder for folder in (*own, *zoo) if folder.is_dir()]


def refuse_overrides(overrides: Sequence[str], sections: tuple[str, ...]) -> None:
    for override in overrides:
        key, sign, _ = override.partition("=")
        if sign == "" or not key.startswith(sections):
            places = " or ".join(f"{section}KEY=VALUE" for section in sections)
            raise invalid(
                f"the override `{override}` does not say {places}",
                "Only model and data mapper can be overridden: data, solver and evaluation are those of cassl.yaml.",
            )
        last = key.lower().rpartition(".")[2]
        if last == "num_classes":
            raise invalid(f"the override `{override}` sets a number of classes", "Leave it out: the data say it.")
        if last in SETTLED or last.endswith("_test") or last.startswith("test_"):
            raise invalid(
                f"the override `{override}` would have no effect",
                "Leave it out: device, kind of masks and how detections are made are not the configuration's to say.",
            )


def check_bases(file: Path) -> None:
    """detectron2 itself would fetch a base from anywhere."""
    # Which evaluates no tags.
    given = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader) or {}
    bases = given.get("_BASE_", [])
    for base in [bases] if isinstance(bases, str) else bases:
        path = (file.parent / base).resolve()
        if not path.is_file() or not any(path.is_relative_to(folder.resolve()) for folder in folders()):
            raise invalid(
                f"{file.name} has the base `{base}`, which is in no folder of configurations",
                f"Put it beside the file, in a folder that {FOLDERS_VARIABLE} of the worker names.",
            )
        check_bases(path)


def invalid(what: str, remedy: str) -> CasslError:
    return CasslError("CONFIG_INVALID", f"{what[0].upper()}{what[1:]}.", remedy)
