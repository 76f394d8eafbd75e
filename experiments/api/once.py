"""`Idempotency-Key` of operations that make something: sent again, a request is answered as before.

The decorator of such operations; what is remembered is in services/idempotency.py.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Status
from ninja.operation import Operation
from ninja.utils import contribute_operation_callback

from experiments.api.application import StrictJSONRenderer
from experiments.api.auth import caller_of, person_of
from experiments.api.errors import ConflictError
from experiments.problems import Problem, ProblemsError
from experiments.services.idempotency import (
    ABANDONED_AFTER,
    LONG_ABANDONED_AFTER,
    Claim,
    ClaimLostError,
    KeyInUseError,
    KeyReusedError,
    StoredAnswer,
    claim_key,
    release_claim,
    store_answer,
)

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
MAX_LENGTH: Final = 255
_JSON: Final = "application/json; charset=utf-8"
View = Callable[..., Any]
IsLong = Callable[[HttpRequest], bool]


def _never(request: HttpRequest) -> bool:
    return False


def once(*, is_long: IsLong = _never) -> Callable[[View], View]:
    """Let an operation obey `Idempotency-Key`.

    What it makes and its answer are stored in one transaction, unless `is_long` says that it copies
    files: that must not hold up everybody else's writes.
    """

    def decorate(view: View) -> View:
        operations: list[Operation] = []

        @wraps(view)
        def keyed(request: HttpRequest, *args: Any, **values: Any) -> Any:
            key = _key_of(request)
            if key is None:
                return view(request, *args, **values)
            held = _claimed(request, key, is_long=is_long(request))
            if isinstance(held, StoredAnswer):
                return _answer(held, is_replayed=True)

            def work() -> StoredAnswer:
                made = _rendered(operations[-1], request, view(request, *args, **values))
                store_answer(held, made.status, made.text)
                return made

            return _answer(_worked(held, work, is_whole=not is_long(request)))

        # The names in the annotations are those of the view's module.
        keyed.__dict__["__signature__"] = inspect.signature(view, eval_str=True)
        keyed.__dict__["is_once"] = True
        contribute_operation_callback(keyed, operations.append)
        return keyed

    return decorate


def _key_of(request: HttpRequest) -> str | None:
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 0 < len(key) <= MAX_LENGTH or not key.isascii() or not key.isprintable():
        text = f"The key has {len(key)} characters; use 1 to {MAX_LENGTH} of ASCII, like a UUID."
        raise ProblemsError([Problem(HEADER, text)])
    return key


def _claimed(request: HttpRequest, key: str, *, is_long: bool) -> Claim | StoredAnswer:
    caller = caller_of(request)
    whose = f"run:{caller.run.pk}" if caller.run else f"user:{person_of(request).pk}"
    head = f"{request.method} {request.get_full_path()} {request.content_type}\n"
    digest = hashlib.sha256(head.encode("utf-8", "replace") + request.body).hexdigest()
    patience = LONG_ABANDONED_AFTER if is_long else ABANDONED_AFTER
    try:
        return claim_key(whose, key, digest, patience=patience)
    except KeyInUseError as error:
        raise ConflictError(
            f"A request with this {HEADER} is being worked on; send it again in a moment."
        ) from error
    except KeyReusedError as error:
        text = f"This key was sent within a day with another request; use a new {HEADER}."
        raise ProblemsError([Problem(HEADER, text)]) from error


def _worked(held: Claim, work: Callable[[], StoredAnswer], *, is_whole: bool) -> StoredAnswer:
    try:
        if not is_whole:
            return work()
        with transaction.atomic():
            return work()
    except ClaimLostError as error:
        raise ConflictError(f"Another request with this {HEADER} has taken over.") from error
    except BaseException:
        release_claim(held)
        raise


def _rendered(operation: Operation, request: HttpRequest, result: Any) -> StoredAnswer:
    """Write a result as the operation would: the first answer and its repetitions are the same."""
    status, value = next(iter(operation.response_models)), result
    if isinstance(result, Status):
        status, value = result.status_code, result.value
    form = operation.response_models[status].model_validate({"response": value})
    data = form.model_dump()["response"]
    return StoredAnswer(status, StrictJSONRenderer().render(request, data, response_status=status))


def _answer(made: StoredAnswer, *, is_replayed: bool = False) -> HttpResponseBase:
    response = HttpResponse(made.text, status=made.status, content_type=_JSON)
    if is_replayed:
        response[REPLAYED] = "true"
    return response
