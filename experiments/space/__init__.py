"""Registry of the parameter expressions: the name is what stands in specs, YAML and forms."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from experiments.space.base import Expression

_CONTINUOUS = "experiments.space.continuous"
_DISCRETE = "experiments.space.discrete"
_QUANTISED = "experiments.space.quantised"

EXPRESSIONS: Final[dict[str, str]] = {
    "choice": f"{_DISCRETE}:Choice",
    "randint": f"{_DISCRETE}:RandInt",
    "uniform": f"{_CONTINUOUS}:Uniform",
    "loguniform": f"{_CONTINUOUS}:LogUniform",
    "normal": f"{_CONTINUOUS}:Normal",
    "lognormal": f"{_CONTINUOUS}:LogNormal",
    "quniform": f"{_QUANTISED}:QUniform",
    "qloguniform": f"{_QUANTISED}:QLogUniform",
    "qnormal": f"{_QUANTISED}:QNormal",
    "qlognormal": f"{_QUANTISED}:QLogNormal",
}


def load_expression(name: str) -> type[Expression]:
    """Return the class of an expression.

    Raises:
        KeyError: no expression has this name.
    """
    module, _, attribute = EXPRESSIONS[name].partition(":")
    return cast("type[Expression]", getattr(import_module(module), attribute))
