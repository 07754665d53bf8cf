"""A client of the controller in plain grpcio: prints every run with its AP, or with why it failed.

PYTHONPATH=worker-py .venv/bin/python scripts/examples/list_runs.py 127.0.0.1:7070
"""

import hashlib
import json
import sys
from collections.abc import Iterator

import grpc

from cassl.v1.artifact_service_pb2 import GetArtifactRequest
from cassl.v1.artifact_service_pb2_grpc import ArtifactServiceStub
from cassl.v1.controller_service_pb2 import ListRunsRequest, WatchRunRequest
from cassl.v1.controller_service_pb2_grpc import ControllerServiceStub
from cassl.v1.run_pb2 import STATE_SUCCEEDED, Run, State


def all_runs(controller: ControllerServiceStub) -> Iterator[Run]:
    """Newest first, page by page."""
    request = ListRunsRequest(page_size=50)
    while True:
        page = controller.ListRuns(request, timeout=60)
        yield from page.runs
        if page.next_page_token == "":
            return
        request.page_token = page.next_page_token


def fetch(artifacts: ArtifactServiceStub, sha256: str) -> bytes:
    """A whole artifact, whose name is the hash of its bytes."""
    content = b"".join(response.chunk for response in artifacts.GetArtifact(GetArtifactRequest(sha256=sha256)))
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"artifact {sha256} is damaged")
    return content


def outcome(run: Run, artifacts: ArtifactServiceStub) -> str:
    if run.state != STATE_SUCCEEDED:
        return f"{State.Name(run.state).removeprefix('STATE_').lower()} {run.error.message}".rstrip()
    result = json.loads(fetch(artifacts, run.result.sha256))
    return ", ".join(f"{arm['arm']} AP {100 * arm['ap']:.1f}" for arm in result["arms"])


def main(address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        controller, artifacts = ControllerServiceStub(channel), ArtifactServiceStub(channel)
        for run in all_runs(controller):
            # An ended run is replayed; of one that is under way, the stream would go on until its end.
            events = sum(1 for _ in controller.WatchRun(WatchRunRequest(run_id=run.run_id)))
            print(f"{run.run_id}: {outcome(run, artifacts)} ({events} events)")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except grpc.RpcError as error:
        assert isinstance(error, grpc.Call)
        sys.exit(f"{error.code().name}: {error.details()}")
