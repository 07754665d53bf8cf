"""Images that are not files of this machine: fetched through fsspec, kept in a folder of bounded size.

What an image is fetched from is what the controller's dataset says, and what arrives must have the hash that it says:
only images that were curated are ever seen. A redirect is followed to the same host only.
"""

import hashlib
import os
import random
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import fsspec
from yarl import URL

from cassl_worker.errors import CasslError

SCHEMES = frozenset({"http", "https", "s3"})
MAX_FILE_BYTES = 2**29
"""As curation has it."""
CHUNK_BYTES = 2**18
TIMEOUT_SECONDS = 60.0
PAUSES_SECONDS = (0.25, 1.0, 4.0)
"""Before each attempt after the first."""
LOOK_EVERY = 1 / 16
"""How much of the limit is added before it is looked again whether other processes have added something too."""


def most_bytes() -> int:
    """Of the images that a worker keeps: CASSL_IMAGE_CACHE_GB, else 20 GB. CONFIG_INVALID if that is no such number."""
    given = os.environ.get("CASSL_IMAGE_CACHE_GB") or "20"
    with suppress(ValueError):
        if 0 <= (gigabytes := float(given)) < float("inf"):
            return int(gigabytes * 1e9)
    raise CasslError(
        "CONFIG_INVALID",
        f"The worker's CASSL_IMAGE_CACHE_GB is `{given}`, which is no number of GB.",
        "Set it to a number such as 20, or leave it out, and restart the worker.",
    )


def is_uri(place: str) -> bool:
    return re.match(r"[a-z][a-z0-9+.-]*://", place, re.IGNORECASE) is not None


class ImageCache:
    """Remote images by the SHA-256 of their bytes.

    Threads and processes may share the folder: files appear whole, and the time of their last change is that of their
    last use. What was not used for longest goes first.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self.unseen = max_bytes
        self.lock = threading.Lock()

    def read(self, uri: str, sha256: str) -> bytes:
        """All bytes of an image.

        IMAGE_INVALID if it is no longer there or another one, IMAGE_UNREACHABLE if several attempts do not get it.
        """
        path = self.folder / sha256[:2] / sha256
        with suppress(FileNotFoundError):
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() == sha256:
                with suppress(FileNotFoundError):
                    os.utime(path)
                return content
            path.unlink(missing_ok=True)
        content = fetch(uri)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise invalid(uri, "is no longer the image that was curated")
        self.add(path, content)
        return content

    def add(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".partial-", delete=False) as partial:
            try:
                partial.write(content)
                partial.close()
                Path(partial.name).replace(path)
            finally:
                Path(partial.name).unlink(missing_ok=True)
        with self.lock:
            self.unseen += len(content)
            if self.unseen >= self.max_bytes * LOOK_EVERY:
                self.unseen = 0
                remove_oldest(self.folder, self.max_bytes * (1 - LOOK_EVERY))


def remove_oldest(folder: Path, max_bytes: float) -> None:
    """Until the files take no more than so many bytes. What other processes remove meanwhile is passed over."""
    files = sorted(files_of(folder))
    total = sum(size for _, size, _ in files)
    for _, size, path in files:
        if total <= max_bytes:
            return
        path.unlink(missing_ok=True)
        total -= size


def files_of(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """Time of the last use, size in bytes, path."""
    for path in folder.glob("*/*"):
        with suppress(FileNotFoundError):
            stats = path.stat()
            yield stats.st_mtime, stats.st_size, path


def fetch(uri: str) -> bytes:
    """All bytes behind the URI; see `ImageCache.read`."""
    for pause in (*PAUSES_SECONDS, None):
        try:
            return read_all(uri)
        except CasslError:
            raise
        except FileNotFoundError as error:
            raise invalid(uri, "is not there") from error
        except ImportError as error:
            raise CasslError(
                "WORKER_INCOMPLETE",
                f"{uri} needs a package that is missing: {error}.",
                "Install the worker with the extra `s3`: pip install 'cassl-worker[torch,s3]'.",
            ) from error
        except Exception as error:  # Each file system has its own.
            if pause is None:
                raise CasslError(
                    "IMAGE_UNREACHABLE",
                    f"{uri} cannot be fetched: {error or type(error).__name__}.",
                    "See that the worker can reach it, then run the same command again: it goes on where it stopped.",
                ) from error
            time.sleep(pause * random.uniform(0.5, 1.5))
    raise AssertionError("the last attempt returns or raises")


def read_all(uri: str) -> bytes:
    scheme = uri.split(":", 1)[0].lower()
    if scheme not in SCHEMES:
        raise invalid(uri, f"starts with {scheme}:, which is none of {', '.join(sorted(SCHEMES))}")
    is_http = scheme != "s3"
    file_system, path = fsspec.core.url_to_fs(uri, **(HTTP_OPTIONS if is_http else {}))
    chunks: list[bytes] = []
    size = 0
    # In one request, without asking for the size first.
    with file_system.open(path, "rb", **({"block_size": 0, "size": 1} if is_http else {})) as file:
        while chunk := file.read(CHUNK_BYTES):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_FILE_BYTES:
                raise invalid(uri, f"has more than {MAX_FILE_BYTES} bytes, which can be read at most")
    return b"".join(chunks)


async def refuse_other_hosts(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, redirect: aiohttp.TraceRequestRedirectParams
) -> None:
    target = redirect.url.join(URL(redirect.response.headers.get("Location", "")))
    if target.authority != redirect.url.authority:
        raise invalid(str(redirect.url), f"sends us on to {target.authority}, another host")


def http_options() -> dict[str, Any]:
    redirects = aiohttp.TraceConfig()
    redirects.on_request_redirect.append(refuse_other_hosts)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    return {"client_kwargs": {"trace_configs": [redirects], "timeout": timeout}}


HTTP_OPTIONS = http_options()
"""One object, because fsspec keeps a file system for each set of options."""


def invalid(uri: str, fault: str) -> CasslError:
    return CasslError(
        "IMAGE_INVALID", f"{uri} {fault}.", "Raise `data.remote.version`, so that remote images are looked at again."
    )
