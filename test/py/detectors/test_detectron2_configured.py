"""Models that configurations of detectron2 describe, with the real library."""

import pickle
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from detector_cases import FASTER, FOLDERS, SIDE_PX, SMALL, missing_backend
from tiny import CARRIED, solver
from training import train

from cassl.v1.task_pb2 import DetectorConfig, Detectron2Config, InitFrom, TrainTask

from cassl_worker.checkpoint import Weights, save_weights, state_of
from cassl_worker.data import Dataset
from cassl_worker.detectors import build_detector, gives_masks
from cassl_worker.detectors.imagenet import FOLDER_VARIABLE
from cassl_worker.detectors.interface import Detector, Target
from cassl_worker.errors import CasslError
from cassl_worker.export import to_onnx
from cassl_worker.foreign_weights import starting_weights, under_our_names
from cassl_worker.records import Checkpoint, Trained
from cassl_worker.transplant import transplant

MISSING = missing_backend("detectron2")
pytestmark = [
    pytest.mark.skipif(MISSING is not None, reason=MISSING or ""),
    pytest.mark.usefixtures("one_thread"),
]
MODELS = {
    FASTER: SMALL,
    "COCO-Detection/retinanet_R_50_FPN_1x.yaml": SMALL,
    "COCO-Detection/fcos_R_50_FPN_1x.py": ["model.head.conv_dims=[256]"],
    "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_1x.yaml": SMALL,
    "Misc/cascade_mask_rcnn_R_50_FPN_1x.yaml": SMALL,
}
ROTATED = [
    "MODEL.PROPOSAL_GENERATOR.NAME=RRPN",
    "MODEL.ANCHOR_GENERATOR.NAME=RotatedAnchorGenerator",
    "MODEL.RPN.BBOX_REG_WEIGHTS=(1.0,1.0,1.0,1.0,1.0)",
]
LEVELS = {"4": "p2", "8": "p3", "16": "p4", "32": "p5"}


def configured(name: str, overrides: list[str], weights: str = "none", family: str | None = None) -> DetectorConfig:
    return DetectorConfig(
        family=family or ("detectron2_segmenter" if "mask" in name else "detectron2"),
        backbone_weights=weights,
        input_width_px=SIDE_PX,
        input_height_px=SIDE_PX,
        proposals=20,
        detectron2=Detectron2Config(config=name, overrides=overrides),
    )


def resnet50(family: str, backbone: str) -> DetectorConfig:
    return DetectorConfig(
        family=family,
        backbone=backbone,
        backbone_weights="none",
        input_width_px=SIDE_PX,
        input_height_px=SIDE_PX,
        fpn_channels=256,
        head_convolutions=1,
        strides_px=[4, 8, 16, 32, 64],
        proposals=20,
    )


def images(count: int) -> torch.Tensor:
    shape = (count, SIDE_PX, SIDE_PX, 3)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.manual_seed(count))


def refused(name: str, overrides: list[str], family: str | None = None) -> str:
    with pytest.raises(CasslError) as caught:
        build_detector(configured(name, overrides, family=family), 3)
    assert caught.value.reason == "CONFIG_INVALID"
    return f"{caught.value.message} {caught.value.remedy}"


@pytest.mark.parametrize("name", MODELS)
def test_models_of_the_zoo_have_losses_candidates_parts_and_a_whole_ledger(name: str) -> None:
    torch.manual_seed(0)
    one, many = (build_detector(configured(name, MODELS[name]), class_count) for class_count in (1, 3))
    given = Weights(configured(name, []).family, 1, {key: tensor.clone() for key, tensor in state_of(one).items()})
    ledger = transplant(many, 3, given, given.family, InitFrom(carry=[*CARRIED, "mask_head"]))
    afresh = {entry.name for entry in ledger.tensors if entry.action == "reinitialized"}
    assert afresh == many.names_in("class_predictor") and "backbone" in {entry.part for entry in ledger.tensors}
    masks = torch.ones(1, SIDE_PX, SIDE_PX, dtype=torch.bool) if gives_masks(given.family) else None
    target = Target(torch.tensor([[8.0, 8, 60, 60]]), torch.tensor([2]), masks)
    assert all(loss.isfinite() for loss in many.losses(images(1), [target]).values())
    with torch.inference_mode():
        boxes, scores, *_ = many.dense(images(2))
    assert boxes.shape == (2, scores.shape[1], 4) and scores.shape[2] == 3


def test_exported_model_equals_the_detector() -> None:
    torch.manual_seed(0)
    detector = build_detector(configured(FASTER, SMALL), 2)
    session = onnxruntime.InferenceSession(to_onnx(detector, SIDE_PX, SIDE_PX).SerializeToString())
    with torch.inference_mode():
        expected = detector.dense(images(3))
    for ours, theirs in zip(session.run(["boxes", "scores"], {"images": images(3).numpy()}), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-2)


@pytest.mark.parametrize("name", [FASTER, "COCO-Detection/retinanet_R_50_FPN_1x.yaml"])
def test_resumed_training_equals_straight_training_bit_for_bit(name: str, rectangles: Dataset, tmp_path: Path) -> None:
    task = TrainTask(detector=configured(name, SMALL), solver=solver(4, checkpoint_every=2), seed=1)
    cpu = torch.device("cpu")
    straight = list(train(task, rectangles, device=cpu, scratch=tmp_path, init_from=None, resume_from=None))
    (checkpoint,) = (event for event in straight if isinstance(event, Checkpoint))
    (end,) = (event for event in straight if isinstance(event, Trained))
    expected = end.weights.read_bytes()
    list(train(task, rectangles, device=cpu, scratch=tmp_path, init_from=None, resume_from=checkpoint.path))
    assert end.weights.read_bytes() == expected


class TestTransfer:
    """Between ResNet-50 with a pyramid of torchvision's and of detectron2's kind; the same features of an image."""

    TORCH_STRIDES = "MODEL.RESNETS.STRIDE_IN_1X1=False"
    RGB = ("MODEL.PIXEL_MEAN=[123.675,116.28,103.53]", "MODEL.PIXEL_STD=[58.395,57.12,57.375]")

    @pytest.mark.parametrize("overrides", [[], ["MODEL.PIXEL_STD=[57.375,57.12,58.395]"]])
    def test_to_detectron2(self, overrides: list[str]) -> None:
        source = build_detector(resnet50("faster_rcnn", "resnet50"), 1)
        scatter(source)
        target = build_detector(configured(FASTER, [self.TORCH_STRIDES, *overrides]), 3)
        given = Weights("faster_rcnn", 1, state_of(source))
        ledger = transplant(target, 3, given, "detectron2", InitFrom(carry=CARRIED))
        assert ledger.copied_share_by_part["backbone"] == ledger.copied_share_by_part["fpn"] == 1
        assert_same_features(source, target)

    def test_from_detectron2_with_bgr_and_the_strides_of_caffe(self) -> None:
        source = build_detector(configured(FASTER, []), 3)
        scatter(source)
        target = build_detector(resnet50("faster_rcnn", "resnet50.caffe"), 3)
        state, ours = (
            {name.removeprefix("model."): tensor for name, tensor in state_of(source).items()},
            state_of(target),
        )
        with torch.no_grad():
            for name, item in under_our_names(state, target, caffe=True).items():
                if name.startswith("model.backbone."):
                    ours[name].copy_(item.tensor)
        assert_same_features(target, source)

    @pytest.mark.parametrize(
        ("overrides", "backbone"),
        [
            ([TORCH_STRIDES], "resnet50"),
            ([TORCH_STRIDES, "INPUT.FORMAT=RGB", *RGB], "resnet50"),
            ([], "resnet50.caffe"),
        ],
    )
    def test_of_a_warm_up_model_of_detectron2(self, overrides: list[str], backbone: str, tmp_path: Path) -> None:
        source = build_detector(configured(FASTER, overrides), 1)
        scatter(source)
        save_weights(tmp_path / "warm", Weights("detectron2", 1, state_of(source), form=source.resnet_form))
        config = resnet50("faster_rcnn", backbone)
        target = build_detector(config, 3)
        given = starting_weights(tmp_path / "warm", target, config)
        ledger = transplant(target, 3, given, "faster_rcnn", InitFrom(carry=CARRIED))
        assert ledger.copied_share_by_part["backbone"] == ledger.copied_share_by_part["fpn"] == 1
        assert_same_features(target, source)

    @pytest.mark.parametrize("name", ["COCO-Detection/retinanet_R_50_FPN_1x.yaml", FASTER])
    def test_coarser_levels_that_are_made_in_another_way_start_afresh(self, name: str) -> None:
        theirs = build_detector(configured(name, [self.TORCH_STRIDES]), 1)
        config = resnet50("retinanet", "resnet50")
        config.strides_px[:] = [8, 16, 32, 64, 128] if "retinanet" in name else [4, 8, 16, 32, 64, 128]
        ours = build_detector(config, 1)
        for source, target, families in (
            (theirs, ours, ("detectron2", "retinanet")),
            (ours, theirs, ("retinanet", "detectron2")),
        ):
            given = Weights(families[0], 1, state_of(source), form=source.resnet_form)
            ledger = transplant(target, 1, given, families[1], InitFrom(carry=CARRIED))
            assert ledger.copied_share_by_part["backbone"] == 1
            afresh = {entry.name for entry in ledger.tensors if entry.part == "fpn" and entry.action == "reinitialized"}
            assert all("extra_blocks" in name or "top_block" in name for name in afresh)

    def test_other_strides_and_other_means_are_refused(self) -> None:
        given = Weights("faster_rcnn", 1, state_of(build_detector(resnet50("faster_rcnn", "resnet50"), 1)))
        for overrides in ([], [self.TORCH_STRIDES, "MODEL.PIXEL_MEAN=[1.0,2.0,3.0]"]):
            with pytest.raises(CasslError, match=r"strides|subtracts") as caught:
                transplant(
                    build_detector(configured(FASTER, overrides), 3), 3, given, "detectron2", InitFrom(carry=CARRIED)
                )
            assert caught.value.reason == "WEIGHTS_MISMATCH"


def scatter(detector: Detector) -> None:
    """Statistics that are not those of a fresh layer, and a first convolution that keeps features near 1."""
    torch.manual_seed(3)
    for name, tensor in state_of(detector).items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
        if name.endswith("running_mean"):
            tensor.normal_(0, 0.1)
        if name == "model.backbone.bottom_up.stem.conv1.weight":
            tensor.mul_(1 / 57)


def assert_same_features(torchvisions: Detector, detectron2s: Detector) -> None:
    with torch.inference_mode():
        ours, theirs = torchvisions.features(images(1)), detectron2s.pyramid(images(1))  # type: ignore[operator]
    for stride, name in LEVELS.items():
        largest = ours[stride].abs().max()
        assert largest > 0.1 and (theirs[name] - ours[stride]).abs().max() < 1e-4 * max(1.0, float(largest))


class TestWeights:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
        return tmp_path

    def write(self, folder: Path, state: dict[str, np.ndarray]) -> None:
        (folder / "R-50.pkl").write_bytes(pickle.dumps({"model": state, "__author__": "tests"}))

    def test_pickled_arrays_of_the_zoo_are_read(self, folder: Path) -> None:
        torch.manual_seed(1)
        source = build_detector(configured(FASTER, SMALL), 3)
        state = {name.removeprefix("model."): tensor.numpy() for name, tensor in state_of(source).items()}
        self.write(folder, state)
        torch.manual_seed(2)
        loaded = state_of(build_detector(configured(FASTER, SMALL, weights="imagenet"), 5))
        copied = [name for name, tensor in state_of(source).items() if torch.equal(loaded[name], tensor)]
        assert len(copied) >= len(loaded) - 4 and "model.backbone.bottom_up.res5.1.conv2.weight" in copied

    def test_file_of_which_most_does_not_fit_is_refused_with_the_number(self, folder: Path) -> None:
        self.write(folder, {f"layer{number}": np.zeros(3, np.float32) for number in range(7)})
        with pytest.raises(CasslError, match="Only 0 of the 7 tensors") as caught:
            build_detector(configured(FASTER, SMALL, weights="imagenet"), 3)
        assert caught.value.reason == "WEIGHTS_MISMATCH"

    def test_file_that_would_run_code_is_refused(self, folder: Path) -> None:
        (folder / "R-50.pkl").write_bytes(b"\x80\x04cos\nsystem\n\x8c\x04true\x85R.")
        with pytest.raises(CasslError, match=r"os\.system") as caught:
            build_detector(configured(FASTER, SMALL, weights="imagenet"), 3)
        assert caught.value.reason == "WEIGHTS_MISMATCH"

    def test_missing_file_is_an_error_that_says_what_to_download(self) -> None:
        with pytest.raises(CasslError, match=r"MSRA/R-50\.pkl") as caught:
            build_detector(configured(FASTER, SMALL, weights="imagenet"), 3)
        assert caught.value.reason == "WORKER_INCOMPLETE"


class TestBadInput:
    @pytest.mark.parametrize("name", ["http://host/a.py", "/etc/a.yaml", "../a.py", "COCO-Detection/a.txt"])
    def test_only_names_inside_of_folders_are_taken(self, name: str) -> None:
        assert "no name of a configuration" in refused(name, [])

    def test_unknown_name_says_where_it_was_looked_for(self) -> None:
        assert FOLDERS in refused("COCO-Detection/none.yaml", [])

    def test_python_runs_from_the_worker_s_own_folders_only(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "mine.py").write_text("raise RuntimeError('it ran')")
        assert "there is no configuration" in refused("mine.py", []).lower()
        monkeypatch.setenv(FOLDERS, str(tmp_path))
        assert "it ran" in refused("mine.py", [])

    def test_base_outside_of_folders_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(FOLDERS, str(tmp_path / "own"))
        (tmp_path / "own").mkdir()
        (tmp_path / "base.yaml").write_text("MODEL: {}")
        for base in ("../base.yaml", "https://host/base.yaml"):
            (tmp_path / "own" / "mine.yaml").write_text(f"_BASE_: {base}")
            assert "has the base" in refused("mine.yaml", [])

    @pytest.mark.parametrize("override", ["MODEL.NO_SUCH_KEY=1", "MODEL.RESNETS.DEPHT=18"])
    def test_keys_that_detectron2_does_not_know_are_named(self, override: str) -> None:
        assert override.partition("=")[0] in refused(FASTER, [override])

    @pytest.mark.parametrize("override", ["SOLVER.BASE_LR=0.1", "MODEL.MASK_ON", "DATASETS.TRAIN=('mine',)"])
    def test_keys_that_would_be_ignored_are_refused(self, override: str) -> None:
        assert "Only model and data mapper can be overridden" in refused(FASTER, [override])

    def test_keys_of_another_model_are_refused(self) -> None:
        message = refused(FASTER, [*SMALL, "MODEL.RETINANET.NUM_CONVS=2"])
        assert "that is built looks at the override `MODEL.RETINANET.NUM_CONVS=2`" in message

    @pytest.mark.parametrize("override", ["MODEL.ROI_HEADS.SCORE_THRESH_TEST=0.5", "MODEL.DEVICE=cuda"])
    def test_keys_that_cassl_does_not_look_at_are_refused(self, override: str) -> None:
        assert "no effect" in refused(FASTER, [override])

    @pytest.mark.parametrize(
        "wrong", ["model.roi_heads.box_predictor.num_classes = 80", "model.roi_heads.mask_head.num_classes = 80"]
    )
    def test_numbers_of_classes_that_disagree_are_refused(
        self, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from cassl_worker.detectors.detectron2.configuration import find

        zoo = find("COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_1x.py")
        (tmp_path / "mine.py").write_text(
            "from detectron2.config import LazyConfig\n"
            f"model = LazyConfig.load({str(zoo)!r}).model\nmodel.input_format = 'BGR'\n{wrong}\n"
        )
        monkeypatch.setenv(FOLDERS, str(tmp_path))
        assert "parts for 3 and 80 classes" in refused("mine.py", [], family="detectron2_segmenter")

    def test_numbers_of_classes_are_those_of_the_data(self) -> None:
        assert "sets a number of classes" in refused(FASTER, ["MODEL.ROI_HEADS.NUM_CLASSES=80"])

    def test_models_with_and_without_masks_have_families_of_their_own(self) -> None:
        assert "gives no masks" in refused(FASTER, SMALL, family="detectron2_segmenter")

    @pytest.mark.parametrize(
        ("name", "overrides", "what"),
        [
            ("COCO-Detection/faster_rcnn_R_50_C4_1x.yaml", [], "the heads Res5ROIHeads"),
            ("COCO-Detection/faster_rcnn_R_50_DC5_1x.yaml", [], "a ResNet without a pyramid"),
            ("COCO-Keypoints/keypoint_rcnn_R_50_FPN_1x.yaml", SMALL, "a keypoint head"),
            ("COCO-PanopticSegmentation/panoptic_fpn_R_50_1x.yaml", SMALL, "the architecture PanopticFPN"),
            (FASTER, [*SMALL, *ROTATED], "the proposal generator RRPN"),
        ],
    )
    def test_models_that_cassl_cannot_train_are_refused(self, name: str, overrides: list[str], what: str) -> None:
        assert f"has {what}, which cassl cannot train" in refused(name, overrides, family="detectron2")

    def test_deformable_convolutions_need_the_compiled_part(self) -> None:
        from cassl_worker.detectron2_probe import probe

        found = probe()
        if found is None or found.has_extension:
            pytest.skip("detectron2 has its compiled part here")
        with pytest.raises(CasslError, match=r"_C") as caught:
            build_detector(configured(FASTER, ["MODEL.RESNETS.DEFORM_ON_PER_STAGE=[False,True,True,True]"]), 3)
        assert caught.value.reason == "WORKER_INCOMPLETE"
