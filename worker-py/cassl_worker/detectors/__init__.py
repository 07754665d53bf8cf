"""Detector families. Importing this package loads no torch; building a detector does."""

from importlib import import_module
from typing import TYPE_CHECKING

from cassl.v1.task_pb2 import DetectorConfig

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
}
"""The class of each family, as `module:class`. To add a family, write its module and name it here."""


SEGMENTERS = {"light_segmenter": "light", "mask_rcnn": "faster_rcnn"}
"""Families that also give masks, and the family that each is without its mask head."""


def families() -> tuple[str, ...]:
    """The names that `DetectorConfig.family` may have."""
    return tuple(FAMILIES)


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
    detector: Detector = getattr(import_module(module), name)(config, class_count)
    return detector
