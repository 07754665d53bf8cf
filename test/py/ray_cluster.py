"""A Ray cluster on this machine's loopback: processes in the foreground, ended by their own id, with a token."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

WORKER_PY = Path(__file__).parents[2] / "worker-py"
START_SECONDS = 240.0
STOP_SECONDS = 60.0
OBJECT_STORE_BYTES = 100_000_000
ADDRESS = "127.0.0.2"
"""127.0.0.1 Ray silently replaces by the address of an interface."""


TOKEN = secrets.token_hex(16)
# Ray reads these once, when it is imported.
os.environ |= {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": TOKEN,
    "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "3",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Else Ray's workers wait for everything else that the machine does.
    "RAY_worker_niceness": "0",
}


class RayCluster:
    """
    Attributes:
        head: its process; everything that Ray starts on the node descends from it.
        gcs: HOST:PORT that drivers and nodes join.
        dashboard: URL of the Jobs API.
    """

    def __init__(self, folder: Path, cpus: int) -> None:
        gcs, dashboard, agent = free_ports(3)
        self.gcs, self.dashboard = f"{ADDRESS}:{gcs}", f"http://127.0.0.1:{dashboard}"
        self.head = self.start(
            "--head",
            f"--port={gcs}",
            "--dashboard-host=127.0.0.1",
            f"--dashboard-port={dashboard}",
            f"--dashboard-agent-listen-port={agent}",
            f"--temp-dir={folder}",
            f"--num-cpus={cpus}",
        )

    def start(self, *options: str) -> "subprocess.Popen[bytes]":
        command = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--disable-usage-stats"]
        common = (f"--node-ip-address={ADDRESS}", f"--object-store-memory={OBJECT_STORE_BYTES}")
        return subprocess.Popen(
            [*command, *common, *options],
            env={**os.environ, "PYTHONPATH": str(WORKER_PY)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Signals of a terminal are for the tests alone.
            start_new_session=True,
        )

    def wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        header = {"Authorization": f"Bearer {TOKEN}"}
        while time.monotonic() < until:
            assert self.head.poll() is None, "Ray has ended"
            try:
                if requests.get(f"{self.dashboard}/api/version", headers=header, timeout=10).ok:
                    return
            except requests.RequestException:
                time.sleep(0.5)
        raise AssertionError(f"Ray did not answer within {START_SECONDS:.0f} s")

    def processes(self, title: str) -> list[int]:
        """Those of the cluster that Ray has given a title which begins so."""
        return [pid for pid in descendants(self.head.pid) if title_of(pid).startswith(title)]

    def stop(self) -> None:
        family = descendants(self.head.pid)
        self.head.send_signal(signal.SIGTERM)
        try:
            self.head.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.head.kill()
            self.head.wait()
        for pid in family:
            end(pid)


@contextmanager
def ray_cluster(cpus: int) -> Iterator[RayCluster]:
    # Sockets lie in the folder, and their paths must be short.
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        cluster = RayCluster(Path(folder), cpus)
        try:
            cluster.wait()
            yield cluster
        finally:
            cluster.stop()


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind((ADDRESS, 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def descendants(pid: int) -> list[int]:
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [one for child in children for one in [child, *descendants(child)]]


def title_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
