"""Weights of other libraries: recognized, renamed, put into our layouts, accounted for; files that could run code are
refused."""

import json
import math
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rectangles import CATEGORIES
from safetensors.torch import save_file
from tiny import CARRIED
from torch import Tensor
from torch.nn import functional

from cassl.v1.task_pb2 import DetectorConfig, InitFrom

from cassl_worker.checkpoint import Weights, save_weights, state_of
from cassl_worker.detectors import build_detector
from cassl_worker.detectors.interface import Detector
from cassl_worker.detectron2_names import PIXEL_STD_RGB
from cassl_worker.errors import CasslError
from cassl_worker.foreign_weights import read_state, starting_weights
from cassl_worker.torchvision_weights import to_torchvision
from cassl_worker.transplant import Ledger, transplant

CLASSES, CHANNELS = len(CATEGORIES), 32
ONE_STAGE, TWO_STAGE = (8, 16, 32, 64, 128), (4, 8, 16, 32, 64)


def config_of(family: str, backbone: str = "resnet26") -> DetectorConfig:
    return DetectorConfig(
        family=family,
        backbone=backbone,
        backbone_weights="none",
        input_width_px=64,
        input_height_px=64,
        fpn_channels=CHANNELS,
        head_convolutions=4,
        strides_px=TWO_STAGE if "rcnn" in family else ONE_STAGE,
        proposals=10,
    )


def built(config: DetectorConfig, seed: int, class_count: int = CLASSES) -> Detector:
    torch.manual_seed(seed)
    return build_detector(config, class_count)


def started_from(path: Path, config: DetectorConfig) -> tuple[Detector, Weights, Ledger]:
    """A fresh detector that was given what a file has for it."""
    detector = built(config, seed=2)
    weights = starting_weights(path, detector, config)
    return detector, weights, transplant(detector, CLASSES, weights, config.family, InitFrom(carry=CARRIED))


def saved(folder: Path, state: dict[str, Any]) -> Path:
    torch.save(state, folder / "weights.pth")
    return folder / "weights.pth"


class TestTorchvision:
    @pytest.mark.parametrize("family", ["fcos", "retinanet", "faster_rcnn"])
    def test_what_leaves_for_torchvision_comes_back(self, tmp_path: Path, family: str) -> None:
        config = config_of(family, "resnet18")
        state = state_of(built(config, seed=1))
        path = saved(tmp_path, to_torchvision(Weights(family, CLASSES, state)))
        detector, weights, ledger = started_from(path, config)
        assert (weights.family, weights.class_count) == (family, CLASSES)
        assert ledger.parameters_copied_share == 1 and not weights.unused
        for name, tensor in state_of(detector).items():
            torch.testing.assert_close(tensor, state[name], msg=name)

    def test_names_of_its_published_files_are_known(self, tmp_path: Path) -> None:
        config = config_of("faster_rcnn", "resnet18")
        newer = to_torchvision(Weights("faster_rcnn", CLASSES, state_of(built(config, seed=1))))
        older = {
            re.sub(r"(_blocks\.\d)\.0\.", r"\1.", name).replace("rpn.head.conv.0.0.", "rpn.head.conv."): tensor
            for name, tensor in newer.items()
        }
        assert {"rpn.head.conv.weight", "backbone.fpn.inner_blocks.0.weight"} < older.keys()
        _, weights, ledger = started_from(saved(tmp_path, older), config)
        assert ledger.parameters_copied_share == 1 and not weights.unused

    def test_boxes_of_each_class_become_their_mean_without_background(self, tmp_path: Path) -> None:
        config = config_of("faster_rcnn", "resnet18")
        state = to_torchvision(Weights("faster_rcnn", CLASSES, state_of(built(config, seed=1))))
        name = "roi_heads.box_predictor.bbox_pred.bias"
        state[name] = torch.tensor([9.0, 9, 9, 9, 1, 2, 3, 4, 3, 4, 5, 6])
        detector, _, _ = started_from(saved(tmp_path, state), config)
        assert state_of(detector)[f"model.{name}"].tolist() == [2, 3, 4, 5]

    def test_towers_without_normalization_are_other_towers(self, tmp_path: Path) -> None:
        config = config_of("retinanet", "resnet18")
        state = to_torchvision(Weights("retinanet", CLASSES, state_of(built(config, seed=1))))
        bare = {name: tensor for name, tensor in state.items() if not re.fullmatch(r"head\..*conv\.\d\.1\.\w+", name)}
        assert len(bare) == len(state) - 16
        _, weights, ledger = started_from(saved(tmp_path, bare), config)
        shares = ledger.copied_share_by_part
        assert (shares["backbone"], shares["fpn"], shares["box_tower"], shares["class_predictor"]) == (1, 1, 0, 0)
        assert set(weights.unused) == {name for name in bare if name.startswith("head.")}


def detectron2_state(family: str, first: int, depths: tuple[int, ...] = (2, 2, 2, 2)) -> dict[str, Tensor]:
    """A state with the names and shapes that detectron2 has, of random values. first: the finest pyramid level."""
    torch.manual_seed(3)
    state: dict[str, Tensor] = {}

    def convolution(name: str, ins: int, outs: int, side: int, norm: bool = False, bias: bool = True) -> None:
        state[f"{name}.weight"] = torch.randn(outs, ins, side, side)
        if bias:
            state[f"{name}.bias"] = torch.randn(outs)
        if norm:
            state.update({f"{name}.norm.{kind}": torch.rand(outs) for kind in ("weight", "bias")})
            state.update({f"{name}.norm.running_{kind}": torch.rand(outs) for kind in ("mean", "var")})

    convolution("backbone.bottom_up.stem.conv1", 3, 64, 7, norm=True, bias=False)
    ins = 64
    for stage, depth in enumerate(depths, 2):
        width, outs = 64 << (stage - 2), 256 << (stage - 2)
        for block in range(depth):
            prefix = f"backbone.bottom_up.res{stage}.{block}"
            if block == 0:
                convolution(f"{prefix}.shortcut", ins, outs, 1, norm=True, bias=False)
            convolution(f"{prefix}.conv1", ins, width, 1, norm=True, bias=False)
            convolution(f"{prefix}.conv2", width, width, 3, norm=True, bias=False)
            convolution(f"{prefix}.conv3", width, outs, 1, norm=True, bias=False)
            ins = outs
        if stage >= first:
            convolution(f"backbone.fpn_lateral{stage}", ins, CHANNELS, 1)
            convolution(f"backbone.fpn_output{stage}", CHANNELS, CHANNELS, 3)
    HEADS[family](convolution, state)
    return state


def one_stage_head(anchors: int) -> Callable[..., None]:
    def head(convolution: Callable[..., None], state: dict[str, Tensor]) -> None:
        for level in ("p6", "p7"):
            convolution(f"backbone.top_block.{level}", CHANNELS, CHANNELS, 3)
        for tower in ("cls_subnet", "bbox_subnet"):
            for number in range(4):
                convolution(f"head.{tower}.{3 * number}", CHANNELS, CHANNELS, 3, bias=anchors == 1)
                state.update(
                    {f"head.{tower}.{3 * number + 1}.{kind}": torch.rand(CHANNELS) for kind in ("weight", "bias")}
                )
        convolution("head.cls_score", CHANNELS, anchors * CLASSES, 3)
        convolution("head.bbox_pred", CHANNELS, anchors * 4, 3)
        if anchors == 1:
            convolution("head.ctrness", CHANNELS, 1, 3)

    return head


def two_stage_head(convolution: Callable[..., None], state: dict[str, Tensor]) -> None:
    convolution("proposal_generator.rpn_head.conv", CHANNELS, CHANNELS, 3)
    convolution("proposal_generator.rpn_head.objectness_logits", CHANNELS, 3, 1)
    convolution("proposal_generator.rpn_head.anchor_deltas", CHANNELS, 12, 1)
    sizes = {"box_head.fc1": (128, CHANNELS * 49), "box_head.fc2": (128, 128)}
    sizes |= {"box_predictor.cls_score": (CLASSES + 1, 128), "box_predictor.bbox_pred": (4 * CLASSES, 128)}
    for name, size in sizes.items():
        state[f"roi_heads.{name}.weight"], state[f"roi_heads.{name}.bias"] = torch.randn(size), torch.randn(size[0])


def mask_head(convolution: Callable[..., None], state: dict[str, Tensor]) -> None:
    two_stage_head(convolution, state)
    for number in range(1, 5):
        convolution(f"roi_heads.mask_head.mask_fcn{number}", CHANNELS, CHANNELS, 3)
    convolution("roi_heads.mask_head.deconv", CHANNELS, CHANNELS, 2)
    convolution("roi_heads.mask_head.predictor", CHANNELS, CLASSES, 1)


HEADS: dict[str, Callable[..., None]] = {
    "fcos": one_stage_head(1),
    "retinanet": one_stage_head(9),
    "faster_rcnn": two_stage_head,
    "mask_rcnn": mask_head,
}
SAME = {
    "backbone.bottom_up.res3.1.conv2.weight": "backbone.body.layer2.1.conv2.weight",
    "backbone.bottom_up.res5.0.conv3.norm.running_var": "backbone.body.layer4.0.bn3.running_var",
    "backbone.bottom_up.res2.0.shortcut.weight": "backbone.body.layer1.0.downsample.0.weight",
    "backbone.bottom_up.res2.0.shortcut.norm.bias": "backbone.body.layer1.0.downsample.1.bias",
    "backbone.bottom_up.stem.conv1.norm.weight": "backbone.body.bn1.weight",
    "backbone.top_block.p7.bias": "backbone.fpn.extra_blocks.p7.bias",
    "head.ctrness.weight": "head.regression_head.bbox_ctrness.weight",
    "proposal_generator.rpn_head.anchor_deltas.weight": "rpn.head.bbox_pred.weight",
    "roi_heads.box_head.fc2.weight": "roi_heads.box_head.fc7.weight",
    "roi_heads.mask_head.mask_fcn3.weight": "roi_heads.mask_head.2.0.weight",
    "roi_heads.mask_head.deconv.weight": "roi_heads.mask_predictor.conv5_mask.weight",
}


class TestDetectron2:
    """What the real library computes with these weights is compared where it is installed."""

    @pytest.mark.parametrize(("family", "first"), [("fcos", 3), ("retinanet", 3), ("faster_rcnn", 2), ("mask_rcnn", 2)])
    def test_every_tensor_finds_its_place(self, tmp_path: Path, family: str, first: int) -> None:
        given = detectron2_state(family, first)
        detector, weights, ledger = started_from(saved(tmp_path, {"model": given, "iteration": 7}), config_of(family))
        assert (weights.family, weights.class_count) == (family, CLASSES)
        assert not weights.absent and not weights.unused and ledger.parameters_copied_share == 1
        state = state_of(detector)
        for theirs, ours in SAME.items():
            if theirs in given:
                assert torch.equal(state[f"model.{ours}"], given[theirs]), ours
        coarsest = f"model.backbone.fpn.inner_blocks.{5 - first}.0.weight"
        assert torch.equal(state[coarsest], given["backbone.fpn_lateral5.weight"])

    def test_masks_of_each_class_become_their_mean(self, tmp_path: Path) -> None:
        given = detectron2_state("mask_rcnn", 2)
        detector, _, _ = started_from(saved(tmp_path, given), config_of("mask_rcnn"))
        ours = state_of(detector)["model.roi_heads.mask_predictor.mask_fcn_logits.weight"]
        torch.testing.assert_close(ours, given["roi_heads.mask_head.predictor.weight"].mean(dim=0, keepdim=True))

    def test_background_is_the_first_logit_here(self, tmp_path: Path) -> None:
        given = detectron2_state("faster_rcnn", 2)
        detector, _, _ = started_from(saved(tmp_path, given), config_of("faster_rcnn"))
        theirs = given["roi_heads.box_predictor.cls_score.bias"]
        ours = state_of(detector)["model.roi_heads.box_predictor.cls_score.bias"]
        assert ours.tolist() == [theirs[-1], *theirs[:-1]]

    def test_anchors_are_ordered_by_ratio_and_then_size_here(self, tmp_path: Path) -> None:
        given = detectron2_state("retinanet", 3)
        detector, _, _ = started_from(saved(tmp_path, given), config_of("retinanet"))
        ours = state_of(detector)["model.head.classification_head.cls_logits.bias"].reshape(3, 3, CLASSES)
        theirs = given["head.cls_score.bias"].reshape(3, 3, CLASSES)
        for size in range(3):
            for ratio in range(3):
                assert torch.equal(ours[ratio, size], theirs[size, ratio])

    def test_caffe_input_gives_the_same_from_our_normalized_pixels(self, tmp_path: Path) -> None:
        given, config = detectron2_state("fcos", 3), config_of("fcos", "resnet26.caffe")
        detector, _, _ = started_from(saved(tmp_path, given), config)
        pixels = torch.rand(1, 3, 20, 20) * 255
        mean = torch.tensor([123.675, 116.28, 103.53])[:, None, None]
        theirs = functional.conv2d((pixels - mean).flip(1), given["backbone.bottom_up.stem.conv1.weight"])
        normalized = (pixels - mean) / torch.tensor(PIXEL_STD_RGB)[:, None, None]
        ours = functional.conv2d(normalized, state_of(detector)["model.backbone.body.conv1.weight"])
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=0.5)

    def test_caffe_backbones_have_their_strides_in_the_first_convolution(self) -> None:
        strides = {}
        for name in ("resnet26", "resnet26.caffe"):
            block = built(config_of("fcos", name), seed=0).features.body.layer2[0]  # type: ignore[index]
            strides[name] = (block.conv1.stride, block.conv2.stride)  # type: ignore[union-attr]
        assert strides == {"resnet26": ((1, 1), (2, 2)), "resnet26.caffe": ((2, 2), (1, 1))}

    def test_a_backbone_without_bottlenecks_cannot_be_caffes(self) -> None:
        with pytest.raises(CasslError, match="bottlenecks") as caught:
            built(config_of("fcos", "resnet18.caffe"), seed=0)
        assert caught.value.reason == "CONFIG_INVALID"


class TestBackbones:
    def state(self, name: str) -> tuple[Detector, dict[str, Tensor]]:
        detector, prefix = built(config_of("fcos", name), seed=1), "model.backbone.body."
        state = state_of(detector)
        return detector, {key.removeprefix(prefix): state[key] for key in state if key.startswith(prefix)}

    @pytest.mark.parametrize("name", ["resnet26", "convnext_atto"])
    def test_of_timm_fill_the_backbone_alone(self, tmp_path: Path, name: str) -> None:
        _, state = self.state(name)
        dotted = {key.replace("stages_", "stages.").replace("stem_", "stem."): state[key].contiguous() for key in state}
        save_file({**dotted, "head.fc.weight": torch.zeros(10, 5)}, tmp_path / "weights.safetensors")
        _, weights, ledger = started_from(tmp_path / "weights.safetensors", config_of("fcos", name))
        shares = ledger.copied_share_by_part
        assert weights.family == "backbone" and list(weights.unused) == ["head.fc.weight"]
        assert (shares["backbone"], shares["fpn"], shares["box_tower"]) == (1, 0, 0)

    def test_of_caffe2_get_neutral_statistics(self, tmp_path: Path) -> None:
        layers = {"shortcut": "1", "conv1": "2a", "conv2": "2b", "conv3": "2c"}
        blobs = {"fc1000_w": np.zeros((1000, 2048), np.float32)}
        for name, tensor in detectron2_state("fcos", 6).items():
            parts = name.split(".")
            if parts[1] != "bottom_up" or "running" in name:
                continue
            kind = name.removeprefix(".".join(parts[: parts.index("norm") if "norm" in parts else -1]) + ".")
            suffix = {"weight": "_w", "norm.weight": "_bn_s", "norm.bias": "_bn_b"}[kind]
            if parts[2] == "stem":
                blobs["conv1_w" if suffix == "_w" else f"res_conv1{suffix}"] = tensor.numpy()
            else:
                blobs[f"{parts[2]}_{parts[3]}_branch{layers[parts[4]]}{suffix}"] = tensor.numpy()
        (tmp_path / "R-26.pkl").write_bytes(pickle.dumps(blobs, protocol=2))
        detector, weights, ledger = started_from(tmp_path / "R-26.pkl", config_of("fcos", "resnet26.caffe"))
        assert ledger.copied_share_by_part["backbone"] == 1 and list(weights.unused) == ["fc1000_w"]
        state = state_of(detector)
        variance = state["model.backbone.body.layer3.1.bn2.running_var"]
        assert torch.allclose(variance + 1e-5, torch.ones_like(variance))
        assert np.array_equal(state["model.backbone.body.layer1.0.conv2.weight"], blobs["res2_0_branch2b_w"])


class Harmful:
    """What a pickle file can do to who reads it without care."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.path),)


class TestFiles:
    @pytest.mark.parametrize("protocol", [2, 3, 4, 5])
    def test_pickled_arrays_are_read(self, tmp_path: Path, protocol: int) -> None:
        arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "count": np.int64(3), "__author__": "someone"}
        (tmp_path / "a.pkl").write_bytes(pickle.dumps({"model": arrays}, protocol))
        assert read_state(tmp_path / "a.pkl")["a"].tolist() == [[0, 1, 2], [3, 4, 5]]

    @pytest.mark.parametrize("write", [pickle.dump, lambda what, file: torch.save(what, file)])
    def test_files_that_would_run_code_are_refused_and_run_none(self, tmp_path: Path, write: Any) -> None:
        with (tmp_path / "a.pkl").open("wb") as file:
            write({"model": {"a": np.zeros(2, np.float32), "b": Harmful(tmp_path / "owned")}}, file)
        with pytest.raises(CasslError, match=r"a\.pkl is not a file of weights") as caught:
            read_state(tmp_path / "a.pkl")
        assert caught.value.reason == "WEIGHTS_MISMATCH" and not (tmp_path / "owned").exists()

    @pytest.mark.parametrize(
        "content", [b"", b"no weights", b"PK\x03\x04", pickle.dumps([1]), pickle.dumps({"a": 1}), b"\x80\x04"]
    )
    def test_files_without_tensors_are_refused(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a.pth").write_bytes(content)
        with pytest.raises(CasslError, match=r"a\.pth") as caught:
            read_state(tmp_path / "a.pth")
        assert caught.value.reason == "WEIGHTS_MISMATCH"

    def test_numbers_that_are_none_are_named(self, tmp_path: Path) -> None:
        path = saved(tmp_path, {"fine": torch.ones(2), "broken": torch.tensor([math.nan])})
        with pytest.raises(CasslError, match="`broken` has values that are not finite"):
            read_state(path)

    def test_weights_of_another_detector_are_refused_with_how_many_fit(self, tmp_path: Path) -> None:
        path = saved(tmp_path, to_torchvision(Weights("fcos", 2, state_of(built(config_of("fcos", "resnet18"), 1)))))
        config = config_of("fcos", "convnext_atto")
        with pytest.raises(CasslError, match=r"Only \d+ of the \d+ tensors of weights\.pth fit") as caught:
            starting_weights(path, built(config, 1), config)
        assert caught.value.reason == "WEIGHTS_MISMATCH"

    def test_weights_of_cassl_are_read_as_they_are(self, tmp_path: Path) -> None:
        config = config_of("fcos", "resnet18")
        state = state_of(built(config, seed=1))
        save_weights(tmp_path / "weights.safetensors", Weights("fcos", CLASSES, state))
        weights = starting_weights(tmp_path / "weights.safetensors", built(config, seed=2), config)
        assert weights.tensors.keys() == state.keys() and not weights.absent


def test_ledger_names_what_is_left_of_the_file_and_of_the_detector(tmp_path: Path) -> None:
    config = config_of("fcos", "resnet18")
    state = to_torchvision(Weights("fcos", CLASSES, state_of(built(config, seed=1))))
    state["backbone.fpn.extra_blocks.p6.weight"] = torch.zeros(CHANNELS, 512, 3, 3)
    del state["backbone.fpn.extra_blocks.p7.bias"]
    _, _, ledger = started_from(saved(tmp_path, state), config)
    odd = {
        (entry["name"], entry["action"]): entry["reason"]
        for entry in json.loads(json.dumps(ledger.as_json()))["tensors"]
        if entry["action"] != "copied"
    }
    level = "backbone.fpn.extra_blocks.p6.weight"
    assert "it is [32, 512, 3, 3] in weights.pth" in odd[(f"model.{level}", "reinitialized")]
    assert "no tensor" in odd[("model.backbone.fpn.extra_blocks.p7.bias", "reinitialized")]
    assert odd[(level, "dropped")] and len(odd) == 3
