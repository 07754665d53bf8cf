"""Detector families. Importing this package loads no torch; building a detector does."""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectron2_probe import BACKEND as DETECTRON2
from cassl_worker.detectron2_probe import INSTALL
from cassl_worker.errors import CasslError

if TYPE_CHECKING:
    from cassl_worker.detectors.interface import Detector

FAMILIES = {
    "light": "cassl_worker.detectors.light:LightDetector",
    "fcos": "cassl_worker.detectors.fcos:FcosDetector",
    "retinanet": "cassl_worker.detectors.retinanet:RetinaNetDetector",
    "faster_rcnn": "cassl_worker.detectors.faster_rcnn:FasterRcnnDetector",
    "light_segmenter": "cassl_worker.detectors.light_segmenter:LightSegmenter",
    "mask_rcnn": "cassl_worker.detectors.mask_rcnn:MaskRcnnDetector",
    "detectron2_fcos": "cassl_worker.detectors.detectron2.own:build_fcos",
    "detectron2_retinanet": "cassl_worker.detectors.detectron2.own:build_retinanet",
    "detectron2_faster_rcnn": "cassl_worker.detectors.detectron2.own:build_faster_rcnn",
    "detectron2_mask_rcnn": "cassl_worker.detectors.detectron2.own:build_mask_rcnn",
    "detectron2_cascade_rcnn": "cassl_worker.detectors.detectron2.own:build_cascade_rcnn",
    "detectron2": "cassl_worker.detectors.detectron2.configured:build_configured",
    "detectron2_segmenter": "cassl_worker.detectors.detectron2.configured:build_configured",
}
"""What builds each family, as `module:name`. To add a family, write its module and name it here."""


SEGMENTERS = {
    "light_segmenter": "light",
    "mask_rcnn": "faster_rcnn",
    "detectron2_mask_rcnn": "detectron2_faster_rcnn",
    "detectron2_segmenter": "detectron2",
}
"""Families that also give masks, and the family that each is without its mask head."""


def families() -> tuple[str, ...]:
    """The names that `DetectorConfig.family` may have."""
    return tuple(FAMILIES)


def backend_of(family: str) -> str:
    """What builds the family: `detectron2`, which a worker may lack, or `torch`."""
    return DETECTRON2 if family.startswith(DETECTRON2) else "torch"


def gives_masks(family: str) -> bool:
    return family in SEGMENTERS


def without_masks(family: str) -> str:
    """The family that it is but for its mask head."""
    return SEGMENTERS.get(family, family)


def build_detector(config: DetectorConfig, class_count: int) -> "Detector":
    """A detector with its starting weights; what these leave open is drawn from torch's global random generator."""
    if config.family not in FAMILIES:
        raise CasslError(
            "CONFIG_INVALID",
            f"There is no detector family `{config.family}`.",
            f"Choose one of: {', '.join(families())}.",
        )
    module, name = FAMILIES[config.family].split(":")
    detector: Detector = getattr(load(module, config.family), name)(config, class_count)
    return detector


def load(module: str, family: str) -> ModuleType:
    """WORKER_INCOMPLETE if the family needs detectron2 and that cannot be imported."""
    try:
        return import_module(module)
    except ImportError as error:
        if backend_of(family) != DETECTRON2:
            raise
        raise CasslError(
            "WORKER_INCOMPLETE",
            f"The family `{family}` needs detectron2, which this worker cannot import: {error}.",
            f"Install it with `{INSTALL}`, and restart the worker.",
        ) from error
