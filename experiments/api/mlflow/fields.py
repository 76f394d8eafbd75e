"""Read the fields of a request, each with its own sentence when it is wrong. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json

from experiments.api.mlflow.wire import Call, MlflowError, wrong
from experiments.storable import is_storable

MOST_NAME: Final = 250
MOST_TEXT: Final = 8000
_MOST_INT: Final = 2**63 - 1
_NUMBER_NAMES: Final = frozenset({"NaN", "Infinity", "-Infinity", "Inf", "-Inf"})


class Fields:
    """The fields of one message; `place` tells where in the request it stands.

    A batch has thousands of fields, so what is as it should be is told first.
    """

    __slots__ = ("_place", "_raw")

    def __init__(self, raw: Mapping[str, Any], place: str = "") -> None:
        self._raw = raw
        self._place = place

    @property
    def raw(self) -> Mapping[str, Any]:
        """The fields as they came."""
        return self._raw

    def has(self, name: str) -> bool:
        """Tell whether a field was sent."""
        return self._raw.get(name) is not None

    def text(self, name: str, default: str | None = None, *, most: int = MOST_NAME) -> str:
        """Return a text; without `default` it must be there and not be empty."""
        value = self._raw.get(name)
        if value is None or (value == "" and default is None):
            if default is not None:
                return default
            raise wrong(self._path(name), value, "it is required and is a text")
        if not isinstance(value, str):
            raise wrong(self._path(name), value, "it must be a text")
        if len(value) > most:
            found = f"it has {len(value)} characters, at most {most} are allowed"
            raise wrong(self._path(name), value, found)
        if not is_storable(value):
            raise wrong(self._path(name), value, "no null character or half a character is allowed")
        return value

    def number(self, name: str) -> float:
        """Return a number that must be there; NaN and infinities may be texts."""
        value = self._raw.get(name)
        if type(value) is float:
            return value
        if isinstance(value, str) and value in _NUMBER_NAMES:
            return float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong(self._path(name), value, "it must be a number")
        try:
            return float(value)
        except OverflowError:
            raise wrong(self._path(name), value, "it must fit into 64 bits") from None

    def whole(
        self, name: str, default: int | None = None, *, least: int = 0, most: int = _MOST_INT
    ) -> int:
        """Return a whole number; JSON of protobuf may write it as text."""
        value = self._raw.get(name)
        if type(value) is int and least <= value <= most:
            return value
        if value is None and default is not None:
            return default
        if isinstance(value, float) and math.isfinite(value) and value == int(value):
            value = int(value)
        if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) <= 20:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            allowed = f"it must be a whole number from {least} to {most}"
            raise wrong(self._path(name), value, allowed)
        return value

    def texts(self, name: str) -> list[str]:
        """Return a list of texts; an absent one is empty."""
        value = self._raw.get(name)
        value = [] if value is None else [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise wrong(self._path(name), value, "it must be a list of texts")
        return value

    def messages(self, name: str, *, most: int = 1000) -> list[Fields]:
        """Return a list of messages; an absent one is empty."""
        objects = self.objects(name, most=most)
        return [Fields(item, f"{self._path(name)}[{i}]") for i, item in enumerate(objects)]

    def objects(self, name: str, *, most: int = 1000) -> list[dict[str, Any]]:
        """Return a list of messages as they came; an absent one is empty."""
        value = self._raw.get(name)
        value = [] if value is None else value
        # Parsed JSON: there are no other kinds of dict. Half the time of a look at each by itself.
        if not isinstance(value, list) or not set(map(type, value)) <= {dict}:
            raise wrong(self._path(name), value, "it must be a list of objects")
        if len(value) > most:
            raise MlflowError(
                "INVALID_PARAMETER_VALUE",
                f"'{self._path(name)}' has {len(value)} entries; at most {most} go in one request.",
            )
        return value

    def message(self, name: str) -> Fields:
        """Return a message within this one; it must be there."""
        value = self._raw.get(name)
        if not isinstance(value, dict):
            raise wrong(self._path(name), value, "it must be an object")
        return Fields(value, self._path(name))

    def with_names(self, named: Mapping[str, str]) -> Fields:
        """Return these fields with those that stand in the address."""
        return Fields({**self._raw, **named}, self._place)

    def _path(self, name: str) -> str:
        return f"{self._place}.{name}" if self._place else name


def fields_of(call: Call) -> Fields:
    """Return the fields of a call: the query of a GET, the JSON body otherwise."""
    if call.method == "GET":
        single = {name: values[-1] for name, values in call.query.items()}
        return Fields({**single, **_lists(call)})
    if not call.body:
        return Fields({})
    try:
        raw = _parsed(call.body)
    except (ValueError, RecursionError) as error:
        raise MlflowError("MALFORMED_REQUEST", f"The body is not JSON: {error}.") from None
    if not isinstance(raw, dict):
        raise MlflowError("MALFORMED_REQUEST", "The body must be a JSON object.")
    return Fields(raw)


def _parsed(body: bytes) -> Any:
    try:
        return from_json(body)
    except ValueError:
        # Half the time, and it takes less: what it refuses is left to the judgement of the other.
        return json.loads(body)


def _lists(call: Call) -> dict[str, list[str]]:
    return {name: call.query[name] for name in ("run_ids", "experiment_ids") if name in call.query}
