"""The worker against a controller on real sockets: in this process, and as a process of its own where exits matter."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from controller import TIMEOUT_SECONDS, AttachedWorker, Controller
from tiny import solver, train_task, write_dataset

from cassl.v1.error_reason_pb2 import ErrorReason
from cassl.v1.task_pb2 import Task
from cassl.v1.worker_service_pb2 import CancelTask, Drain, Lease, TaskAttempt

from cassl_worker.errors import CasslError
from cassl_worker.options import parse_options
from cassl_worker.registration import Registration
from cassl_worker.session import Session
from cassl_worker.version import VERSION

WORKER_PY = Path(__file__).parents[2] / "worker-py"
FIRST, SECOND = (TaskAttempt(task_id="task", attempt=attempt) for attempt in (1, 2))


@pytest.fixture
def controller() -> Iterator[Controller]:
    with Controller() as controller:
        yield controller


class RunningSession:
    """A Session in a thread of this process."""

    def __init__(self, address: str, folder: Path, reserved_for: tuple[str, int] | None = None) -> None:
        self.lines: list[str] = []
        registration = Registration("w", reserved_for)
        self.session = Session(address, registration, folder, folder / "cache", self.lines.append)
        self.error: CasslError | None = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        try:
            self.session.run()
        except CasslError as error:
            self.error = error

    def wait_for_end(self) -> None:
        self.thread.join(TIMEOUT_SECONDS)
        assert not self.thread.is_alive()

    def close(self) -> None:
        self.session.close(TIMEOUT_SECONDS)
        self.wait_for_end()


@pytest.fixture
def running(controller: Controller, tmp_path: Path) -> Iterator[RunningSession]:
    running = RunningSession(controller.address, tmp_path)
    yield running
    running.close()


@pytest.fixture
def worker(running: RunningSession, controller: Controller) -> AttachedWorker:
    return controller.next_worker()


def train_lease(controller: Controller, folder: Path, iterations: int, attempt: TaskAttempt = FIRST) -> Lease:
    dataset = controller.artifacts.put(write_dataset(folder, 3))
    task = Task(train=train_task(dataset, solver(iterations)))
    return Lease(task_attempt=attempt, task=task, image_root=str(folder), credit_bytes=1 << 20)


def endless_lease(controller: Controller, folder: Path, attempt: TaskAttempt = FIRST) -> Lease:
    return train_lease(controller, folder, 1_000_000, attempt)


def test_the_worker_says_who_it_is(worker: AttachedWorker) -> None:
    register = worker.register
    assert (register.name, register.version, register.pid) == ("w", VERSION, os.getpid())
    assert "cpu" in register.devices
    assert "torch" in register.backends
    assert register.memory_bytes > 0
    assert "light" in register.families


def test_an_idle_worker_sends_heartbeats(worker: AttachedWorker) -> None:
    for _ in range(3):
        assert not worker.next("heartbeat").HasField("running")


def test_a_lease_leads_to_events_and_a_result(worker: AttachedWorker, controller: Controller, tmp_path: Path) -> None:
    worker.send(lease=train_lease(controller, tmp_path, iterations=1))
    assert worker.next("train_progress").iteration == 1
    result = worker.result()
    assert result.task_attempt == FIRST
    assert result.output.train.weights.sha256 in controller.artifacts.blobs
    assert list(tmp_path.glob("task-*")) == [], "the files of a task go with it"


def test_heartbeats_go_on_while_a_task_keeps_the_cpu_busy(
    worker: AttachedWorker, controller: Controller, tmp_path: Path
) -> None:
    worker.send(lease=endless_lease(controller, tmp_path))
    worker.next("train_progress")
    for _ in range(5):
        assert worker.next("heartbeat").running == FIRST


def test_a_task_that_fails_is_answered_with_the_reason(worker: AttachedWorker) -> None:
    worker.send(lease=Lease(task_attempt=FIRST, task=Task(train=train_task("0" * 64, solver(1)))))
    error = worker.result().error
    assert error.reason == ErrorReason.ERROR_REASON_ARTIFACT_NOT_FOUND
    assert error.trace == ""
    worker.send(lease=Lease(task_attempt=SECOND))
    assert worker.result().error.reason == ErrorReason.ERROR_REASON_VERSION_MISMATCH


def test_a_task_is_cancelled_and_the_next_one_done(
    worker: AttachedWorker, controller: Controller, tmp_path: Path
) -> None:
    worker.send(lease=endless_lease(controller, tmp_path))
    worker.next("train_progress")
    worker.send(cancel=CancelTask(task_attempt=SECOND))
    worker.next("train_progress")
    worker.send(cancel=CancelTask(task_attempt=FIRST))
    assert worker.result().error.reason == ErrorReason.ERROR_REASON_CANCELLED
    worker.send(lease=train_lease(controller, tmp_path, iterations=1, attempt=SECOND))
    assert worker.result().HasField("output")


def test_an_idle_worker_that_is_drained_leaves(running: RunningSession, worker: AttachedWorker) -> None:
    worker.send(drain=Drain())
    worker.wait_for_end()
    running.wait_for_end()
    assert running.error is None


def test_a_busy_worker_that_is_drained_hands_back_its_task_with_a_checkpoint(
    running: RunningSession, worker: AttachedWorker, controller: Controller, tmp_path: Path
) -> None:
    worker.send(lease=endless_lease(controller, tmp_path))
    worker.next("train_progress")
    worker.send(drain=Drain())
    saved = worker.next("checkpoint_saved")
    assert saved.checkpoint.sha256 in controller.artifacts.blobs
    assert worker.result().HasField("handed_back")
    worker.wait_for_end()
    running.wait_for_end()


def test_a_lease_that_crosses_the_worker_s_leaving_is_handed_back(
    running: RunningSession, worker: AttachedWorker, controller: Controller, tmp_path: Path
) -> None:
    worker.send(lease=endless_lease(controller, tmp_path))
    worker.next("train_progress")
    running.session.drain()
    worker.send(lease=endless_lease(controller, tmp_path, attempt=SECOND))
    results = [worker.result(), worker.result()]
    assert all(result.HasField("handed_back") for result in results)
    running.wait_for_end()


def test_a_task_goes_on_while_the_controller_restarts(tmp_path: Path) -> None:
    with Controller() as controller:
        running = RunningSession(controller.address, tmp_path)
        worker = controller.next_worker()
        worker.send(lease=endless_lease(controller, tmp_path))
        before = worker.next("train_progress").iteration
        first = worker.register
    with Controller(port=controller.port) as controller:
        worker = controller.next_worker()
        assert worker.register.instance == first.instance
        assert [held.task_attempt for held in worker.register.held] == [FIRST]
        assert worker.next("train_progress").iteration > before
        worker.send(cancel=CancelTask(task_attempt=FIRST))
        assert worker.result().error.reason == ErrorReason.ERROR_REASON_CANCELLED
        worker.send(lease=train_lease(controller, tmp_path, iterations=1, attempt=SECOND))
        assert worker.result().task_attempt == SECOND
        running.close()
    assert any("Trying to attach again" in line for line in running.lines)


def test_a_result_is_sent_until_it_is_received(worker: AttachedWorker, controller: Controller, tmp_path: Path) -> None:
    worker.send(lease=train_lease(controller, tmp_path, iterations=1))
    first = worker.next("result")
    assert worker.next("result") == first
    assert worker.next("heartbeat").running == FIRST
    worker.result()
    worker.next("heartbeat", until=lambda heartbeat: not heartbeat.HasField("running"))


def test_a_worker_waits_for_a_controller_that_comes_late(tmp_path: Path) -> None:
    with Controller() as controller:
        pass
    running = RunningSession(controller.address, tmp_path)
    with Controller(port=controller.port) as controller:
        controller.next_worker().next("heartbeat")
        running.close()
    assert len([line for line in running.lines if "does not answer" in line]) <= 1, "an outage is reported once"


def test_a_worker_of_another_version_gives_up(tmp_path: Path) -> None:
    with Controller(version="9.9.9") as controller:
        running = RunningSession(controller.address, tmp_path)
        running.wait_for_end()
    assert running.error is not None
    assert (running.error.reason, running.error.remedy) == ("VERSION_MISMATCH", "Update it.")


def test_a_worker_that_is_reserved_for_an_attempt_leaves_after_it(controller: Controller, tmp_path: Path) -> None:
    running = RunningSession(controller.address, tmp_path, ("task", 1))
    worker = controller.next_worker()
    assert worker.register.reserved_for == FIRST
    worker.send(lease=train_lease(controller, tmp_path, 1))
    assert worker.result().HasField("output")
    running.wait_for_end()
    assert running.error is None


def test_a_reserved_worker_gives_up_where_the_controller_stays_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cassl_worker.session.PATIENCE_SECONDS", 0.1)
    with Controller() as controller:
        pass
    running = RunningSession(controller.address, tmp_path, ("task", 1))
    running.wait_for_end()
    assert running.error is not None and running.error.reason == "CONTROLLER_UNREACHABLE"


@contextmanager
def worker_process(address: str, *options: str, python: tuple[str, ...] = ()) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, *python, "-m", "cassl_worker", "--controller", address, *options]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(WORKER_PY)},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def test_the_process_ends_with_its_parent_even_while_it_trains(controller: Controller, tmp_path: Path) -> None:
    env_folder = tmp_path / "tmp"
    env_folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(env_folder))
        with worker_process(controller.address, "--exit-on-stdin-eof") as process:
            worker = controller.next_worker()
            worker.send(lease=endless_lease(controller, tmp_path))
            worker.next("train_progress")
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(TIMEOUT_SECONDS) == 0
            worker.wait_for_end()
    assert list(env_folder.glob("cassl-worker-*")) == []


def test_an_interrupt_ends_the_process(controller: Controller) -> None:
    with worker_process(controller.address) as process:
        worker = controller.next_worker()
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT_SECONDS) == 130
        worker.wait_for_end()


def test_sigterm_drains_the_process(controller: Controller, tmp_path: Path) -> None:
    with worker_process(controller.address, "--preempted-exit-code", "75") as process:
        worker = controller.next_worker()
        worker.send(lease=endless_lease(controller, tmp_path))
        worker.next("train_progress")
        process.send_signal(signal.SIGTERM)
        worker.next("leaving")
        worker.next("checkpoint_saved")
        assert worker.result().HasField("handed_back")
        assert process.wait(TIMEOUT_SECONDS) == 75
        worker.wait_for_end()


def test_a_second_sigterm_ends_the_process_at_once(controller: Controller, tmp_path: Path) -> None:
    with worker_process(controller.address) as process:
        worker = controller.next_worker()
        worker.send(lease=endless_lease(controller, tmp_path))
        worker.next("train_progress")
        process.send_signal(signal.SIGTERM)
        worker.next("result")  # Not acknowledged, so that the drain does not end.
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_SECONDS) == 143


def test_a_drained_process_ends_with_success(controller: Controller) -> None:
    with worker_process(controller.address, "--name", "lab-3", "--preempted-exit-code", "75") as process:
        worker = controller.next_worker()
        assert (worker.register.name, worker.register.pid) == ("lab-3", process.pid)
        worker.send(drain=Drain())
        assert process.wait(TIMEOUT_SECONDS) == 0


def test_a_process_of_another_version_says_what_to_do() -> None:
    with Controller(version="9.9.9") as controller, worker_process(controller.address) as process:
        _, said = process.communicate(timeout=TIMEOUT_SECONDS)
        assert process.returncode == 2
        assert said == "cassl-worker: VERSION_MISMATCH: Too old. Update it.\n"


def test_a_python_without_torch_says_what_to_install() -> None:
    # Without site-packages nothing that was installed is found.
    with worker_process("127.0.0.1:1", python=("-S",)) as process:
        _, said = process.communicate(timeout=TIMEOUT_SECONDS)
        assert process.returncode == 3
        assert re.fullmatch(
            r"cassl-worker: WORKER_INCOMPLETE: .*\btorch\b.* Install with: .* -m pip install '.*\[torch\]'\n", said
        )


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536"])
def test_an_address_without_a_port_is_a_usage_error(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_options(["--controller", address])
    assert ended.value.code == 2
    assert f"`{address}` is not HOST:PORT" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--scratch", "--cache"])
def test_a_folder_that_cannot_be_written_to_is_named(option: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with worker_process("127.0.0.1:1", option, str(file)) as process:
        _, said = process.communicate(timeout=TIMEOUT_SECONDS)
        assert process.returncode == 2
        assert said.startswith("cassl-worker: STORAGE_FAILED: ")
        assert str(file) in said and option in said
