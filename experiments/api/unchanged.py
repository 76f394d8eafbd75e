"""ETags: an answer that has not changed is not sent again, and an edit names what it was made of.

Every JSON answer to a GET has one. Of a sweep it begins with the version of its limits, which is
what `If-Match` compares: progress of runs is no reason to refuse an edit.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.http import parse_etags

from experiments.problems import Problem, ProblemsError

_VERSION: Final = "studio_version"
_OF_SWEEP: Final = re.compile(r'(?:W/)?"?(\d{1,9})(?:-[0-9a-f]{0,64})?"?')
IF_MATCH: Final[dict[str, Any]] = {"x-if-match": True}


def note_version(request: HttpRequest, version: int) -> None:
    """Let the ETag of the answer begin with the version of what it shows."""
    setattr(request, _VERSION, version)


def wanted_version(request: HttpRequest) -> int | None:
    """Return the version that an edit was made of (`If-Match`); None: of whatever is there.

    Raises:
        ProblemsError: the header has no ETag that this API gave out.
    """
    header = request.headers.get("If-Match", "").strip()
    if not header or header == "*":
        return None
    found = _OF_SWEEP.fullmatch(header)
    if found is None:
        text = f"{header[:80]!r} is no ETag of a sweep; send the one of GET as it is."
        raise ProblemsError([Problem("If-Match", text)])
    return int(found[1])


def unchanged_or(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Give a JSON answer its ETag; return 304 instead where the client has it already."""
    version = getattr(request, _VERSION, None)
    is_read = request.method in ("GET", "HEAD") and response.status_code == 200
    if not isinstance(response, HttpResponse) or not (is_read or version is not None):
        return response
    if not response.headers.get("Content-Type", "").startswith("application/json"):
        return response
    if not response.has_header("ETag"):
        digest = hashlib.sha256(response.content).hexdigest()[:20]
        response["ETag"] = f'"{digest}"' if version is None else f'"{version}-{digest}"'
    patch_cache_control(response, private=True, no_cache=True)
    patch_vary_headers(response, ["Authorization", "Cookie"])
    if is_read and _is_known(request, response["ETag"]):
        return _not_modified(response)
    return response


def _is_known(request: HttpRequest, etag: str) -> bool:
    known = parse_etags(request.headers.get("If-None-Match", ""))
    # A proxy or gzip may have made it weak: compared as the standard says, without the mark.
    return known == ["*"] or etag.removeprefix("W/") in {one.removeprefix("W/") for one in known}


def _not_modified(response: HttpResponse) -> HttpResponse:
    empty = HttpResponse(status=304)
    del empty["Content-Type"]
    for name, value in response.headers.items():
        if name not in ("Content-Type", "Content-Length"):
            empty[name] = value
    return empty
