"""Weights of ResNets in detectors that take images otherwise, or call them by other names."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from cassl_worker.checkpoint import Weights, read_weights, save_weights
from cassl_worker.detectors.resnet_form import IMAGENET, ResNetForm, in_form, our_names, under_names
from cassl_worker.errors import CasslError

CAFFE = ResNetForm(is_bgr=True, mean=(103.53, 116.28, 123.675), std=(1.0, 1.0, 1.0), strides_in_1x1=True)
BLUE_FIRST = ResNetForm(is_bgr=True, mean=(103.53, 116.28, 123.675), std=(1.0, 2.0, 3.0), strides_in_1x1=False)
EXTRA = "model.backbone.fpn.extra_blocks.p6.weight"
TOP = "model.backbone.top_block.p6.weight"


def seen(image: Tensor, form: ResNetForm, stem: Tensor) -> Tensor:
    """What a first convolution gives of an image, (3, H, W) RGB."""
    pixels = image.flip(0) if form.is_bgr else image
    mean, std = (torch.tensor(values)[:, None, None] for values in (form.mean, form.std))
    return functional.conv2d(((pixels - mean) / std)[None], stem)


@pytest.mark.parametrize(("source", "target"), [(IMAGENET, BLUE_FIRST), (BLUE_FIRST, IMAGENET)])
def test_first_convolution_gives_the_same_of_an_image_in_another_form(source: ResNetForm, target: ResNetForm) -> None:
    torch.manual_seed(0)
    image, given = 255 * torch.rand(3, 9, 9), {"stem": torch.randn(4, 3, 3, 3), "other": torch.randn(2)}
    adapted = in_form(given, "stem", source, target)
    torch.testing.assert_close(
        seen(image, target, adapted["stem"]), seen(image, source, given["stem"]), atol=1e-4, rtol=1e-4
    )
    assert adapted["other"] is given["other"] and in_form(given, "stem", source, source) is given


def test_strides_and_means_that_no_weights_make_up_for_are_refused() -> None:
    given = {"stem": torch.zeros(4, 3, 3, 3)}
    with pytest.raises(CasslError, match=r"in its second convolution, the weights in first") as strides:
        in_form(given, "stem", CAFFE, IMAGENET)
    other = ResNetForm(is_bgr=False, mean=(1.0, 2.0, 3.0), std=(1.0, 1.0, 1.0), strides_in_1x1=False)
    with pytest.raises(CasslError, match=r"subtracts \[1.0, 2.0, 3.0\]") as means:
        in_form(given, "stem", BLUE_FIRST, other)
    assert strides.value.reason == means.value.reason == "WEIGHTS_MISMATCH"


def test_names_of_detectron2_s_backbones_and_pyramids_become_ours_and_heads_keep_theirs() -> None:
    names = our_names(
        [
            "model.backbone.bottom_up.res3.0.conv2.weight",
            "model.backbone.fpn_lateral3.weight",
            "model.backbone.fpn_output4.bias",
            "model.roi_heads.box_head.fc1.weight",
        ]
    )
    assert names == {
        "model.backbone.bottom_up.res3.0.conv2.weight": "model.backbone.body.layer2.0.conv2.weight",
        "model.backbone.fpn_lateral3.weight": "model.backbone.fpn.inner_blocks.0.0.weight",
        "model.backbone.fpn_output4.bias": "model.backbone.fpn.layer_blocks.1.0.bias",
    }


def test_coarser_level_is_renamed_only_where_it_fits() -> None:
    given, fits, other = torch.zeros(2, 2), {EXTRA: torch.zeros(2, 2)}, {EXTRA: torch.zeros(2, 8)}
    assert under_names({TOP: given}, {TOP: EXTRA}, fits) == {EXTRA: given}
    assert under_names({TOP: given}, {TOP: EXTRA}, other) == {TOP: given}


def test_weight_file_says_the_form_of_a_resnet_unlike_torchvision_s(tmp_path: Path) -> None:
    paths = {form: tmp_path / str(number) for number, form in enumerate((CAFFE, IMAGENET, None))}
    for form, path in paths.items():
        save_weights(path, Weights("detectron2", 1, {"weight": torch.zeros(1)}, form=form))
    assert [read_weights(path).form for path in paths.values()] == [CAFFE, None, None]
    assert paths[IMAGENET].read_bytes() == paths[None].read_bytes()
