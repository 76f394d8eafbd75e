"""What goes over the wire between an MLflow client and the studio: calls, answers, errors.

Knows neither rows nor how bytes travel; asgi.py and views.py bring calls here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from experiments.api.application import finite_json

# The codes that clients know, with the status that decides whether they try again (503 only).
_STATUSES: Final = {
    "BAD_REQUEST": 400,
    "INVALID_PARAMETER_VALUE": 400,
    "MALFORMED_REQUEST": 400,
    "RESOURCE_ALREADY_EXISTS": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "ENDPOINT_NOT_FOUND": 404,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "INVALID_STATE": 409,
    "REQUEST_LIMIT_EXCEEDED": 413,
    "INTERNAL_ERROR": 500,
    "NOT_IMPLEMENTED": 501,
    "TEMPORARILY_UNAVAILABLE": 503,
}


class MlflowError(Exception):
    """A refusal in the form that MLflow clients raise as `MlflowException`."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.status = _STATUSES[code]
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `path` below `/api/2.0/mlflow/`, the credential that came with it."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    body: bytes
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON body."""

    status: int
    body: bytes


def answer(document: Mapping[str, Any], status: int = 200) -> Answer:
    """Return a document as JSON; NaN and infinities are texts, as protobuf writes them."""
    return Answer(status, json.dumps(finite_json(document), allow_nan=False).encode())


def refusal(error: MlflowError) -> Answer:
    """Return an error as clients read it."""
    return answer({"error_code": error.code, "message": str(error)}, error.status)


def wrong(name: str, value: object, allowed: str) -> MlflowError:
    """Return the refusal of a value: which field, what it is, what is allowed."""
    shown = repr(value)
    shown = shown if len(shown) <= 120 else f"{shown[:117]}..."
    return MlflowError("INVALID_PARAMETER_VALUE", f"'{name}' is {shown}; {allowed}.")
