"""Passes the events of a run on to MLflow or Weights & Biases, while the run takes or afterwards.

    python -m cassl_worker.tracking mlflow URI
    python -m cassl_worker.tracking wandb PROJECT

Standard output says {"ready": true} once the library is there, and {"url": ...} once the run is open. The first line
of standard input is a TrackedRun, each further one an event as `cassl run --json` prints it. A run that is tracked
already goes on where it ended: each event is passed on once, however often the run is watched. Exits with 3 if the
library is not installed.
"""

import json
import queue
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TextIO, TypedDict, final

EXIT_PACKAGE_MISSING = 3
MOST_LINES = 50


@final
class TrackedRun(TypedDict):
    """config: with the field names of cassl.yaml."""

    run_id: str
    name: str
    config_hash: str
    config: dict[str, Any]


@dataclass(frozen=True)
class Point:
    """What one event says. sequence: of the event; iteration: of a training, 0 otherwise; seconds: since 1970."""

    sequence: int
    scope: str
    iteration: int
    seconds: float
    metrics: dict[str, float]


class Tracker(Protocol):
    """A run of a tracking service."""

    @property
    def url(self) -> str: ...

    @property
    def last_sequence(self) -> int:
        """Of the last event that was passed on; 0 if there is none."""
        ...

    def log(self, points: list[Point]) -> None: ...

    def close(self, state: str | None) -> None:
        """state: `SUCCEEDED`, `FAILED` or `CANCELLED`; None if the run goes on unwatched."""
        ...


class TrackingLibrary(Protocol):
    """What the modules tracking_mlflow and tracking_wandb have."""

    def open_run(self, target: str, run: TrackedRun) -> Tracker: ...


def library(name: str) -> TrackingLibrary:
    """ImportError if it is not installed."""
    if name == "mlflow":
        from cassl_worker import tracking_mlflow

        return tracking_mlflow
    from cassl_worker import tracking_wandb

    return tracking_wandb


def point_of(event: dict[str, Any]) -> Point | None:
    """None for an event without numbers."""
    sequence, seconds = int(event["sequence"]), datetime.fromisoformat(event["at"]).timestamp()
    if train := event.get("step_progress", {}).get("train"):
        numbers = {f"loss/{name}": loss for name, loss in train["losses"].items()}
        numbers |= {name: train[name] for name in ("learning_rate", "images_per_second")}
        return Point(sequence, event["step_progress"]["step"], train["iteration"], seconds, finite(numbers))
    if arm := event.get("arm_evaluated"):
        numbers = {name: value for name, value in arm.items() if name != "scope"}
        return Point(sequence, arm["scope"], 0, seconds, finite(numbers))
    if gate := event.get("gate_checked"):
        return Point(sequence, gate["scope"], 0, seconds, finite({f"gate/{gate['name']}": gate["value"]}))
    return None


def finite(numbers: dict[str, Any]) -> dict[str, float]:
    """JSON has null for a number that is not finite."""
    return {name: float(value) for name, value in numbers.items() if value is not None}


def end_of(event: dict[str, Any]) -> str | None:
    """The state that an event ends a run in; None if it does not."""
    state = str(event.get("state_changed", {}).get("state", "")).removeprefix("STATE_")
    return state if state in ("SUCCEEDED", "FAILED", "CANCELLED") else None


def track(events: Iterable[list[dict[str, Any]]], tracker: Tracker) -> None:
    """events: in batches, which are passed on together."""
    state = None
    for batch in events:
        points = [point for event in batch if (point := point_of(event)) and point.sequence > tracker.last_sequence]
        if points:
            tracker.log(points)
        for event in batch:
            state = end_of(event) if "state_changed" in event else state
    tracker.close(state)


def batches(lines: Iterable[str]) -> Iterator[list[dict[str, Any]]]:
    """The lines that have come, while the service took its time for those before."""
    waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in lines:
            waiting.put(line)
        waiting.put(None)

    threading.Thread(target=read, daemon=True).start()
    while (line := waiting.get()) is not None:
        batch = [json.loads(line)]
        while len(batch) < MOST_LINES and not waiting.empty():
            line = waiting.get()
            if line is None:
                yield batch
                return
            batch.append(json.loads(line))
        yield batch


def flattened(config: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Dotted paths, as `--set` takes them, and their values."""
    flat: dict[str, str] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            flat |= flattened(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value if isinstance(value, str) else json.dumps(value)
    return flat


def main(name: str, target: str) -> int:
    answers = sys.stdout
    # Libraries print what they like, such as MLflow the address of a run that ends; the answers are to stand alone.
    with redirect_stdout(sys.stderr):
        return answer(name, target, answers)


def answer(name: str, target: str, answers: TextIO) -> int:
    try:
        opened = library(name)
    except ImportError as error:
        print(error, file=sys.stderr)
        return EXIT_PACKAGE_MISSING
    print(json.dumps({"ready": True}), file=answers, flush=True)
    first = sys.stdin.readline()
    if first == "":
        return 0
    try:
        tracker = opened.open_run(target, json.loads(first))
        print(json.dumps({"url": tracker.url}), file=answers, flush=True)
        track(batches(sys.stdin), tracker)
    except Exception as error:
        # Whatever a service or its library has to say: the run itself goes on without it.
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
