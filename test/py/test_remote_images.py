"""Remote images, from a server on this machine that behaves, and misbehaves in every way that it can."""

import hashlib
import importlib.util
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from cassl_worker import remote_images
from cassl_worker.data import ImageRecord
from cassl_worker.errors import CasslError
from cassl_worker.images import decode
from cassl_worker.remote_images import ImageCache, most_bytes


def jpeg_of(size: tuple[int, int]) -> bytes:
    file = BytesIO()
    Image.effect_noise(size, 50).convert("RGB").save(file, "JPEG")
    return file.getvalue()


CONTENT = jpeg_of((40, 30))
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    requests: list[str]
    server: ThreadingHTTPServer

    def do_HEAD(self) -> None:
        self.answer(200, CONTENT, body=False)

    def do_GET(self) -> None:
        self.requests.append(self.path)
        match self.path:
            case "/image.jpg" | "/bucket/image.jpg":
                self.answer(200, CONTENT)
            case "/moved.jpg":
                self.answer(302, b"", location="/image.jpg")
            case "/elsewhere.jpg":
                self.answer(302, b"", location=f"http://localhost:{self.server.server_port}/image.jpg")
            case "/cut.jpg":
                self.answer(200, CONTENT[:100], length=len(CONTENT))
                self.close_connection = True
            case "/long.jpg":
                self.answer(200, CONTENT, length=len(CONTENT) - 10)
                self.close_connection = True
            case "/other.jpg":
                self.answer(200, jpeg_of((40, 30)))
            case "/slow.jpg":
                self.answer(200, CONTENT[:100], length=len(CONTENT))
                time.sleep(1)
            case "/busy.jpg" if self.requests.count(self.path) >= 3:
                self.answer(200, CONTENT)
            case "/busy.jpg" | "/broken.jpg":
                self.answer(503, b"busy")
            case _:
                self.answer(404, b"nothing here")

    def answer(
        self, status: int, content: bytes, *, length: int | None = None, location: str = "", body: bool = True
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.send_header("Last-Modified", "Thu, 26 Nov 2026 00:00:00 GMT")
        self.send_header("ETag", '"1"')
        if location:
            self.send_header("Location", location)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(remote_images, "PAUSES_SECONDS", (0.01, 0.01))
    Handler.requests = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def cache(tmp_path: Path) -> ImageCache:
    return ImageCache(tmp_path / "images", 10**9)


def failure(cache: ImageCache, uri: str) -> CasslError:
    with pytest.raises(CasslError) as caught:
        cache.read(uri, SHA256)
    return caught.value


def test_the_environment_says_how_much_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for given, expected in {"": 20e9, "1.5": 1.5e9, "0": 0}.items():
        monkeypatch.setenv("CASSL_IMAGE_CACHE_GB", given)
        assert most_bytes() == expected
    for given in ("much", "-1", "inf", "nan"):
        monkeypatch.setenv("CASSL_IMAGE_CACHE_GB", given)
        with pytest.raises(CasslError, match=f"`{given}`") as caught:
            most_bytes()
        assert caught.value.reason == "CONFIG_INVALID"


class TestFetching:
    def test_an_image_is_fetched_once(self, server: str, cache: ImageCache) -> None:
        for _ in range(3):
            assert cache.read(f"{server}/image.jpg", SHA256) == CONTENT
        assert Handler.requests == ["/image.jpg"]

    def test_an_image_is_decoded_like_one_on_this_machine(self, server: str, cache: ImageCache, tmp_path: Path) -> None:
        record = ImageRecord(1, f"{server}/image.jpg", SHA256, 40, 30, ())
        assert decode(record, tmp_path, cache).size == (40, 30)
        with pytest.raises(CasslError, match="no folder to keep it in"):
            decode(record, tmp_path)

    def test_a_redirect_to_the_same_host_is_followed(self, server: str, cache: ImageCache) -> None:
        assert cache.read(f"{server}/moved.jpg", SHA256) == CONTENT

    def test_a_redirect_to_another_host_is_not(self, server: str, cache: ImageCache) -> None:
        error = failure(cache, f"{server}/elsewhere.jpg")
        assert (error.reason, "localhost" in error.message) == ("IMAGE_INVALID", True)
        assert Handler.requests == ["/elsewhere.jpg"]

    def test_a_server_that_recovers_is_asked_again(self, server: str, cache: ImageCache) -> None:
        assert cache.read(f"{server}/busy.jpg", SHA256) == CONTENT
        assert len(Handler.requests) == 3

    @pytest.mark.parametrize("name", ["broken.jpg", "cut.jpg"])
    def test_what_stays_broken_is_named(self, server: str, cache: ImageCache, name: str) -> None:
        error = failure(cache, f"{server}/{name}")
        assert (error.reason, name in error.message) == ("IMAGE_UNREACHABLE", True)
        assert len(Handler.requests) == 3

    def test_a_server_that_stalls_is_given_up(
        self, server: str, cache: ImageCache, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(remote_images, "TIMEOUT_SECONDS", 0.1)
        monkeypatch.setattr(remote_images, "HTTP_OPTIONS", remote_images.http_options())
        assert failure(cache, f"{server}/slow.jpg").reason == "IMAGE_UNREACHABLE"

    @pytest.mark.parametrize("name", ["gone.jpg", "other.jpg"])
    def test_what_is_gone_or_has_changed_is_refused(self, server: str, cache: ImageCache, name: str) -> None:
        error = failure(cache, f"{server}/{name}")
        assert (error.reason, name in error.message) == ("IMAGE_INVALID", True)
        assert len(Handler.requests) == 1
        assert list(cache.folder.glob("*/*")) == []

    def test_more_bytes_than_announced_are_no_image(self, server: str, cache: ImageCache) -> None:
        # Whether the rest is seen as an answer to nothing depends on when it arrives.
        assert failure(cache, f"{server}/long.jpg").reason in {"IMAGE_INVALID", "IMAGE_UNREACHABLE"}
        assert list(cache.folder.glob("*/*")) == []

    def test_no_other_scheme_is_read(self, cache: ImageCache, tmp_path: Path) -> None:
        (tmp_path / "image.jpg").write_bytes(CONTENT)
        error = failure(cache, (tmp_path / "image.jpg").as_uri())
        assert (error.reason, "file:" in error.message) == ("IMAGE_INVALID", True)

    def test_a_host_that_is_not_there_is_named(self, cache: ImageCache, server: str) -> None:
        assert failure(cache, "http://127.0.0.1:9/image.jpg").reason == "IMAGE_UNREACHABLE"

    def test_buckets_of_s3_are_read(self, server: str, cache: ImageCache, monkeypatch: pytest.MonkeyPatch) -> None:
        if importlib.util.find_spec("s3fs") is None:
            print("skipped: s3fs is not installed")
            pytest.skip("s3fs is not installed")
        for name, value in {"ACCESS_KEY_ID": "id", "SECRET_ACCESS_KEY": "key", "ENDPOINT_URL": server}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        assert cache.read("s3://bucket/image.jpg", SHA256) == CONTENT


class TestCache:
    def test_what_was_damaged_is_fetched_again(self, server: str, cache: ImageCache) -> None:
        cache.read(f"{server}/image.jpg", SHA256)
        (cache.folder / SHA256[:2] / SHA256).write_bytes(b"damaged")
        assert cache.read(f"{server}/image.jpg", SHA256) == CONTENT
        assert len(Handler.requests) == 2

    def test_what_was_not_used_for_longest_goes_first(self, tmp_path: Path) -> None:
        cache = ImageCache(tmp_path, 1000)
        for age, name in enumerate("cab"):
            path = tmp_path / "00" / name
            cache.add(path, bytes(300))
            os.utime(path, (1000 - age, 1000 - age))
        cache.add(tmp_path / "00/d", bytes(300))
        assert sorted(path.name for path in tmp_path.glob("*/*")) == ["a", "c", "d"]

    def test_threads_may_share_it(self, server: str, tmp_path: Path) -> None:
        caches = [ImageCache(tmp_path, 10_000) for _ in range(4)]
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda n: caches[n % 4].read(f"{server}/image.jpg", SHA256), range(40))
            assert all(content == CONTENT for content in found)
        assert [path.name for path in tmp_path.glob("*/*")] == [SHA256]
