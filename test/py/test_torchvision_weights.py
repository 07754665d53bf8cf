"""Weights leave for plain torchvision, which then computes what our detectors compute."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.detection import FCOS, FasterRCNN, MaskRCNN, RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.models.detection.roi_heads import paste_masks_in_image
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.checkpoint import Weights, save_weights, state_of
from cassl_worker.detectors import build_detector
from cassl_worker.detectors.interface import Detector
from cassl_worker.errors import CasslError
from cassl_worker.torchvision_weights import to_torchvision

SIDE_PX, CHANNELS, CLASSES, PROPOSALS = 128, 256, 3, 30
TWO_STAGES = {"faster_rcnn": FasterRCNN, "mask_rcnn": MaskRCNN}


def ours(family: str, backbone: str = "resnet18") -> Detector:
    strides = [4, 8, 16, 32, 64] if family in TWO_STAGES else [8, 16, 32, 64, 128]
    config = DetectorConfig(
        family=family,
        backbone=backbone,
        backbone_weights="none",
        input_width_px=SIDE_PX,
        input_height_px=SIDE_PX,
        fpn_channels=CHANNELS,
        head_convolutions=4,
        strides_px=strides,
        proposals=PROPOSALS,
    )
    torch.manual_seed(0)
    detector = build_detector(config, CLASSES)
    with torch.no_grad():
        for name, weight in detector.named_parameters():
            # Fresh predictors say the same everywhere.
            if "cls_score" in name or "cls_logits.weight" in name or "bbox" in name:
                weight.normal_(std=0.02)
    return detector


def weights_of(family: str, detector: Detector) -> Weights:
    return Weights(family, CLASSES, state_of(detector))


def one_stage_backbone() -> nn.Module:
    made: nn.Module = resnet_fpn_backbone(
        backbone_name="resnet18",
        weights=None,
        returned_layers=[2, 3, 4],
        extra_blocks=LastLevelP6P7(CHANNELS, CHANNELS),
    )
    return made


def theirs(family: str) -> nn.Module:
    sizes = {"min_size": SIDE_PX, "max_size": SIDE_PX}
    made: nn.Module
    if family == "fcos":
        made = FCOS(one_stage_backbone(), CLASSES, **sizes)
    elif family == "retinanet":
        steps = [tuple(int(side * 2 ** (step / 3)) for step in range(3)) for side in (32, 64, 128, 256, 512)]
        anchors = AnchorGenerator(tuple(steps), ((0.5, 1.0, 2.0),) * 5)
        head = RetinaNetHead(CHANNELS, 9, CLASSES, norm_layer=partial(nn.GroupNorm, 32))
        made = RetinaNet(one_stage_backbone(), CLASSES, anchor_generator=anchors, head=head, **sizes)
    else:
        made = TWO_STAGES[family](
            resnet_fpn_backbone(backbone_name="resnet18", weights=None),
            CLASSES + 1,
            rpn_pre_nms_top_n_test=PROPOSALS,
            rpn_post_nms_top_n_test=PROPOSALS,
            box_score_thresh=0.0,
            box_nms_thresh=1.0,
            box_detections_per_img=10_000,
            **sizes,
        )
    return made.eval()


def images() -> tuple[Tensor, Tensor]:
    """For our detectors and, normalized, for torchvision's."""
    pixels = torch.randint(0, 256, (1, SIDE_PX, SIDE_PX, 3), dtype=torch.uint8, generator=torch.manual_seed(1))
    return pixels, pixels[0].permute(2, 0, 1).float() / 255


@pytest.mark.parametrize("family", ["fcos", "retinanet"])
@torch.inference_mode()
def test_one_stage_detectors_give_the_same_candidates(family: str) -> None:
    detector, model = ours(family), theirs(family)
    model.load_state_dict(to_torchvision(weights_of(family, detector)), strict=True)
    pixels, image = images()
    boxes, scores = detector.dense(pixels)
    listed, _ = model.transform([image])  # type: ignore[operator]
    features = list(model.backbone(listed.tensors).values())  # type: ignore[operator]
    outputs = model.head(features)  # type: ignore[operator]
    (anchors,) = model.anchor_generator(ImageList(listed.tensors, [(SIDE_PX, SIDE_PX)]), features)  # type: ignore[operator]
    coder, deltas = model.box_coder, outputs["bbox_regression"]
    expected = coder.decode(deltas, anchors) if family == "fcos" else coder.decode_single(deltas[0], anchors)[None]  # type: ignore[union-attr,operator]
    torch.testing.assert_close(boxes, expected, rtol=1e-4, atol=1e-3)
    logits = torch.sigmoid(outputs["cls_logits"])
    theirs_scores = torch.sqrt(logits * torch.sigmoid(outputs["bbox_ctrness"])) if family == "fcos" else logits
    torch.testing.assert_close(scores, theirs_scores, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", TWO_STAGES)
@torch.inference_mode()
def test_two_stage_detectors_give_the_same_detections(family: str) -> None:
    detector, model = ours(family), theirs(family)
    model.load_state_dict(to_torchvision(weights_of(family, detector)), strict=True)
    pixels, image = images()
    (boxes,), (scores,), *masks = detector.dense(pixels)
    (found,) = model([image])
    for class_index in range(CLASSES):
        of_class = found["labels"] == class_index + 1
        best = scores[:, class_index].argsort(descending=True)[: int(of_class.sum())]
        assert len(best) >= PROPOSALS // 2
        torch.testing.assert_close(scores[best, class_index], found["scores"][of_class], rtol=1e-3, atol=1e-5)
        inside = boxes[best].clamp(0, SIDE_PX)
        torch.testing.assert_close(inside, found["boxes"][of_class], rtol=1e-3, atol=1e-2)
        if masks:
            shares = torch.sigmoid(masks[0][0, best])
            pasted = paste_masks_in_image(shares, found["boxes"][of_class], (SIDE_PX, SIDE_PX))
            torch.testing.assert_close(pasted, found["masks"][of_class], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("family", "backbone"), [("light", "resnet18"), ("fcos", "test_resnet")])
def test_what_torchvision_does_not_have_is_refused(family: str, backbone: str) -> None:
    weights = weights_of(family, ours(family, "resnet18"))
    if backbone != "resnet18":
        tensors = {name: tensor for name, tensor in weights.tensors.items() if ".layer1." not in name}
        weights = Weights(family, CLASSES, tensors)
    with pytest.raises(CasslError, match="torchvision has the families") as caught:
        to_torchvision(weights)
    assert caught.value.reason == "WEIGHTS_MISMATCH"


def test_command_writes_a_plain_state_dict(tmp_path: Path) -> None:
    detector = ours("fcos")
    save_weights(tmp_path / "weights.safetensors", weights_of("fcos", detector))
    command = [sys.executable, "-m", "cassl_worker.torchvision_weights"]
    subprocess.run([*command, tmp_path / "weights.safetensors", tmp_path / "out.pth"], check=True, capture_output=True)
    state = torch.load(tmp_path / "out.pth", weights_only=True)
    model = theirs("fcos")
    model.load_state_dict(state, strict=True)
    missing = [*command, str(tmp_path / "gone.safetensors"), str(tmp_path / "no.pth")]
    failed = subprocess.run(missing, capture_output=True, text=True)
    assert failed.returncode == 1 and "gone.safetensors" in failed.stderr and "Traceback" not in failed.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.pth", "weights.safetensors"]
