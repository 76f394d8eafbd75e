"""Files of runs on their way to the browser: never run there, never held in memory as a whole."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Final

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

_BLOCK: Final = 256 * 1024
_POLICY: Final = "sandbox; default-src 'none'"


def send_file(
    request: HttpRequest, path: Path, name: str, *, offset: int = 0
) -> StreamingHttpResponse:
    """Send one file as a download of bytes, from `offset` on."""
    response = _stream(request, _blocks(path, offset), name, "application/octet-stream")
    response["Content-Length"] = str(max(0, path.stat().st_size - offset))
    return response


def send_archive(
    request: HttpRequest, files: Iterable[tuple[str, Path]], name: str
) -> StreamingHttpResponse:
    """Send files as a zip that is made while it is sent; what vanishes meanwhile is left out."""
    return _stream(request, _zip_blocks(files), name, "application/zip")


def _stream(
    request: HttpRequest, blocks: Iterator[bytes], name: str, content_type: str
) -> StreamingHttpResponse:
    # Under ASGI Django would collect a plain iterator into a list before it sends anything.
    body = _in_threads(blocks) if isinstance(request, ASGIRequest) else blocks
    response = StreamingHttpResponse(body, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    # A page that a script wrote must not run as one of the studio's.
    response["Content-Security-Policy"] = _POLICY
    # Not compressed once more: the length would be lost, and model files do not shrink.
    response["Content-Encoding"] = "identity"
    return response


async def _in_threads(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    step = sync_to_async(lambda: next(blocks, None), thread_sensitive=False)
    while (block := await step()) is not None:
        yield block


def _blocks(path: Path, offset: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        while block := file.read(_BLOCK):
            yield block


class _Outbox(io.RawIOBase):
    """Where the zip is written to: keeps what was not sent yet."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]  # the stubs do not know buffers
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        """Return what was written since the last call."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def _zip_blocks(files: Iterable[tuple[str, Path]]) -> Iterator[bytes]:
    outbox = _Outbox()
    with zipfile.ZipFile(outbox, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, path in files:
            try:
                source = path.open("rb")
                info = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
            except FileNotFoundError:
                continue
            info.compress_type = zipfile.ZIP_DEFLATED
            # The length may grow while it is read, so it is written behind the data.
            with source, archive.open(info, "w", force_zip64=True) as target:
                while block := source.read(_BLOCK):
                    target.write(block)
                    yield outbox.take()
    yield outbox.take()
