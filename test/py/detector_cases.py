"""What the conformance suite builds: a small detector of each family of each backend."""

from dataclasses import dataclass

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectors import families

SIDE_PX = 96


@dataclass(frozen=True)
class Case:
    """A kind of detector.

    Attributes:
        missing: why it cannot be built here; None where it can.
    """

    config: DetectorConfig
    missing: str | None = None

    @property
    def name(self) -> str:
        return self.config.family

    def with_backbone(self, backbone: str, weights: str) -> DetectorConfig:
        changed = DetectorConfig()
        changed.CopyFrom(self.config)
        changed.backbone, changed.backbone_weights = backbone, weights
        return changed


def small(family: str) -> DetectorConfig:
    return DetectorConfig(
        family=family,
        backbone="test_resnet",
        backbone_weights="none",
        input_width_px=SIDE_PX,
        input_height_px=SIDE_PX,
        fpn_channels=32,
        head_convolutions=1,
        strides_px=[8, 16, 32, 64],
        proposals=30,
    )


def cases() -> list[Case]:
    return [Case(small(family)) for family in families()]
