"""Runs as MLflow and Weights & Biases have them, by their own libraries: a store of files, and offline."""

import importlib
import io
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cassl_worker import tracking
from cassl_worker.tracking import Point, TrackedRun, batches, flattened, library, point_of, track

RUN = TrackedRun(
    run_id="small-1", name="small", config_hash="0123456789abcdef", config={"seed": 0, "arms": ["supervised"]}
)
STEP = "supervised/finetune"


def event(sequence: int, **what: Any) -> dict[str, Any]:
    return {"sequence": sequence, "at": f"2026-03-01T14:05:{sequence:02d}.000Z", **what}


def trained(sequence: int, iteration: int, loss: float | None) -> dict[str, Any]:
    train = {"iteration": iteration, "losses": {"total": loss}, "learning_rate": 0.1, "images_per_second": 3}
    return event(sequence, step_progress={"step": STEP, "key": "k", "train": train})


ARM = event(4, arm_evaluated={"scope": "supervised", "ap": 0.2, "ap50": 0.4, "ap75": 0.1, "class_agnostic_ap": 0.3})
SUCCEEDED = event(5, state_changed={"state": "STATE_SUCCEEDED"})
EVENTS = [event(1, state_changed={"state": "STATE_RUNNING"}), trained(2, 1, 2.5), trained(3, 2, 2.0), ARM, SUCCEEDED]


def test_numbers_of_an_event_have_the_names_of_the_protocol() -> None:
    point = point_of(trained(2, 1, 2.5))
    assert point == Point(2, STEP, 1, 1772373902.0, {"loss/total": 2.5, "learning_rate": 0.1, "images_per_second": 3})
    assert point_of(SUCCEEDED) is None


def test_a_number_that_is_not_finite_is_left_out() -> None:
    point = point_of(trained(2, 1, None))
    assert point is not None
    assert "loss/total" not in point.metrics


def test_batches_hold_every_line_in_order() -> None:
    lines = [json.dumps({"sequence": n}) + "\n" for n in range(130)]
    read = [line for batch in batches(io.StringIO("".join(lines))) for line in batch]
    assert [line["sequence"] for line in read] == list(range(130))


def test_a_configuration_is_flattened_to_the_paths_of_set() -> None:
    flat = flattened({"seed": 0, "arms": ["supervised"], "stages": {"warmup": {"rounds": 1}}})
    assert flat == {"seed": "0", "arms": '["supervised"]', "stages.warmup.rounds": "1"}


def test_what_a_library_prints_does_not_stand_among_the_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Talkative:
        url, last_sequence = "http://tracked", 0

        def open_run(self, target: str, run: TrackedRun) -> "Talkative":
            print(f"{run['name']} at {target}")
            return self

        def log(self, points: list[Point]) -> None:
            print(points)

        def close(self, state: str | None) -> None:
            print("View run", state)

    monkeypatch.setattr(tracking, "library", lambda name: Talkative())
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(json.dumps(line) + "\n" for line in [RUN, *EVENTS])))
    assert tracking.main("mlflow", "somewhere") == 0
    captured = capsys.readouterr()
    assert [json.loads(line) for line in captured.out.splitlines()] == [{"ready": True}, {"url": "http://tracked"}]
    assert "small at somewhere" in captured.err and "View run SUCCEEDED" in captured.err


class TestMlflow:
    @pytest.fixture
    def store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
        pytest.importorskip("mlflow")
        monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        return tmp_path.as_uri()

    def test_a_run_has_its_curves_its_configuration_and_its_end(self, store: str) -> None:
        client, run_id = self.tracked(store, [EVENTS])
        found = client.get_run(run_id)
        assert found.info.status == "FINISHED"
        assert found.data.params == {"seed": "0", "arms": '["supervised"]'}
        assert found.data.metrics["supervised/ap"] == 0.2
        curve = client.get_metric_history(run_id, f"{STEP}/loss/total")
        assert [(point.step, point.value) for point in curve] == [(1, 2.5), (2, 2.0)]

    def test_a_run_that_is_watched_again_goes_on_where_it_ended(self, store: str) -> None:
        client, run_id = self.tracked(store, [EVENTS[:2], EVENTS, EVENTS])
        assert [run.info.run_id for run in client.search_runs(self.experiments(client))] == [run_id]
        assert len(client.get_metric_history(run_id, f"{STEP}/loss/total")) == 2

    def test_a_run_that_is_no_longer_watched_has_not_ended(self, store: str) -> None:
        client, run_id = self.tracked(store, [EVENTS[:3]])
        assert client.get_run(run_id).info.status == "RUNNING"

    def tracked(self, store: str, watchings: list[list[dict[str, Any]]]) -> tuple[Any, str]:
        from cassl_worker import tracking_mlflow

        for events in watchings:
            tracker = tracking_mlflow.open_run(store, RUN)
            track([events], tracker)
        return tracker.client, tracker.run_id

    def experiments(self, client: Any) -> list[str]:
        return [experiment.experiment_id for experiment in client.search_experiments()]


class TestWandb:
    @pytest.fixture(autouse=True)
    def offline(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("wandb")
        monkeypatch.setenv("WANDB_MODE", "offline")
        monkeypatch.setenv("WANDB_DIR", str(tmp_path))

    def test_a_run_has_its_curves_and_keeps_its_id(self, tmp_path: Path) -> None:
        for events in (EVENTS[:2], EVENTS, EVENTS):
            track([events], library("wandb").open_run("team/project", RUN))
        files = sorted(tmp_path.glob("wandb/offline-run-*/run-*.wandb"))
        assert {file.stem for file in files} == {"run-small-1-01234567"}
        losses = [row[f"{STEP}/loss/total"] for file in files for row in history(file) if f"{STEP}/loss/total" in row]
        assert losses == [2.5, 2.0]


def history(file: Path) -> list[dict[str, Any]]:
    """The rows of a run that Weights & Biases has written offline."""
    messages = importlib.import_module("wandb.proto.wandb_internal_pb2")
    rows = []
    for data in log_records(file.read_bytes()):
        record = messages.Record()
        record.ParseFromString(data)
        if record.HasField("history"):
            items = record.history.item
            rows.append({item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items})
    return rows


def log_records(log: bytes) -> Iterator[bytes]:
    """The whole records of a LevelDB log of one block, after a header of seven bytes: checksum, length, type, data."""
    position, header = 7, struct.Struct("<IHB")
    while position + header.size <= len(log):
        _, length, kind = header.unpack_from(log, position)
        assert kind == 1, "a record that is cut in parts"
        position += header.size
        yield log[position : position + length]
        position += length
