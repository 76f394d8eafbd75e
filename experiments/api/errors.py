"""Every error of the REST API as problem+json (RFC 9457) with `errors: [{path, message}]`.

Maps exceptions to answers and nothing else; must not decide what a request may do.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from http import HTTPStatus
from json import JSONDecodeError, dumps
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError

from experiments.api.limits import count_stranger
from experiments.problems import Problem, ProblemsError
from experiments.services.limits import StaleLimitsError
from experiments.services.refused import Refused
from experiments.services.transitions import StaleState
from experiments.storage.base import StorageError

MEDIA_TYPE = "application/problem+json"
NOT_FOUND = "Nothing of yours has this address. Check the id and the workspace you belong to."
NO_CREDENTIALS = (
    "Sign in, or send the header 'Authorization: Bearer TOKEN'; "
    "`studio token create NAME` makes a token."
)

logger = logging.getLogger("studio.api")


class UnreadableBodyError(Exception):
    """The body is not what its content type says; carries where reading stopped."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


class ConflictError(Exception):
    """The request is right, but the object is in a state that does not allow it."""


class MediaTypeError(Exception):
    """The body has a type that the operation does not read."""


def problem_response(
    status: int, detail: str, problems: Iterable[Problem] = (), **headers: str
) -> HttpResponse:
    """Return a problem document; without problems the detail itself is the only entry."""
    listed = list(problems) or [Problem("", detail)]
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": [{"path": p.path, "message": p.message} for p in listed],
    }
    response = HttpResponse(dumps(document), status=status, content_type=MEDIA_TYPE)
    for name, value in headers.items():
        response[name.replace("_", "-")] = value
    return response


def json_problem(error: JSONDecodeError) -> Problem:
    """Say where a JSON text stops being one."""
    return Problem(
        f"line {error.lineno}, column {error.colno}", f"The body is not JSON: {error.msg}."
    )


def install_handlers(api: NinjaAPI) -> None:
    """Answer every exception of `api` with a problem document."""
    for kind, handler in _HANDLERS.items():
        api.add_exception_handler(kind, handler)


def _on_problems(request: HttpRequest, error: Any) -> HttpResponse:
    count = len(error.problems)
    detail = "One value is wrong." if count == 1 else f"{count} values are wrong."
    return problem_response(422, f"{detail} Nothing was created or changed.", error.problems)


def _on_unreadable(request: HttpRequest, error: Any) -> HttpResponse:
    return problem_response(400, "The body cannot be read.", [error.problem])


def _on_invalid(request: HttpRequest, error: Any) -> HttpResponse:
    problems = [Problem(_location(e["loc"]), f"{e['msg']}.") for e in error.errors]
    return problem_response(422, "The request does not have the documented form.", problems)


def _location(parts: tuple[str | int, ...]) -> str:
    """Write ("body", "reports", 0, "value") as `[0].value`, as in a specification."""
    path = ""
    # The first part names the place (query, path, body), the second of a body our variable.
    for part in parts[2:] if parts[0] == "body" else parts[1:]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def _on_missing(request: HttpRequest, error: Any) -> HttpResponse:
    return problem_response(404, NOT_FOUND)


def _on_unauthenticated(request: HttpRequest, error: Any) -> HttpResponse:
    try:
        count_stranger(request)
    except Throttled as throttled:
        return _on_throttled(request, throttled)
    detail = str(error) if str(error) != "Unauthorized" else NO_CREDENTIALS
    return problem_response(401, detail, WWW_Authenticate='Bearer realm="Sweep Studio"')


def _on_throttled(request: HttpRequest, error: Any) -> HttpResponse:
    wait = max(1, int(error.wait or 1))
    text = f"Too many requests; the next one is taken in {wait} s."
    return problem_response(429, text, Retry_After=str(wait))


def _on_http_error(request: HttpRequest, error: Any) -> HttpResponse:
    if isinstance(error.__cause__, JSONDecodeError):
        return problem_response(400, "The body cannot be read.", [json_problem(error.__cause__)])
    if isinstance(error.__cause__, UnicodeDecodeError):
        return problem_response(400, "The body cannot be read: it is not UTF-8 text.")
    if isinstance(error.__cause__, MediaTypeError):
        return _on_media_type(request, error.__cause__)
    if isinstance(error.__cause__, RequestDataTooBig):
        return _on_too_big(request, error)
    return problem_response(error.status_code, str(error))


def _on_media_type(request: HttpRequest, error: Any) -> HttpResponse:
    return problem_response(415, str(error))


def _on_changed(request: HttpRequest, error: Any) -> HttpResponse:
    return problem_response(412, str(error))


def _on_too_big(request: HttpRequest, error: Any) -> HttpResponse:
    return problem_response(413, "The body is too large for this operation.")


def _on_conflict(request: HttpRequest, error: Any) -> HttpResponse:
    return problem_response(409, str(error))


def _on_stale(request: HttpRequest, error: Any) -> HttpResponse:
    return problem_response(409, "Its state changed meanwhile; read it again and decide anew.")


def _on_storage(request: HttpRequest, error: Any) -> HttpResponse:
    logger.error("%s %s: %s", request.method, request.path, error)
    return problem_response(503, str(error), Retry_After="30")


def _on_bug(request: HttpRequest, error: Any) -> HttpResponse:
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return problem_response(500, "The studio failed at this request; its log has the traceback.")


_HANDLERS: dict[type[Exception], Any] = {
    Exception: _on_bug,
    ProblemsError: _on_problems,
    UnreadableBodyError: _on_unreadable,
    ValidationError: _on_invalid,
    Http404: _on_missing,
    ObjectDoesNotExist: _on_missing,
    AuthenticationError: _on_unauthenticated,
    Throttled: _on_throttled,
    HttpError: _on_http_error,
    RequestDataTooBig: _on_too_big,
    ConflictError: _on_conflict,
    MediaTypeError: _on_media_type,
    StaleLimitsError: _on_changed,
    Refused: _on_conflict,
    StaleState: _on_stale,
    StorageError: _on_storage,
}
