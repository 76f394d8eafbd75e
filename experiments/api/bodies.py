"""Bodies that are not plain JSON models: a specification as JSON or YAML, an uploaded zip.

Turns bytes into Python values; what the values mean is checked elsewhere.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

import yaml
from django.http import HttpRequest, UnreadablePostError
from ninja.errors import HttpError

from experiments.api.errors import MediaTypeError, UnreadableBodyError, json_problem
from experiments.problems import Problem
from experiments.space.literals import brief
from experiments.spec import load_yaml

YAML_TYPES: Final = frozenset(
    {"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"}
)
_JSON_TYPES: Final = frozenset(
    {"", "application/json", "text/json", "application/x-www-form-urlencoded"}
)
_IN_MEMORY: Final = 1 << 20
_BLOCK: Final = 1 << 16


def read_mapping(request: HttpRequest) -> dict[str, Any]:
    """Return the body as a mapping: YAML when the content type says so, JSON otherwise.

    Raises:
        MediaTypeError: the content type is neither.
        UnreadableBodyError: not UTF-8, not JSON or YAML, or not a mapping.
    """
    is_yaml = request.content_type in YAML_TYPES
    if not is_yaml:
        check_json_type(request, "JSON or YAML", "application/json or application/yaml")
    try:
        text = request.body.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = Problem(f"byte {error.start}", "The body is not UTF-8 text.")
        raise UnreadableBodyError(problem) from error
    value = _parse_yaml(text) if is_yaml else _parse_json(text)
    if not isinstance(value, dict):
        found = "empty" if value is None else brief(value)
        problem = Problem("", f"The body is {found}; it must be a mapping of names to values.")
        raise UnreadableBodyError(problem)
    return value


def check_json_type(
    request: HttpRequest, read: str = "JSON", types: str = "application/json"
) -> None:
    """Refuse a body that says of itself that it is no JSON.

    Without a type, or with the one that `curl --data` sends by itself, it is read as JSON.

    Raises:
        MediaTypeError: it has another type.
    """
    given = str(request.content_type or "")
    if given in _JSON_TYPES or given.endswith("+json"):
        return
    text = f"The body is {given[:80]!r}; this operation reads {read}: send Content-Type: {types}."
    raise MediaTypeError(text)


def take_digest(raw: dict[str, Any]) -> str | None:
    """Take the snapshot out of a specification: formats of other systems do not know it."""
    digest = raw.pop("snapshot", None)
    return None if digest is None else str(digest)


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableBodyError(json_problem(error)) from error
    except ValueError as error:
        raise UnreadableBodyError(Problem("", f"The body is not JSON: {error}.")) from error
    except RecursionError as error:
        raise UnreadableBodyError(Problem("", "The body is nested too deeply.")) from error


def _parse_yaml(text: str) -> Any:
    try:
        return load_yaml(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = Problem(where, f"The body is not YAML: {error.problem}.")
        raise UnreadableBodyError(problem) from error
    except (yaml.YAMLError, ValueError) as error:
        raise UnreadableBodyError(Problem("", f"The body is not YAML: {error}")) from error
    except RecursionError as error:
        raise UnreadableBodyError(Problem("", "The body is nested too deeply.")) from error


@contextmanager
def upload(request: HttpRequest, limit: int) -> Iterator[IO[bytes]]:
    """Give the raw body as a seekable file of at most `limit` bytes.

    Django's own limit is for bodies kept in memory, and this one never is.

    Raises:
        MediaTypeError: it came as a form, so it is not the file itself.
    """
    if request.content_type == "multipart/form-data":
        raise MediaTypeError(
            "The body is a form; send the file itself, as curl --data-binary @FILE does."
        )
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        try:
            while block := request.read(_BLOCK):
                if file.tell() + len(block) > limit:
                    raise HttpError(
                        413,
                        f"The zip is larger than {limit // 1024**2} MB; leave out what the "
                        "script does not need (.amlignore).",
                    )
                file.write(block)
        except UnreadablePostError as error:
            raise HttpError(400, "The upload broke off; send it again.") from error
        file.seek(0)
        yield file
