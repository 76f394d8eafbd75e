"""Parameter expressions: functions that check their arguments and return the wire form.

The wire form is a plain nested list, `["uniform", [0, 1]]`, which may be written by hand as well.
Standard library only; Python 3.8 syntax.
"""

import math
from typing import Any, List, Sequence, Tuple

from studio.sdk.errors import HyperDriveConfigException

Expression = List[Any]


def choice(*options: Any) -> Expression:
    """Return one of the options: values, or one list or range of them."""
    if not options:
        raise _error("choice", "choice() has no options; give at least one.", "options")
    if not any(isinstance(option, (list, range)) for option in options):
        return ["choice", [list(options)]]
    if len(options) != 1:
        text = "choice mixes a list or a range with %d other options; give it alone, or in a list."
        raise _error("choice", text % (len(options) - 1), "options")
    values = list(options[0])
    if not values:
        raise _error("choice", "choice is given an empty %s." % _kind(options[0]), "options")
    return ["choice", [values]]


def randint(upper: int) -> Expression:
    """Return a whole number from 0 to `upper` - 1, in no order."""
    if not _is_int(upper) or upper <= 0:
        raise _error("randint", "upper is %r; use a whole number above 0." % (upper,), "upper")
    return ["randint", [upper]]


def uniform(min_value: float, max_value: float) -> Expression:
    """Return a value uniformly distributed from `min_value` to `max_value`."""
    return ["uniform", _bounds("uniform", min_value, max_value, may_be_equal=False)]


def quniform(min_value: float, max_value: float, q: float) -> Expression:
    """Return round(uniform(min_value, max_value) / q) * q."""
    bounds = _bounds("quniform", min_value, max_value, may_be_equal=False, q=q)
    return ["quniform", [*bounds, q]]


def loguniform(min_value: float, max_value: float) -> Expression:
    """Return exp(uniform(min_value, max_value)): the bounds are natural logarithms."""
    return ["loguniform", _bounds("loguniform", min_value, max_value, may_be_equal=True)]


def qloguniform(min_value: float, max_value: float, q: float) -> Expression:
    """Return round(exp(uniform(min_value, max_value)) / q) * q."""
    bounds = _bounds("qloguniform", min_value, max_value, may_be_equal=True, q=q)
    return ["qloguniform", [*bounds, q]]


def normal(mu: float, sigma: float) -> Expression:
    """Return a value normally distributed around `mu`."""
    return ["normal", _moments("normal", mu, sigma)]


def qnormal(mu: float, sigma: float, q: float) -> Expression:
    """Return round(normal(mu, sigma) / q) * q."""
    return ["qnormal", [*_moments("qnormal", mu, sigma, q=q), q]]


def lognormal(mu: float, sigma: float) -> Expression:
    """Return exp(normal(mu, sigma)): the logarithm is normally distributed."""
    return ["lognormal", _moments("lognormal", mu, sigma)]


def qlognormal(mu: float, sigma: float, q: float) -> Expression:
    """Return round(exp(normal(mu, sigma)) / q) * q."""
    return ["qlognormal", [*_moments("qlognormal", mu, sigma, q=q), q]]


def _bounds(name: str, low: Any, high: Any, *, may_be_equal: bool, q: Any = 1) -> List[Any]:
    _check_numbers(name, [("min_value", low), ("max_value", high)])
    _check_step(name, q)
    if low > high or (low == high and not may_be_equal):
        what = "at most" if may_be_equal else "below"
        text = "min_value is %r and max_value %r; min_value must be %s max_value."
        raise _error(name, text % (low, high, what), "min_value, max_value")
    return [low, high]


def _moments(name: str, mu: Any, sigma: Any, *, q: Any = 1) -> List[Any]:
    _check_numbers(name, [("mu", mu), ("sigma", sigma)])
    _check_step(name, q)
    if sigma < 0:
        raise _error(name, "sigma is %r; it must be 0 or above." % (sigma,), "sigma")
    return [mu, sigma]


def _check_numbers(name: str, arguments: Sequence[Tuple[str, Any]]) -> None:
    for argument, value in arguments:
        if not _is_int(value) and not (isinstance(value, float) and math.isfinite(value)):
            raise _error(name, "%s is %r; use a finite number." % (argument, value), argument)


def _check_step(name: str, q: Any) -> None:
    is_whole = _is_int(q) or (isinstance(q, float) and q.is_integer())
    if not is_whole or q <= 0:
        raise _error(name, "q is %r; use a whole number above 0." % (q,), "q")


def _is_int(value: Any) -> bool:
    # True is an int in Python and a mistake in a search space.
    return isinstance(value, int) and not isinstance(value, bool)


def _kind(value: Any) -> str:
    return type(value).__name__


def _error(name: str, text: str, target: str) -> HyperDriveConfigException:
    return HyperDriveConfigException("%s: %s" % (name, text), target=target)
