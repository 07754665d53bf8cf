"""What a worker shows and trusts when it dials its controller."""

import os
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import grpc

from cassl_worker.errors import CasslError

SYSTEM = "system"


@dataclass(frozen=True)
class Connection:
    """Files are read once, at the start.

    Attributes:
        token: what `cassl token create` made; None: the controller demands none.
        credentials: of TLS; None: plain text.
    """

    token: str | None = None
    credentials: grpc.ChannelCredentials | None = None


PLAIN = Connection()


def read_connection(
    address: str, token_file: Path | None, ca: str | None, certificate: Path | None, key: Path | None
) -> Connection:
    """CONFIG_INVALID or FILE_NOT_FOUND where the files, or what the environment says, cannot be used together.

    Args:
        address: HOST:PORT of the controller.
        token_file: None: the token in $CASSL_TOKEN, if any.
        ca: path of trusted certificates (PEM), or `system`; None: plain text.
    """
    token = read_token(token_file)
    if (certificate is None) != (key is None) or (certificate is not None and ca is None):
        raise CasslError("CONFIG_INVALID", "--tls-cert, --tls-key and --tls-ca belong together.", "Give all three.")
    if ca is not None:
        return Connection(token, read_credentials(ca, certificate, key))
    if token is not None and not is_loopback(address):
        raise plain_token(address)
    return Connection(token)


def read_token(file: Path | None) -> str | None:
    """file: None: the token in $CASSL_TOKEN, where an empty text is none."""
    given = os.environ.get("CASSL_TOKEN", "") if file is None else read_secret(file).decode("latin1")
    # Secrets that Kubernetes puts into the environment end as their file does, with a line break.
    token = given.strip()
    if re.fullmatch(r"[!-~]+", token):
        return token
    if file is None and token == "":
        return None
    raise CasslError(
        "CONFIG_INVALID",
        f"{'$CASSL_TOKEN' if file is None else file} does not hold a token, which is a single word.",
        "Give what `cassl token create` printed.",
    )


def read_credentials(ca: str, certificate: Path | None, key: Path | None) -> grpc.ChannelCredentials:
    credentials = grpc.ssl_channel_credentials(
        root_certificates=None if ca == SYSTEM else read(Path(ca)),
        private_key=None if key is None else read_secret(key),
        certificate_chain=None if certificate is None else read(certificate),
    )
    check_usable(ca, certificate, key)
    return credentials


def check_usable(ca: str, certificate: Path | None, key: Path | None) -> None:
    """What is wrong with the files gRPC would only find out when it connects, and say in its log."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if ca != SYSTEM:
            context.load_verify_locations(ca)
        if certificate is not None:
            context.load_cert_chain(certificate, key, password=str)
    except ssl.SSLError as error:
        files = " or ".join(str(file) for file in (ca, certificate) if file is not None)
        raise CasslError(
            "CONFIG_INVALID",
            f"{files} cannot be used for TLS: {error}.",
            "Give PEM files, and the key that belongs to the certificate.",
        ) from error


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CasslError("FILE_NOT_FOUND", f"{path} cannot be read: {error}.", "Correct the path.") from error


def read_secret(path: Path) -> bytes:
    """Refuses a file that others than its owner can read."""
    content = read(path)
    mode = path.stat().st_mode & 0o777
    if mode & 0o077 == 0:
        return content
    raise CasslError(
        "CONFIG_INVALID",
        f"{path} can be read by others than its owner: its mode is {mode:o}.",
        f"Run `chmod 600 {path}`; if others may have read it, make a new one.",
    )


def is_loopback(address: str) -> bool:
    host = address.rpartition(":")[0]
    return host in ("localhost", "[::1]") or host.startswith("127.")


def plain_token(address: str) -> CasslError:
    return CasslError(
        "CONFIG_INVALID",
        f"The token would go to {address} in plain text.",
        "Give the authority of the controller's certificate with --tls-ca.",
    )


class CallDetails(NamedTuple):
    """What grpc wants back from an interceptor: `grpc.ClientCallDetails`, which it does not let anybody make."""

    method: str
    timeout: float | None
    metadata: Any
    credentials: Any
    wait_for_ready: bool | None
    compression: Any


class Bearer(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[type-arg]
    grpc.UnaryStreamClientInterceptor,  # type: ignore[type-arg]
    grpc.StreamUnaryClientInterceptor,  # type: ignore[type-arg]
    grpc.StreamStreamClientInterceptor,  # type: ignore[type-arg]
):
    """Shows the token at every call. Call credentials would be simpler, but do not go over plain text."""

    def __init__(self, token: str) -> None:
        self.header = ("authorization", f"Bearer {token}")

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return continuation(self.shown(client_call_details), request)

    def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return continuation(self.shown(client_call_details), request)

    def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return continuation(self.shown(client_call_details), request_iterator)

    def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return continuation(self.shown(client_call_details), request_iterator)

    def shown(self, details: Any) -> CallDetails:
        metadata = (*(details.metadata or ()), self.header)
        rest = (details.credentials, details.wait_for_ready, details.compression)
        return CallDetails(details.method, details.timeout, metadata, *rest)
