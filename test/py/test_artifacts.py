"""Artifacts through the cache, over real gRPC."""

import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from controller import ArtifactStore, Controller
from hypothesis import given
from hypothesis import strategies as st

from cassl_worker.artifacts import ArtifactCache, Artifacts
from cassl_worker.channel import FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS, backoff, open_channel
from cassl_worker.errors import CasslError

BLOB = os.urandom(600_000)
SHA256 = hashlib.sha256(BLOB).hexdigest()


@pytest.fixture(scope="module")
def controller() -> Iterator[Controller]:
    with Controller() as controller:
        yield controller


@pytest.fixture
def store(controller: Controller) -> ArtifactStore:
    controller.artifacts.blobs.clear()
    controller.artifacts.calls.clear()
    return controller.artifacts


@pytest.fixture
def channel(controller: Controller) -> Iterator[grpc.Channel]:
    with open_channel(controller.address) as channel:
        yield channel


@pytest.fixture
def cache(tmp_path: Path) -> ArtifactCache:
    return ArtifactCache(tmp_path / "cache")


@pytest.fixture
def artifacts(channel: grpc.Channel, controller: Controller, cache: ArtifactCache) -> Artifacts:
    return Artifacts(channel, controller.address, cache, threading.Event())


def files_in(cache: ArtifactCache) -> list[str]:
    return [path.name for path in cache.folder.rglob("*") if path.is_file()]


def test_an_artifact_is_fetched_once_and_then_comes_from_the_cache(artifacts: Artifacts, store: ArtifactStore) -> None:
    store.put(BLOB)
    assert artifacts.fetch(SHA256).read_bytes() == BLOB
    assert artifacts.fetch(SHA256).read_bytes() == BLOB
    assert store.calls == ["get"]


def test_an_empty_artifact_can_be_stored_and_fetched(
    artifacts: Artifacts, store: ArtifactStore, tmp_path: Path
) -> None:
    (tmp_path / "empty").touch()
    assert artifacts.fetch(artifacts.store(tmp_path / "empty").sha256).read_bytes() == b""


def test_bytes_of_another_hash_are_refused_and_not_kept(
    artifacts: Artifacts, store: ArtifactStore, cache: ArtifactCache
) -> None:
    store.blobs[SHA256] = BLOB[:-1]
    with pytest.raises(CasslError, match=SHA256) as caught:
        artifacts.fetch(SHA256)
    assert caught.value.reason == "ARTIFACT_CORRUPT"
    assert files_in(cache) == []


def test_an_artifact_that_the_controller_lacks_is_named_as_such(artifacts: Artifacts, store: ArtifactStore) -> None:
    with pytest.raises(CasslError) as caught:
        artifacts.fetch(SHA256)
    assert caught.value.reason == "ARTIFACT_NOT_FOUND"
    assert store.calls == ["get"], "only UNAVAILABLE is worth another attempt"


def test_a_cache_that_is_kept_is_checked_by_the_next_process(
    artifacts: Artifacts, store: ArtifactStore, channel: grpc.Channel, controller: Controller, cache: ArtifactCache
) -> None:
    store.put(BLOB)
    artifacts.fetch(SHA256).write_bytes(BLOB[::-1])
    next_process = Artifacts(channel, controller.address, ArtifactCache(cache.folder), threading.Event())
    assert next_process.fetch(SHA256).read_bytes() == BLOB
    assert store.calls == ["get", "get"]


def test_threads_that_fetch_one_artifact_at_a_time_all_get_it(
    artifacts: Artifacts, store: ArtifactStore, cache: ArtifactCache
) -> None:
    store.put(BLOB)
    with ThreadPoolExecutor(8) as executor:
        paths = list(executor.map(artifacts.fetch, [SHA256] * 8))
    assert {path.read_bytes() for path in paths} == {BLOB}
    assert files_in(cache) == [SHA256]


def test_a_file_is_stored_unless_the_controller_has_it(
    artifacts: Artifacts, store: ArtifactStore, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(BLOB)
    refs = [artifacts.store(tmp_path / "file") for _ in range(2)]
    assert [(ref.sha256, ref.size_bytes) for ref in refs] == [(SHA256, len(BLOB))] * 2
    assert store.blobs == {SHA256: BLOB}
    assert store.calls == ["stat", "put", "stat"]


def test_a_controller_that_is_away_for_a_moment_is_asked_again(artifacts: Artifacts, store: ArtifactStore) -> None:
    store.put(BLOB)
    store.unavailable_calls = 2
    assert artifacts.fetch(SHA256).read_bytes() == BLOB
    assert store.calls == ["get"] * 3


def test_a_cancelled_task_neither_fetches_nor_stores(
    artifacts: Artifacts, store: ArtifactStore, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(BLOB)
    artifacts.cancelled.set()
    for call in (lambda: artifacts.fetch(SHA256), lambda: artifacts.store(tmp_path / "file")):
        with pytest.raises(CasslError) as caught:
            call()
        assert caught.value.reason == "CANCELLED"
    assert store.calls == []


class SetLater(threading.Event):
    """Is set from the fourth question on: after those before the two RPCs and before the first chunk."""

    questions = 0

    def is_set(self) -> bool:
        self.questions += 1
        return self.questions >= 4


def test_an_upload_that_is_cancelled_on_its_way_leaves_nothing(
    artifacts: Artifacts, store: ArtifactStore, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(BLOB)
    artifacts.cancelled = SetLater()
    with pytest.raises(CasslError) as caught:
        artifacts.store(tmp_path / "file")
    assert caught.value.reason == "CANCELLED"
    assert store.calls == ["stat", "put"]
    assert store.blobs == {}


@given(st.integers(1, 40))
def test_pauses_grow_to_a_limit(count: int) -> None:
    delays = [delay for delay, _ in zip(backoff(), range(count), strict=False)]
    assert all(0.8 * FIRST_DELAY_SECONDS <= delay <= 1.2 * LONGEST_DELAY_SECONDS for delay in delays)
    assert delays[-1] >= min(0.8 * FIRST_DELAY_SECONDS * 2 ** (count - 1), 0.8 * LONGEST_DELAY_SECONDS)
