"""The sampling methods, each a search space with the rules for what it may hold.

They check what can be checked without a studio; the studio checks everything again.
Standard library only; Python 3.8 syntax.
"""

from typing import Any, Callable, Dict, Iterable, Mapping, Optional, Type

from studio.sdk.errors import HyperDriveConfigException, HyperDriveRehydrateException

_MAX_POINTS = 100000

Validator = Callable[[str, Any], None]


class HyperParameterSampling:
    """A search space and the way values are drawn from it."""

    def __init__(
        self,
        sampling_method_name: str,
        parameter_space: Optional[Mapping[str, Any]],
        properties: Optional[Mapping[str, Any]] = None,
        supported_distributions: Optional[Iterable[str]] = None,
        distributions_validators: Optional[Mapping[str, Validator]] = None,
    ) -> None:
        """`properties`: `seed`, `rule` (random or sobol) and `logbase` are honoured."""
        self._name = sampling_method_name
        self._space: Dict[str, Any] = dict(parameter_space or {})
        self._properties = dict(properties or {})
        self._check(supported_distributions, distributions_validators or {})

    @property
    def parameter_space(self) -> Dict[str, Any]:
        """The hyperparameters in order, each with its expression."""
        return self._space

    @property
    def properties(self) -> Dict[str, Any]:
        """Options of the method."""
        return self._properties

    def to_json(self) -> Dict[str, Any]:
        """Return the wire form; `from_json` reads it."""
        document: Dict[str, Any] = {"name": self._name, "parameter_space": self._space}
        if self._properties:
            document["properties"] = self._properties
        return document

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "HyperParameterSampling":
        """Return the sampling of a wire form; its name is read whatever its case.

        Raises:
            HyperDriveRehydrateException: name or parameter_space is missing.
            HyperDriveConfigException: there is no such method.
        """
        for key in ("name", "parameter_space"):
            if key not in document:
                raise HyperDriveRehydrateException("A stored sampling has no %r." % key, target=key)
        name = str(document["name"])
        kind = _KINDS.get(name.lower())
        if kind is None:
            known = "RANDOM, GRID or BayesianOptimization"
            raise HyperDriveConfigException("The sampling is %r; use %s." % (name, known))
        made: HyperParameterSampling = kind(document["parameter_space"], document.get("properties"))
        return made

    def _check(
        self, supported: Optional[Iterable[str]], validators: Mapping[str, Validator]
    ) -> None:
        if supported is None:
            return
        known = sorted(supported)
        for parameter, expression in self._space.items():
            name = expression[0] if isinstance(expression, (list, tuple)) and expression else None
            if name not in known:
                shown = name if isinstance(name, str) else repr(expression)
                text = "%s sampling takes %s; %s is %s."
                raise HyperDriveConfigException(
                    text % (self._name, ", ".join(known), parameter, shown), target=parameter
                )
            if name in validators:
                validators[name](parameter, expression[1])


class RandomParameterSampling(HyperParameterSampling):
    """Values drawn independently of each other, from any expression."""

    def __init__(
        self, parameter_space: Mapping[str, Any], properties: Optional[Mapping[str, Any]] = None
    ) -> None:
        super().__init__("RANDOM", parameter_space, properties)


class GridParameterSampling(HyperParameterSampling):
    """Every combination of `choice` values."""

    def __init__(
        self, parameter_space: Mapping[str, Any], properties: Optional[Mapping[str, Any]] = None
    ) -> None:
        super().__init__("GRID", parameter_space, properties, ("choice",))


class BayesianParameterSampling(HyperParameterSampling):
    """Values proposed by a model of the results so far; takes choice, uniform and quniform."""

    def __init__(
        self,
        parameter_space: Optional[Mapping[str, Any]],
        properties: Optional[Mapping[str, Any]] = None,
    ) -> None:
        if parameter_space is None:
            raise HyperDriveConfigException(
                "Bayesian sampling has no parameter_space; give at least one hyperparameter.",
                target="parameter_space",
            )
        validators = {"choice": _check_choice, "quniform": _check_quniform}
        names = ("choice", "uniform", "quniform")
        super().__init__("BayesianOptimization", parameter_space, properties, names, validators)


class BayesianExtendedParameterSampling(HyperParameterSampling):
    """Bayesian sampling over any expressions and values, also with early termination.

    Only this studio has it; Azure ML does not.
    """

    def __init__(
        self, parameter_space: Mapping[str, Any], properties: Optional[Mapping[str, Any]] = None
    ) -> None:
        super().__init__("BayesianExtended", parameter_space, properties)


def _check_choice(parameter: str, arguments: Any) -> None:
    values = arguments[0]
    kinds = {type(value) for value in values}
    wrong = kinds - {int, float, str}
    if wrong:
        text = "%s: Bayesian sampling takes int, float and str in choice; there is a %s."
        names = ", ".join(sorted(kind.__name__ for kind in wrong))
        raise HyperDriveConfigException(text % (parameter, names), target=parameter)
    if str in kinds and len(kinds) > 1:
        text = "%s: Bayesian sampling takes text or numbers in a choice, not both: %r."
        raise HyperDriveConfigException(text % (parameter, values), target=parameter)


def _check_quniform(parameter: str, arguments: Any) -> None:
    if any(type(value) is not int for value in arguments):
        text = "%s: Bayesian sampling takes whole numbers in quniform, not %r."
        raise HyperDriveConfigException(text % (parameter, arguments), target=parameter)
    low, high, q = arguments
    if (high - low) / q > _MAX_POINTS:
        text = "%s: quniform%r has more than %d values, the most for Bayesian sampling."
        raise HyperDriveConfigException(
            text % (parameter, tuple(arguments), _MAX_POINTS), target=parameter
        )


_KINDS: Dict[str, Type[Any]] = {
    "random": RandomParameterSampling,
    "grid": GridParameterSampling,
    "bayesianoptimization": BayesianParameterSampling,
    "bayesianextended": BayesianExtendedParameterSampling,
}
