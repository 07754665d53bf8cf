"""How the controller is reached: channel settings and the pauses between attempts."""

import random
import re
from collections.abc import Iterator

import grpc

from cassl_worker.connection import PLAIN, Bearer, Connection

MAX_MESSAGE_BYTES = 16 << 20
"""Of control messages: bulk data travels in chunks or over ZeroMQ."""
UNARY_DEADLINE_SECONDS = 60.0
"""For an RPC with one request and one answer."""
KEEPALIVE_SECONDS = 30
KEEPALIVE_TIMEOUT_SECONDS = 10
FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 10.0
JITTER = 0.2
"""Relative; keeps the workers of a restarted controller from dialing in all at once."""

OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # A peer that is gone without a word is noticed within 40 s.
    ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1000),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_SECONDS * 1000),
    # The session has longer pauses of its own.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # ZeroMQ knows no HTTP proxies, so one that only gRPC passes is of no use; and none must stand before loopback.
    ("grpc.enable_http_proxy", 0),
)


def open_channel(address: str, connection: Connection = PLAIN) -> grpc.Channel:
    """address: HOST:PORT."""
    if connection.credentials is None:
        channel = grpc.insecure_channel(address, options=OPTIONS)
    else:
        channel = grpc.secure_channel(address, connection.credentials, options=OPTIONS)
    return channel if connection.token is None else grpc.intercept_channel(channel, Bearer(connection.token))


def reachable(endpoint: str, address: str) -> str:
    """The controller's ZeroMQ endpoint. Where it listens on all of its addresses: on the one that was dialed."""
    return re.sub(r"^tcp://(0\.0\.0\.0|\[::\]|\*):", f"tcp://{address.rpartition(':')[0]}:", endpoint)


def backoff() -> Iterator[float]:
    """Seconds to wait before the next attempts, growing, without end."""
    delay = FIRST_DELAY_SECONDS
    while True:
        yield delay * random.uniform(1 - JITTER, 1 + JITTER)
        delay = min(2 * delay, LONGEST_DELAY_SECONDS)
