"""Files of runs on their way to the browser: never run there, never held in memory as a whole."""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Final

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, http_date

from experiments.storage.base import BLOCK
from experiments.storage.trees import Source

# One range; of several the whole file is sent, as RFC 9110 allows.
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_POLICY: Final = "sandbox; default-src 'none'"


def send_file(
    request: HttpRequest, source: Source, name: str, *, offset: int = 0
) -> HttpResponseBase:
    """Send one file as a download of bytes: from `offset` on, or the range that is asked for."""
    size, written = source.size, http_date(source.modified)
    asked = _asked_range(request, size, written)
    if asked is not None and asked[0] >= asked[1]:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    start, end = asked or (min(offset, size), size)
    blocks = source.blocks(start, end)
    response = send_blocks(request, blocks, name, "application/octet-stream")
    response["Content-Length"] = str(end - start)
    response["Accept-Ranges"] = "bytes"
    response["Last-Modified"] = written
    if asked is not None:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return response


def _asked_range(request: HttpRequest, size: int, written: str) -> tuple[int, int] | None:
    """Return what a Range header asks for as (start, end); empty when there is nothing there."""
    match = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if match is None or match[0] == "bytes=-":
        return None
    # The file was replaced since the first part was sent: all of it is sent again.
    if request.headers.get("If-Range", written) != written:
        return None
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size
    end = min(int(last) + 1, size) if last else size
    # A range that ends before it begins is none at all.
    return None if last and int(last) < int(first) else (int(first), end)


def send_archive(
    request: HttpRequest, files: Iterable[tuple[str, Source]], name: str
) -> StreamingHttpResponse:
    """Send files as a zip that is made while it is sent; what vanishes meanwhile is left out."""
    return send_blocks(request, _zip_blocks(files), name, "application/zip")


def send_blocks(
    request: HttpRequest, blocks: Iterator[bytes], name: str, content_type: str
) -> StreamingHttpResponse:
    """Send a file that is made while it is sent."""
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


def _zip_blocks(files: Iterable[tuple[str, Source]]) -> Iterator[bytes]:
    outbox = _Outbox()
    with zipfile.ZipFile(outbox, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, source in files:
            try:
                blocks = source.blocks()
                first = next(blocks, b"")
                info = _entry(name, source.modified)
            except FileNotFoundError:
                continue
            # The length may grow while it is read, so it is written behind the data.
            with archive.open(info, "w", force_zip64=True) as target:
                target.write(first)
                for block in blocks:
                    for start in range(0, len(block), BLOCK):
                        target.write(block[start : start + BLOCK])
                        yield outbox.take()
    yield outbox.take()


def _entry(name: str, modified: float) -> zipfile.ZipInfo:
    moment = time.localtime(modified)[:6]
    # A zip knows the years from 1980 to 2107.
    bounded = min(max(moment, (1980, 1, 1, 0, 0, 0)), (2107, 12, 31, 23, 59, 58))
    info = zipfile.ZipInfo(name, bounded)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info
