"""Values that a template makes when it needs them, so that one that fails takes only its part."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def once(make: Callable[[], Value]) -> Callable[[], Value]:
    """Return `make` for a template's context: called where the value is used, and only once.

    An exception then belongs to the `{% part %}` around that place.
    """
    return functools.cache(make)
