"""What a worker shows and trusts when it dials its controller."""

import subprocess
from pathlib import Path

import grpc
import pytest
from controller import Controller

from cassl.v1.artifact_service_pb2 import StatArtifactRequest
from cassl.v1.artifact_service_pb2_grpc import ArtifactServiceStub

from cassl_worker.channel import open_channel, reachable
from cassl_worker.connection import Connection, read_connection
from cassl_worker.error_details import from_rpc_error
from cassl_worker.errors import CasslError

LOOPBACK, ELSEWHERE = "127.0.0.1:7070", "10.0.0.5:7070"


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CASSL_TOKEN", raising=False)


def secret(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_token_comes_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_connection(LOOPBACK, None, None, None, None) == Connection()
    monkeypatch.setenv("CASSL_TOKEN", "of-environment\n")
    assert read_connection(LOOPBACK, None, None, None, None).token == "of-environment"
    file = secret(tmp_path / "token", b"of-file\n")
    assert read_connection(LOOPBACK, file, None, None, None).token == "of-file"


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CasslError, match="its mode is 644") as refusal:
        read_connection(LOOPBACK, secret(tmp_path / "token", b"x", 0o644), None, None, None)
    assert "chmod 600" in refusal.value.remedy


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CasslError, match="nowhere") as refusal:
        read_connection(LOOPBACK, None, str(tmp_path / "nowhere"), None, None)
    assert refusal.value.reason == "FILE_NOT_FOUND"


def test_a_token_never_goes_to_another_machine_in_plain_text(tmp_path: Path) -> None:
    file = secret(tmp_path / "token", b"x")
    with pytest.raises(CasslError, match="plain text") as refusal:
        read_connection(ELSEWHERE, file, None, None, None)
    assert "--tls-ca" in refusal.value.remedy
    assert read_connection(ELSEWHERE, file, "system", None, None).credentials is not None


@pytest.mark.parametrize("content", [b"", b"two words", b"two\nlines", b"\xff\xfe"])
def test_a_token_file_without_a_token_is_refused(tmp_path: Path, content: bytes) -> None:
    file = secret(tmp_path / "token", content)
    with pytest.raises(CasslError, match=f"{file} does not hold a token") as refusal:
        read_connection(LOOPBACK, file, None, None, None)
    assert refusal.value.reason == "CONFIG_INVALID"


def test_an_empty_variable_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASSL_TOKEN", "")
    assert read_connection(ELSEWHERE, None, None, None, None) == Connection()
    monkeypatch.setenv("CASSL_TOKEN", "two words")
    with pytest.raises(CasslError, match="CASSL_TOKEN does not hold a token"):
        read_connection(LOOPBACK, None, None, None, None)


@pytest.mark.parametrize(
    ("ca", "certificate", "key"), [("system", "cert.pem", None), ("system", None, "key"), (None, "cert.pem", "key")]
)
def test_a_certificate_comes_with_its_key_and_what_to_trust(
    ca: str | None, certificate: str | None, key: str | None
) -> None:
    paths = [None if file is None else Path(file) for file in (certificate, key)]
    with pytest.raises(CasslError, match="belong together"):
        read_connection(LOOPBACK, None, ca, *paths)


def test_files_that_tls_cannot_use_are_refused_before_any_connection(tmp_path: Path) -> None:
    made, other = (certificate_in(tmp_path / name) for name in ("made", "other"))
    assert read_connection(LOOPBACK, None, str(made[0]), *made).credentials is not None
    for ca, certificate, key in ((made[1], *made), (made[0], made[1], made[1]), (made[0], made[0], other[1])):
        with pytest.raises(CasslError, match="cannot be used for TLS") as refusal:
            read_connection(LOOPBACK, None, str(ca), certificate, key)
        assert refusal.value.reason == "CONFIG_INVALID"


def certificate_in(folder: Path) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    folder.mkdir()
    certificate, key = folder / "cert.pem", folder / "key.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost"]
    command = ["openssl", "req", "-x509", *kind, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, capture_output=True, check=True)
    key.chmod(0o600)
    return certificate, key


def test_the_token_is_shown_at_every_call() -> None:
    with Controller() as controller, open_channel(controller.address, Connection("t0ken")) as channel:
        stub = ArtifactServiceStub(channel)
        stub.StatArtifact(StatArtifactRequest())
        assert ("authorization", "Bearer t0ken") in controller.artifacts.metadata
        with pytest.raises(grpc.RpcError) as failure:
            list(stub.GetArtifact(StatArtifactRequest(sha256="x")))
        assert ("authorization", "Bearer t0ken") in controller.artifacts.metadata
        assert from_rpc_error(failure.value, controller.address).reason == "ARTIFACT_NOT_FOUND"


@pytest.mark.parametrize(
    ("endpoint", "reached"),
    [
        ("tcp://127.0.0.1:5000", "tcp://127.0.0.1:5000"),
        ("tcp://192.168.1.2:5000", "tcp://192.168.1.2:5000"),
        ("tcp://0.0.0.0:5000", "tcp://lab.example:5000"),
        ("tcp://[::]:5000", "tcp://lab.example:5000"),
    ],
)
def test_frames_go_to_the_address_that_was_dialed_where_the_controller_listens_on_all(
    endpoint: str, reached: str
) -> None:
    assert reachable(endpoint, "lab.example:7070") == reached
