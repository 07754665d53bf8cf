"""What the conformance suite builds: a small detector of each family of each backend."""

from dataclasses import dataclass

from cassl.v1.task_pb2 import DetectorConfig, Detectron2Config

from cassl_worker.detectors import backend_of, families
from cassl_worker.detectron2_probe import BACKEND, INSTALL, is_usable

SIDE_PX = 96
FASTER = "COCO-Detection/faster_rcnn_R_50_FPN_1x.yaml"
SMALL = ["MODEL.RESNETS.DEPTH=18", "MODEL.RESNETS.RES2_OUT_CHANNELS=64", "MODEL.FPN.OUT_CHANNELS=32"]
"""Makes a small one of a configured ResNet-50."""
FOLDERS = "CASSL_DETECTRON2_CONFIGS"
MASK = "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_1x.yaml"
CONFIGURED = {
    "detectron2": (FASTER, [*SMALL, "MODEL.ROI_BOX_HEAD.CLS_AGNOSTIC_BBOX_REG=True"]),
    "detectron2_segmenter": (
        MASK,
        [*SMALL, "MODEL.ROI_BOX_HEAD.CLS_AGNOSTIC_BBOX_REG=True", "MODEL.ROI_MASK_HEAD.CLS_AGNOSTIC_MASK=True"],
    ),
}
"""Families that build what a file says, each with one and overrides; test_detectron2_configured.py has others."""


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

    @property
    def has_background(self) -> bool:
        """Whether the scores of all classes are shares of one."""
        return self.name.endswith("rcnn") or self.name in CONFIGURED

    def pretrained(self) -> DetectorConfig:
        """With ImageNet weights, of a packaged backbone; as it is where a file says which backbone it has."""
        changed = DetectorConfig()
        changed.CopyFrom(self.config)
        if self.name not in CONFIGURED:
            changed.backbone, changed.backbone_weights = "tf_efficientnet_lite0", "imagenet"
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
    return [Case(small(family), missing_backend(family)) for family in families() if family not in CONFIGURED]


def configured_cases() -> list[Case]:
    """Of all that is not frozen, so that losses reach it."""
    cases = []
    for family, (name, overrides) in CONFIGURED.items():
        config = small(family)
        config.detectron2.CopyFrom(Detectron2Config(config=name, overrides=[*overrides, "MODEL.BACKBONE.FREEZE_AT=0"]))
        cases.append(Case(config, missing_backend(family)))
    return cases


def missing_backend(family: str) -> str | None:
    if backend_of(family) != BACKEND or is_usable():
        return None
    return f"detectron2 is not installed; {INSTALL}"
