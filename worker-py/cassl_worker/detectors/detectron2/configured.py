"""Models that a configuration of detectron2 describes: one of its model zoo, or a file of the worker's own folders.

A configuration is named relative to a folder, never by a path or an address: a LazyConfig file is Python, and YAML of
detectron2 may have expressions too. Which of these run on a machine is for its owner to say.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import detectron2
import torch
import yaml
from detectron2.config import LazyConfig, get_cfg, instantiate
from detectron2.modeling import build_model
from detectron2.modeling.meta_arch import GeneralizedRCNN
from detectron2.modeling.meta_arch.fcos import FCOS
from detectron2.modeling.meta_arch.retinanet import RetinaNet
from detectron2.modeling.proposal_generator import RPN
from detectron2.modeling.roi_heads import StandardROIHeads
from detectron2.modeling.roi_heads.mask_head import BaseMaskRCNNHead
from omegaconf import OmegaConf
from torch import nn

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectors import gives_masks
from cassl_worker.detectors.detectron2.base import Detectron2Detector
from cassl_worker.detectors.detectron2.dense import DenseDetector
from cassl_worker.detectors.detectron2.regions import MaskedRegionDetector, RegionDetector
from cassl_worker.detectors.detectron2.weights import load_backbone
from cassl_worker.detectron2_probe import INSTALL
from cassl_worker.errors import CasslError

FOLDERS_VARIABLE = "CASSL_DETECTRON2_CONFIGS"
"""Environment variable of the worker: folders of configurations, separated as in PATH."""
CLASS_COUNTS = ("MODEL.ROI_HEADS.NUM_CLASSES", "MODEL.RETINANET.NUM_CLASSES")
PROBE_CLASSES = 7
"""Any number but one: what depends on it depends on the classes."""


@dataclass(frozen=True)
class Described:
    """A model as its configuration says, with random weights.

    Attributes:
        weights: the file of starting weights that the configuration names; only its last name counts.
    """

    model: Any
    is_bgr: bool
    weights: str


def build_configured(config: DetectorConfig, class_count: int) -> Detectron2Detector:
    """CONFIG_INVALID where there is no such configuration, or it is none of a detector that cassl can train;
    WORKER_INCOMPLETE where the model needs what is not installed."""
    name, overrides = config.detectron2.config, list(config.detectron2.overrides)
    file = find(name)
    refuse_overrides(overrides, "model." if file.suffix == ".py" else "MODEL.")
    describe = describe_python if file.suffix == ".py" else describe_yaml
    try:
        described = describe(file, overrides, class_count)
        other = described.model
        if hasattr(other, "roi_heads"):
            with torch.random.fork_rng():
                other = describe(file, overrides, class_count + PROBE_CLASSES).model
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
    check_model(name, described.model, class_count)
    if config.backbone_weights == "imagenet":
        load_backbone(described.model, described.weights)
    return as_detector(config, described, other)


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


def refuse_overrides(overrides: Sequence[str], prefix: str) -> None:
    for override in overrides:
        key, sign, _ = override.partition("=")
        if sign == "" or not key.startswith(prefix):
            raise invalid(
                f"the override `{override}` does not say {prefix}KEY=VALUE",
                "Only the model can be overridden: data, solver and evaluation are those of cassl.yaml.",
            )
        if key.lower().rpartition(".")[2] == "num_classes":
            raise invalid(f"the override `{override}` sets a number of classes", "Leave it out: the data say it.")


def describe_yaml(file: Path, overrides: Sequence[str], class_count: int) -> Described:
    """Unknown keys are errors."""
    check_bases(file)
    cfg = get_cfg()
    # Those of the model zoo have tags that are evaluated.
    cfg.merge_from_file(str(file))
    cfg.merge_from_list([part for override in overrides for part in override.split("=", 1)])
    cfg.merge_from_list([part for key in CLASS_COUNTS for part in (key, class_count)])
    cfg.MODEL.DEVICE = "cpu"
    return Described(build_model(cfg), cfg.INPUT.FORMAT == "BGR", cfg.MODEL.WEIGHTS)


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


def describe_python(file: Path, overrides: Sequence[str], class_count: int) -> Described:
    loaded = LazyConfig.apply_overrides(LazyConfig.load(str(file)), list(overrides))
    holder = loaded.model.roi_heads if "roi_heads" in loaded.model else loaded.model
    holder.num_classes = class_count
    order = loaded.model.get("input_format") or OmegaConf.select(loaded, "dataloader.train.mapper.image_format")
    if order not in ("BGR", "RGB"):
        raise invalid(f"{file.name} does not say whether images are BGR or RGB", "Set `model.input_format`.")
    return Described(instantiate(loaded.model), order == "BGR", OmegaConf.select(loaded, "train.init_checkpoint") or "")


def check_model(name: str, model: Any, class_count: int) -> None:
    if not isinstance(model, RetinaNet | FCOS) and not is_region_model(model):
        raise invalid(
            f"`{name}` is a {type(model).__name__} that cassl cannot train",
            "Choose RetinaNet, FCOS, or a Faster, Mask or Cascade R-CNN on a pyramid, with axis-aligned boxes.",
        )
    heads = getattr(model, "roi_heads", model)
    if heads.num_classes != class_count:
        raise invalid(
            f"`{name}` has {heads.num_classes} classes where the data have {class_count}", "Leave the number out of it."
        )


def is_region_model(model: Any) -> bool:
    if not isinstance(model, GeneralizedRCNN) or type(model.proposal_generator) is not RPN:
        return False
    heads = model.roi_heads
    if not isinstance(heads, StandardROIHeads) or heads.keypoint_on or heads.train_on_pred_boxes:
        return False
    return not heads.mask_on or (isinstance(heads.mask_head, BaseMaskRCNNHead) and heads.mask_pooler is not None)


def as_detector(config: DetectorConfig, described: Described, other: nn.Module) -> Detectron2Detector:
    """other: the same model for more classes."""
    model, is_bgr = described.model, described.is_bgr
    has_masks = hasattr(model, "roi_heads") and model.roi_heads.mask_on
    if has_masks != gives_masks(config.family):
        raise invalid(
            f"`{config.detectron2.config}` {'gives masks' if has_masks else 'gives no masks'}",
            "Choose the family `detectron2_segmenter` for models with masks and `detectron2` for those without.",
        )
    if not hasattr(model, "roi_heads"):
        return DenseDetector(config, model, is_bgr=is_bgr)
    shapes = {name: tensor.shape for name, tensor in other.state_dict().items()}
    differing = [name for name, tensor in model.state_dict().items() if tensor.shape != shapes[name]]
    kind = MaskedRegionDetector if has_masks else RegionDetector
    return kind(
        config,
        model,
        is_bgr=is_bgr,
        has_class_boxes=any("bbox_pred" in name for name in differing),
        has_class_masks=any("mask_head" in name for name in differing),
    )


def invalid(what: str, remedy: str) -> CasslError:
    return CasslError("CONFIG_INVALID", f"{what[0].upper()}{what[1:]}.", remedy)
