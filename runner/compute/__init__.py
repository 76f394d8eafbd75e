"""Registry of the compute kinds: the name is what stands in the database."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from runner.compute.base import Compute

COMPUTE_KINDS: Final[dict[str, str]] = {
    "local": "runner.compute.local:LocalCompute",
}


@lru_cache(maxsize=8)
def load_compute(name: str) -> Compute:
    """Return the compute of a kind.

    Raises:
        KeyError: no compute kind has this name.
    """
    module, _, attribute = COMPUTE_KINDS[name].partition(":")
    return cast("type[Compute]", getattr(import_module(module), attribute))()
