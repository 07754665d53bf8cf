"""Prediction shards over real ZeroMQ: none is lost, whatever becomes of frames and replies."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from controller import TIMEOUT_SECONDS, Answer, FrameRouter, commit

from cassl.v1.error_reason_pb2 import ErrorDetail
from cassl.v1.prediction_frame_pb2 import ShardHeader, ShardReply
from cassl.v1.worker_service_pb2 import TaskAttempt

from cassl_worker import frames
from cassl_worker.errors import CasslError
from cassl_worker.frames import Route, ShardSender
from cassl_worker.records import Shard

ATTEMPT = TaskAttempt(task_id="task", attempt=3)
SHARD_BYTES = 1000
StartRouter = Callable[[Answer], FrameRouter]


@pytest.fixture
def cancelled() -> threading.Event:
    return threading.Event()


@pytest.fixture
def route() -> Iterator[StartRouter]:
    """Starts a ROUTER that answers as it is told."""
    routers: list[FrameRouter] = []

    def start(answer: Answer) -> FrameRouter:
        routers.append(FrameRouter(answer))
        return routers[-1]

    yield start
    for router in routers:
        router.close()


def refusal(header: ShardHeader, reason: str) -> ShardReply:
    detail = ErrorDetail(reason=f"ERROR_REASON_{reason}", message="No.", remedy="Do better.")
    return ShardReply(task_id=header.task_id, shard=header.shard, error=detail)


def shard(number: int) -> Shard:
    return Shard(number, image_count=2, box_count=number, payload=bytes([number]) * SHARD_BYTES)


def sender_to(
    router: FrameRouter, credits: int, cancelled: threading.Event, resend_seconds: float = frames.RESEND_SECONDS
) -> ShardSender:
    """credits: in shards."""
    route = Route(router.endpoint, b"token")
    return ShardSender(lambda: route, ATTEMPT, credits * SHARD_BYTES, cancelled, resend_seconds)


def shards_at(router: FrameRouter) -> list[int]:
    return [header.shard for header, _ in router.arrived]


def test_shards_arrive_whole_and_under_their_hash(route: StartRouter, cancelled: threading.Event) -> None:
    router = route(commit)
    with sender_to(router, 4, cancelled) as sender:
        for number in range(20):
            sender.send(shard(number))
        sender.flush()
    assert router.arrived == [
        (
            ShardHeader(
                version=2,
                token=b"token",
                task_id="task",
                attempt=3,
                shard=number,
                image_count=2,
                box_count=number,
                sha256=hashlib.sha256(shard(number).payload).hexdigest(),
            ),
            shard(number).payload,
        )
        for number in range(20)
    ]


def test_a_shard_whose_reply_is_lost_is_sent_again(route: StartRouter, cancelled: threading.Event) -> None:
    lost: set[int] = set()

    def answer(header: ShardHeader, payload: bytes) -> ShardReply | None:
        if header.shard % 2 == 1 and header.shard not in lost:
            lost.add(header.shard)
            return None
        return commit(header, payload)

    router = route(answer)
    with sender_to(router, 2, cancelled, resend_seconds=0.2) as sender:
        for number in range(6):
            sender.send(shard(number))
        sender.flush()
    assert lost == {1, 3, 5}
    assert set(shards_at(router)) == set(range(6))
    assert all(shards_at(router).count(number) >= 2 for number in lost)


def test_no_more_shards_are_under_way_than_there_are_credits(route: StartRouter, cancelled: threading.Event) -> None:
    release = threading.Event()

    def answer(header: ShardHeader, payload: bytes) -> ShardReply | None:
        return commit(header, payload) if release.is_set() else None

    router = route(answer)
    with sender_to(router, 3, cancelled, resend_seconds=0.2) as sender:
        for number in range(3):
            sender.send(shard(number))
        with ThreadPoolExecutor(1) as executor:
            fourth = executor.submit(sender.send, shard(3))
            router.wait_for_frames(9)  # Each of the three was repeated.
            assert not fourth.done()
            assert set(shards_at(router)) == {0, 1, 2}
            release.set()
            fourth.result(TIMEOUT_SECONDS)
        sender.flush()
    assert set(shards_at(router)) == {0, 1, 2, 3}


def test_a_damaged_frame_is_sent_again(route: StartRouter, cancelled: threading.Event) -> None:
    replies = iter([refusal(ShardHeader(task_id="task"), "FRAME_INVALID")] * 2)
    router = route(lambda header, payload: next(replies, commit(header, payload)))
    with sender_to(router, 1, cancelled) as sender:
        sender.send(shard(0))
        sender.flush()
    assert shards_at(router) == [0, 0, 0]


@pytest.mark.parametrize(("reason", "sends"), [("FRAME_INVALID", frames.MAX_REFUSALS), ("STORAGE_FAILED", 1)])
def test_a_refusal_that_does_not_pass_fails_the_task(
    reason: str, sends: int, route: StartRouter, cancelled: threading.Event
) -> None:
    router = route(lambda header, _: refusal(header, reason))
    with sender_to(router, 1, cancelled) as sender:
        sender.send(shard(0))
        with pytest.raises(CasslError, match=r"No\.") as caught:
            sender.flush()
    assert caught.value.reason == reason
    assert shards_at(router) == [0] * sends


def test_replies_that_are_repeated_or_not_ours_count_for_nothing(
    route: StartRouter, cancelled: threading.Event
) -> None:
    replies = iter(
        [ShardReply(task_id="other", shard=0), ShardReply(task_id="task", shard=9), ShardReply(task_id="task", shard=0)]
    )
    router = route(lambda header, payload: next(replies))
    with sender_to(router, 1, cancelled, resend_seconds=0.2) as sender:
        sender.send(shard(0))
        sender.flush()
    assert shards_at(router) == [0, 0, 0]


def test_waiting_ends_when_the_task_is_cancelled(route: StartRouter, cancelled: threading.Event) -> None:
    def answer(*_: object) -> None:
        cancelled.set()

    router = route(answer)
    with sender_to(router, 1, cancelled) as sender:
        sender.send(shard(0))
        with pytest.raises(CasslError) as caught:
            sender.send(shard(1))
    assert caught.value.reason == "CANCELLED"


def test_shards_outlast_a_router_that_comes_late(cancelled: threading.Event) -> None:
    early = FrameRouter()
    early.close()
    with sender_to(early, 2, cancelled, resend_seconds=0.1) as sender:
        sender.send(shard(0))
        sender.send(shard(1))
        late = FrameRouter(commit, endpoint=early.endpoint)
        sender.flush()
    late.close()
    assert set(shards_at(late)) == {0, 1}


def test_a_router_that_never_answers_is_reported(
    route: StartRouter, cancelled: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "MAX_UNANSWERED_SENDS", 3)
    router = route(lambda header, payload: None)
    with sender_to(router, 1, cancelled, resend_seconds=0.1) as sender:
        sender.send(shard(0))
        with pytest.raises(CasslError, match=router.endpoint) as caught:
            sender.flush()
    assert caught.value.reason == "CONTROLLER_UNREACHABLE"
    assert shards_at(router) == [0, 0, 0]


def test_a_shard_that_is_larger_than_the_credit_goes_alone(route: StartRouter, cancelled: threading.Event) -> None:
    router = route(commit)
    with sender_to(router, 0, cancelled) as sender:
        for number in range(3):
            sender.send(shard(number))
            assert len(sender.pending) == 1
        sender.flush()
    assert shards_at(router) == [0, 1, 2]


def test_an_empty_shard_is_waited_for(route: StartRouter, cancelled: threading.Event) -> None:
    router = route(commit)
    with sender_to(router, 1, cancelled) as sender:
        sender.send(Shard(0, image_count=0, box_count=0, payload=b""))
        sender.flush()
        assert not sender.pending
    assert shards_at(router) == [0]


def test_what_is_unanswered_follows_the_worker_to_another_controller(
    route: StartRouter, cancelled: threading.Event
) -> None:
    first, second = route(lambda *_: None), route(commit)
    routes: list[Route | None] = [Route(first.endpoint, b"old")]
    with ShardSender(lambda: routes[-1], ATTEMPT, 2 * SHARD_BYTES, cancelled) as sender:
        sender.send(shard(0))
        sender.send(shard(1))
        first.wait_for_frames(2)
        routes.append(None)
        with ThreadPoolExecutor(1) as executor:
            flushed = executor.submit(sender.flush)
            routes.append(Route(second.endpoint, b"new"))
            flushed.result(TIMEOUT_SECONDS)
    assert {header.shard for header, _ in second.arrived} == {0, 1}
    assert {header.token for header, _ in second.arrived} == {b"new"}


def test_a_controller_that_does_not_know_the_worker_yet_is_asked_again(
    route: StartRouter, cancelled: threading.Event
) -> None:
    replies = iter([refusal(ShardHeader(task_id="task"), "WORKER_UNKNOWN")])
    router = route(lambda header, payload: next(replies, commit(header, payload)))
    with sender_to(router, 1, cancelled, resend_seconds=0.1) as sender:
        sender.send(shard(0))
        sender.flush()
    assert shards_at(router) == [0, 0]


def test_a_lease_that_has_ended_ends_the_attempt(route: StartRouter, cancelled: threading.Event) -> None:
    router = route(lambda header, _: refusal(header, "LEASE_ENDED"))
    with sender_to(router, 1, cancelled) as sender:
        sender.send(shard(0))
        with pytest.raises(CasslError) as caught:
            sender.flush()
    assert caught.value.reason == "LEASE_ENDED"
    assert shards_at(router) == [0]
