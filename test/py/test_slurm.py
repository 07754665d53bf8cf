"""The job script for Slurm, run by bash with stand-ins for Slurm's commands on its path."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/slurm/cassl-workers.sbatch"
DEADLINE_SECONDS = 60.0
RECORD = """#!/usr/bin/env bash
echo "${0##*/} $*" >> "$CALLS"
"""
SRUN = (
    RECORD
    + """
# Ends when scancel has signalled the step, or at once with the code that the test asks for.
if [[ $STEP_CODE == signalled ]]; then
  until grep -q ^scancel "$CALLS"; do sleep 0.05; done
  exit 75
fi
exit "$STEP_CODE"
"""
)


class Slurm:
    """Its commands, which write down what they are called with."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.calls = folder, folder / "calls"
        for name, text in {"srun": SRUN, "scontrol": RECORD, "scancel": f"{RECORD}sleep 1\n"}.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        self.calls.touch()

    def start(self, step_code: str, *arguments: str) -> "subprocess.Popen[str]":
        environment = {
            **os.environ,
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "CALLS": str(self.calls),
            "STEP_CODE": step_code,
            "SLURM_JOB_ID": "17",
            "SLURM_ARRAY_JOB_ID": "12",
            "SLURM_ARRAY_TASK_ID": "5",
        }
        return subprocess.Popen(
            ["bash", SCRIPT, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, step_code: str, *arguments: str) -> tuple[int, list[str]]:
        process = self.start(step_code, *arguments)
        process.communicate(timeout=DEADLINE_SECONDS)
        return process.returncode, self.lines()

    def lines(self) -> list[str]:
        return self.calls.read_text().splitlines()


@pytest.fixture
def slurm(tmp_path: Path) -> Slurm:
    return Slurm(tmp_path)


def test_shellcheck_finds_nothing() -> None:
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert shellcheck is not None, "install the extra `dev`"
    found = subprocess.run([shellcheck, "--severity=style", SCRIPT], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


def test_starts_a_worker_of_its_own_name_with_the_options_given(slurm: Slurm) -> None:
    code, (step,) = slurm.run("0", "host:7070", "--cache", "a folder")
    assert code == 0
    assert step.startswith("srun --ntasks=1 cassl-worker --controller host:7070 --name ")
    assert "-12-5 " in step and step.endswith("--preempted-exit-code 75 --cache a folder")


@pytest.mark.parametrize("step_code", ["75", "143"])
def test_a_worker_that_slurm_made_leave_queues_again(slurm: Slurm, step_code: str) -> None:
    code, calls = slurm.run(step_code, "host:7070")
    assert (code, calls[1:]) == (0, ["scontrol requeue 17"])


@pytest.mark.parametrize("step_code", ["0", "2", "137"])
def test_one_that_its_controller_let_go_or_that_failed_does_not(slurm: Slurm, step_code: str) -> None:
    code, calls = slurm.run(step_code, "host:7070")
    assert (code, calls[1:]) == (int(step_code), [])


def test_before_the_time_limit_the_worker_is_told_to_leave_and_waited_for(slurm: Slurm) -> None:
    process = slurm.start("signalled", "host:7070")
    until = time.monotonic() + DEADLINE_SECONDS
    while not slurm.lines() and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGUSR1)
    process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0
    assert slurm.lines()[1:] == ["scancel --signal=TERM 17", "scontrol requeue 17"]


def test_says_what_is_missing(slurm: Slurm) -> None:
    process = slurm.start("0")
    _, said = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 2 and "HOST:PORT" in said and slurm.lines() == []
