"""The definition of a sweep as a studio keeps it, made an object of the SDK again.

Standard library only; Python 3.8 syntax.
"""

import ast
from typing import Any, Dict, Mapping

from studio.sdk import hyperdrive_expressions, hyperdrive_policies, hyperdrive_samplings
from studio.sdk.errors import HyperDriveRehydrateException
from studio.sdk.hyperdrive_config import HyperDriveConfig

_POLICIES = {
    "bandit": hyperdrive_policies.BanditPolicy,
    "median_stopping": hyperdrive_policies.MedianStoppingPolicy,
    "truncation_selection": hyperdrive_policies.TruncationSelectionPolicy,
}
_SAMPLINGS = {
    "random": hyperdrive_samplings.RandomParameterSampling,
    "sobol": hyperdrive_samplings.RandomParameterSampling,
    "grid": hyperdrive_samplings.GridParameterSampling,
    "bayesian": hyperdrive_samplings.BayesianParameterSampling,
    "bayesian_extended": hyperdrive_samplings.BayesianExtendedParameterSampling,
}


def config_of(spec: Mapping[str, Any]) -> HyperDriveConfig:
    """Return the definition of a specification in canonical form; it has no source directory.

    Raises:
        HyperDriveRehydrateException: the specification uses what this client does not know.
    """
    space = {name: expression_of(text) for name, text in spec["search_space"].items()}
    config = HyperDriveConfig.__new__(HyperDriveConfig)
    config._source = None
    config._sampling = _sampling(spec["sampling"], space)
    config._policy = _policy(spec["early_termination"])
    config._metric_name = spec["primary_metric"]["name"]
    goal = spec["primary_metric"]["goal"]
    config._metric_goal = hyperdrive_policies.PrimaryMetricGoal.from_str(goal)
    config._max_total_runs = spec["max_total_runs"]
    config._max_concurrent_runs = spec["max_concurrent_runs"]
    config._max_duration_minutes = spec["max_duration_minutes"]
    config._run_timeout_minutes = spec.get("run_timeout_minutes")
    config._max_failed_runs = spec.get("max_failed_runs")
    config._resume_from = list(spec.get("resume_from") or [])
    config._resume_child_runs = list(spec.get("resume_child_runs") or [])
    return config


def expression_of(text: Any) -> Any:
    """Return the wire form of an expression that is written as text."""
    if not isinstance(text, str):
        return text
    try:
        call = ast.parse(text, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise ValueError("it is no call")
        arguments = [ast.literal_eval(argument) for argument in call.args]
        name = call.func.id
    except (SyntaxError, ValueError) as error:
        raise HyperDriveRehydrateException("The expression %r cannot be read." % text) from error
    if name == "choice":
        only = arguments[0] if len(arguments) == 1 else None
        return ["choice", [only if isinstance(only, list) else arguments]]
    if not hasattr(hyperdrive_expressions, name):
        raise HyperDriveRehydrateException("The expression %r is unknown here." % text)
    return [name, arguments]


def _sampling(stored: Any, space: Dict[str, Any]) -> Any:
    options = {"type": stored} if isinstance(stored, str) else dict(stored)
    name = options.pop("type")
    if name not in _SAMPLINGS:
        raise HyperDriveRehydrateException("The sampling %r is unknown here." % name)
    if name == "sobol":
        options["rule"] = "sobol"
    return _SAMPLINGS[name](space, options)


def _policy(stored: Any) -> Any:
    if stored is None:
        return hyperdrive_policies.NoTerminationPolicy()
    settings = {key: value for key, value in stored.items() if value is not None}
    name = settings.pop("type")
    if name not in _POLICIES:
        raise HyperDriveRehydrateException("The policy %r is unknown here." % name)
    return _POLICIES[name](**settings)
