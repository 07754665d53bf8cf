"""Detector families. Importing this package loads no torch; building a detector does."""

from typing import TYPE_CHECKING

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.errors import CasslError

if TYPE_CHECKING:
    from cassl_worker.detectors.interface import Detector


def families() -> tuple[str, ...]:
    """The names that `DetectorConfig.family` may have."""
    return ("light",)


def build_detector(config: DetectorConfig, class_count: int) -> "Detector":
    """A detector with its starting weights; what these leave open is drawn from torch's global random generator."""
    if config.family not in families():
        raise CasslError(
            "CONFIG_INVALID",
            f"There is no detector family `{config.family}`.",
            f"Choose one of: {', '.join(families())}.",
        )
    from cassl_worker.detectors.light import LightDetector

    return LightDetector(config, class_count)
