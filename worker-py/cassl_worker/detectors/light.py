"""The family `light`: FCOS for small inputs. With its default backbone and pyramid it trains on two CPU cores."""

from typing import ClassVar

from cassl_worker.detectors.fcos import FcosDetector


class LightDetector(FcosDetector):
    """FCOS with smaller anchors: strides 8, 16, 32 divide objects at about 40 and 80 px, which fits inputs of some
    hundred pixels."""

    ANCHOR_STRIDES: ClassVar[float] = 0.5
    ANCHOR_OFFSET_STRIDES: ClassVar[float] = 0.5
    GROUP_CHANNELS: ClassVar[int] = 16
