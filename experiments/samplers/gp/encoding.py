"""From configurations to places of the model, and back.

Numbers go to [0, 1]: quantiles for laws without end, equal steps for counted ones, so that listed
numbers such as 16, 32, 64 count by their rank. Options without an order stay apart: the number of
the option is kept, and only "the same or not" matters (`kernels`). Parameters with a single value
are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from experiments.space.base import Expression
from experiments.space.discrete import Choice
from experiments.space.literals import is_number
from experiments.space.space import Params, SearchSpace

Floats = NDArray[np.float64]
# Expressions with more values than this are searched as a continuum and rounded at the end.
_MAX_LEVELS: Final = 200
_DIGITS: Final = 9


class Axis:
    """One parameter: `kind` is "number", "levels" or "options"; `levels`: `(k,)`, its places."""

    def __init__(self, name: str, expression: Expression) -> None:
        self.name = name
        self.expression = expression
        self.values: list[Any] = []
        self.levels: Floats = np.empty(0)
        count = expression.cardinality()
        if isinstance(expression, Choice):
            self.values = expression.values()
            ordered = len(self.values) > 2 and all(_is_plain_number(v) for v in self.values)
            if ordered:
                self.values.sort()
                self.levels = _steps(len(self.values))
            else:
                self.levels = np.arange(len(self.values), dtype=float)
            self.kind = "levels" if ordered else "options"
        elif count is not None and count <= _MAX_LEVELS:
            self.values = [expression.value_at(place) for place in range(count)]
            self.levels = _level_places(expression, self.values)
            self.kind = "levels"
        else:
            self.kind = "number"
        self._places = {expression.key(v): x for v, x in zip(self.values, self.levels, strict=True)}
        # Most values come back as they were given out: no need to make their keys.
        plain = (int, float, str)
        self._known: dict[tuple[type, Any], float] = {
            (type(v), v): x
            for v, x in zip(self.values, self.levels.tolist(), strict=True)
            if type(v) in plain
        }

    def place_of(self, value: Any) -> float | None:
        """Return where a value stands; None when it is not one of this parameter's."""
        if self.kind == "number":
            if not is_number(value) or not self.expression.contains(value):
                return None
            return float(self.expression.to_unit(value))
        if type(value) in (int, float, str) and (type(value), value) in self._known:
            return self._known[type(value), value]
        place = self._places.get(self.expression.key(value))
        return None if place is None else float(place)

    def value_of(self, place: float) -> Any:
        """Return the value at a place that `snap` has been applied to."""
        if self.kind == "number":
            return self.expression.from_unit(float(place))
        return self.expression.value_at(self._index_of(self.values[self.nearest(place)]))

    def nearest(self, place: float) -> int:
        """Return the number of the level next to a place."""
        return int(np.abs(self.levels - place).argmin())

    def snap(self, x: Floats) -> Floats:
        """Return the levels next to the places `x`: `(m,)`."""
        if self.kind == "number":
            return np.clip(x, 0.0, 1.0)
        right = np.clip(np.searchsorted(self.levels, x), 1, len(self.levels) - 1)
        low, high = self.levels[right - 1], self.levels[right]
        return np.where(x - low <= high - x, low, high)

    def _index_of(self, value: Any) -> int:
        return self.expression.index_of(value) or 0


class Encoding:
    """All axes of a space; `is_option`, `is_number`: `(d,)` masks."""

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.axes = [
            Axis(name, expression)
            for name, expression in space.expressions.items()
            if expression.cardinality() != 1
        ]
        self.dimension = len(self.axes)
        self.is_option = np.array([axis.kind == "options" for axis in self.axes], dtype=bool)
        self.is_number = np.array([axis.kind == "number" for axis in self.axes], dtype=bool)
        self._constants = {
            name: expression.from_unit(0.5)
            for name, expression in space.expressions.items()
            if expression.cardinality() == 1
        }

    def encode(self, params: Mapping[str, Any]) -> Floats | None:
        """Return the place of a configuration: `(d,)`; None for one from outside the space."""
        places = [axis.place_of(params.get(axis.name)) for axis in self.axes]
        return None if None in places else np.array(places, dtype=float)

    def decode(self, x: Floats) -> Params:
        """Return the configuration at a place, `x`: `(d,)`."""
        found = {a.name: a.value_of(float(v)) for a, v in zip(self.axes, x, strict=True)}
        return {name: found.get(name, self._constants.get(name)) for name in self.space.expressions}

    def from_unit(self, U: Floats) -> Floats:
        """Return places spread over the space as `U`, `(m, d)`, is over the unit cube."""
        X = U.copy()
        for j, axis in enumerate(self.axes):
            if axis.kind != "number":
                count = len(axis.levels)
                X[:, j] = axis.levels[np.minimum((U[:, j] * count).astype(int), count - 1)]
        return X

    def snap(self, X: Floats) -> Floats:
        """Return `X`, `(m, d)`, with every entry moved to a value that exists."""
        if not self.axes:
            return X
        return np.column_stack([axis.snap(X[:, j]) for j, axis in enumerate(self.axes)])

    def keys(self, X: Floats) -> list[bytes]:
        """Return for each row of `X` what only the same place has."""
        # Adding zero makes -0.0 the same as 0.0.
        return [row.tobytes() for row in np.round(X, _DIGITS) + 0.0]

    def grid(self) -> Floats:
        """Return every place of a space without numbers: `(m, d)`."""
        axes = np.meshgrid(*(axis.levels for axis in self.axes), indexing="ij")
        return np.column_stack([axis.ravel() for axis in axes])


def _is_plain_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _steps(count: int) -> Floats:
    return np.linspace(0.0, 1.0, count)


def _level_places(expression: Expression, values: list[Any]) -> Floats:
    """Return equal steps; for the log family the distances of its law."""
    if expression.scale == "log":
        units = np.array([expression.to_unit(value) for value in values])
        if np.all(np.diff(units) > 10.0**-_DIGITS):
            return np.asarray((units - units[0]) / (units[-1] - units[0]))
    return _steps(len(values))
