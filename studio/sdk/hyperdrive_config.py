"""The definition of a sweep as a program writes it, and its form as a specification.

Checks what the original checks at once; the studio checks the whole specification at submission.
Standard library only; Python 3.8 syntax.
"""

import logging
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from studio.sdk.errors import HyperDriveConfigException, HyperDriveNotImplementedException
from studio.sdk.hyperdrive_policies import (
    EarlyTerminationPolicy,
    NoTerminationPolicy,
    PrimaryMetricGoal,
)
from studio.sdk.hyperdrive_samplings import (
    BayesianExtendedParameterSampling,
    BayesianParameterSampling,
    GridParameterSampling,
    HyperParameterSampling,
)
from studio.sdk.script_config import Estimator, Launch, ScriptRunConfig

logger = logging.getLogger("studio.sdk")

DEFAULT_DURATION_MINUTES = 10080
MAX_PARENTS = 5
_RUNS_PER_PARAMETER = 20
_BAYESIAN_CONCURRENCY = 20


class HyperDriveConfig:
    """What is tuned, how, towards which metric and within which limits."""

    def __init__(
        self,
        hyperparameter_sampling: HyperParameterSampling,
        primary_metric_name: str,
        primary_metric_goal: PrimaryMetricGoal,
        max_total_runs: int,
        max_concurrent_runs: Optional[int] = None,
        max_duration_minutes: Optional[float] = None,
        policy: Optional[EarlyTerminationPolicy] = None,
        estimator: Union[Estimator, ScriptRunConfig, None] = None,
        run_config: Union[ScriptRunConfig, Estimator, None] = None,
        resume_from: Any = None,
        resume_child_runs: Any = None,
        pipeline: Any = None,
        debug_flag: Any = None,
        custom_run_id: Any = None,
        *,
        run_timeout_minutes: Optional[float] = None,
        max_failed_runs: Optional[int] = None,
    ) -> None:
        """Exactly one of `run_config` and `estimator` says what is run.

        `run_timeout_minutes` stands before the time limit of `run_config`; `max_failed_runs`
        failures in a row pause the sweep. The original has neither. `max_duration_minutes` None is
        what the administrator of the studio chose, else 10080 (7 days).

        Raises:
            HyperDriveConfigException: a part is wrong, or the parts do not fit together.
        """
        if pipeline is not None:
            raise HyperDriveNotImplementedException("A sweep of a pipeline is not possible here.")
        _check_parts(hyperparameter_sampling, primary_metric_name, primary_metric_goal, policy)
        self._source: Optional[Union[ScriptRunConfig, Estimator]] = _source(run_config, estimator)
        self._sampling = hyperparameter_sampling
        self._policy = NoTerminationPolicy() if policy is None else policy
        self._metric_name = primary_metric_name
        self._metric_goal = primary_metric_goal
        self._max_total_runs = max_total_runs
        self._max_concurrent_runs = max_concurrent_runs or None
        self._max_duration_minutes = max_duration_minutes
        self._run_timeout_minutes = run_timeout_minutes
        self._max_failed_runs = max_failed_runs
        self._resume_from = _ids("resume_from", resume_from)
        self._resume_child_runs = _ids("resume_child_runs", resume_child_runs)
        self._check_resumed()
        self._warn()

    @property
    def source_directory(self) -> Optional[str]:
        """The folder that is copied for every run; None in a definition read from a studio."""
        return None if self._source is None else self._source.source_directory

    @property
    def estimator(self) -> Optional[Estimator]:
        """What is run, where it was given as an Estimator."""
        return self._source if isinstance(self._source, Estimator) else None

    @property
    def run_config(self) -> Optional[ScriptRunConfig]:
        """What is run, where it was given as a ScriptRunConfig."""
        return self._source if isinstance(self._source, ScriptRunConfig) else None

    @property
    def hyperparameter_sampling(self) -> HyperParameterSampling:
        """The search space and how it is sampled."""
        return self._sampling

    @property
    def policy(self) -> EarlyTerminationPolicy:
        """The early-termination policy."""
        return self._policy

    @property
    def primary_metric_config(self) -> Dict[str, str]:
        """Name and goal of the primary metric."""
        return {"name": self._metric_name, "goal": self._metric_goal.value}

    @property
    def max_total_runs(self) -> int:
        """Runs in all."""
        return self._max_total_runs

    @property
    def max_concurrent_runs(self) -> Optional[int]:
        """Runs at once; None: as many as possible."""
        return self._max_concurrent_runs

    @property
    def max_duration_minutes(self) -> float:
        """Time for the whole sweep; where none is given, what studios usually take."""
        if self._max_duration_minutes is None:
            return DEFAULT_DURATION_MINUTES
        return self._max_duration_minutes

    @property
    def run_timeout_minutes(self) -> Optional[float]:
        """Time for each run; None: as `run_config` has it."""
        return self._run_timeout_minutes

    @property
    def max_failed_runs(self) -> Optional[int]:
        """Failures in a row that pause the sweep; None: none do."""
        return self._max_failed_runs

    def to_spec(self, *, name: str, experiment: str) -> Dict[str, Any]:
        """Return the specification of the studio, without the snapshot.

        Raises:
            HyperDriveConfigException: the definition was read from a studio and runs nothing.
        """
        if self._source is None:
            raise HyperDriveConfigException(
                "This definition was read from a studio and has no source directory; "
                "make a new HyperDriveConfig with run_config."
            )
        launch = self._source.launch(list(self._sampling.parameter_space))
        spec: Dict[str, Any] = {
            "name": name,
            "experiment": experiment,
            **_launch_fields(launch),
            "search_space": plain_json(self._sampling.parameter_space),
            "sampling": _sampling_field(self._sampling),
            "primary_metric": self.primary_metric_config,
            "early_termination": _policy_field(self._policy),
            "max_total_runs": self._max_total_runs,
            "max_concurrent_runs": self._max_concurrent_runs,
            "max_duration_minutes": self._max_duration_minutes,
            "max_failed_runs": self._max_failed_runs,
            "resume_from": self._resume_from,
            "resume_child_runs": self._resume_child_runs,
        }
        if self._run_timeout_minutes is not None:
            spec["run_timeout_minutes"] = self._run_timeout_minutes
        return {key: value for key, value in spec.items() if value not in (None, [], {})}

    def _check_resumed(self) -> None:
        if len(self._resume_from) > MAX_PARENTS:
            text = "resume_from has %d sweeps; at most %d can be continued."
            raise HyperDriveConfigException(
                text % (len(self._resume_from), MAX_PARENTS), target="resume_from"
            )
        children = len(self._resume_child_runs)
        if isinstance(self._max_total_runs, int) and children > self._max_total_runs:
            raise HyperDriveConfigException(
                "resume_child_runs has %d runs, more than max_total_runs %d."
                % (children, self._max_total_runs),
                target="resume_child_runs",
            )

    def _warn(self) -> None:
        if self.max_duration_minutes > DEFAULT_DURATION_MINUTES:
            logger.warning(
                "max_duration_minutes is %s, more than %d (7 days).",
                self.max_duration_minutes,
                DEFAULT_DURATION_MINUTES,
            )
        learning = (BayesianParameterSampling, BayesianExtendedParameterSampling)
        if not isinstance(self._sampling, learning):
            return
        wanted = _RUNS_PER_PARAMETER * len(self._sampling.parameter_space)
        if self._max_total_runs < wanted:
            logger.warning("Bayesian sampling: max_total_runs of at least %d is better.", wanted)
        if (self._max_concurrent_runs or self._max_total_runs) > _BAYESIAN_CONCURRENCY:
            logger.warning(
                "Bayesian sampling: fewer than %d concurrent runs are better.",
                _BAYESIAN_CONCURRENCY,
            )


class HyperDriveRunConfig(HyperDriveConfig):
    """The older name, with `estimator` first."""

    def __init__(
        self,
        estimator: Union[Estimator, ScriptRunConfig],
        hyperparameter_sampling: HyperParameterSampling,
        primary_metric_name: str,
        primary_metric_goal: PrimaryMetricGoal,
        max_total_runs: int,
        max_concurrent_runs: Optional[int] = None,
        max_duration_minutes: Optional[float] = None,
        policy: Optional[EarlyTerminationPolicy] = None,
    ) -> None:
        super().__init__(
            hyperparameter_sampling,
            primary_metric_name,
            primary_metric_goal,
            max_total_runs,
            max_concurrent_runs,
            max_duration_minutes,
            policy,
            estimator=estimator,
        )


def plain_json(value: Any) -> Any:
    """Return a value with numbers of numpy and their like as plain numbers."""
    if isinstance(value, Mapping):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [plain_json(item) for item in value]
    if callable(getattr(value, "item", None)) and getattr(value, "shape", None) == ():
        return value.item()
    return value


def _check_parts(sampling: Any, metric_name: Any, goal: Any, policy: Any) -> None:
    for name, value, kind in (
        ("hyperparameter_sampling", sampling, HyperParameterSampling),
        ("primary_metric_name", metric_name, str),
        ("primary_metric_goal", goal, PrimaryMetricGoal),
    ):
        if not isinstance(value, kind):
            raise HyperDriveConfigException(
                "%s is %r; use a %s." % (name, value, kind.__name__), target=name
            )
    if policy is not None and not isinstance(policy, EarlyTerminationPolicy):
        raise HyperDriveConfigException(
            "policy is %r; use a policy such as BanditPolicy(slack_factor=0.1), or None."
            % (policy,),
            target="policy",
        )


def _source(run_config: Any, estimator: Any) -> Union[ScriptRunConfig, Estimator]:
    given = [value for value in (run_config, estimator) if value is not None]
    if len(given) != 1:
        which = "both given" if given else "both missing"
        raise HyperDriveConfigException(
            "run_config and estimator are %s; give exactly one of them." % which,
            target="run_config, estimator",
        )
    (source,) = given
    if not isinstance(source, (ScriptRunConfig, Estimator)):
        raise HyperDriveConfigException(
            "run_config is %r; use a ScriptRunConfig or an Estimator." % (source,),
            target="run_config",
        )
    return source


def _ids(name: str, given: Any) -> List[str]:
    """Return the ids of one run or many, given as objects or as text."""
    if given is None:
        return []
    items: Sequence[Any] = given if isinstance(given, (list, tuple)) else [given]
    ids: List[str] = []
    for item in items:
        identity = item if isinstance(item, str) else getattr(item, "id", None)
        if not isinstance(identity, str) or not identity:
            raise HyperDriveConfigException("%s: %r is no run." % (name, item), target=name)
        if identity in ids:
            text = "%s has %s twice; name every run once."
            raise HyperDriveConfigException(text % (name, identity), target=name)
        ids.append(identity)
    return ids


def _launch_fields(launch: Launch) -> Dict[str, Any]:
    fields = launch._asdict()
    del fields["source_directory"]  # it is uploaded
    return fields


def _sampling_field(sampling: HyperParameterSampling) -> Dict[str, Any]:
    kind = "random"
    if isinstance(sampling, GridParameterSampling):
        kind = "grid"
    elif isinstance(sampling, BayesianParameterSampling):
        kind = "bayesian"
    elif isinstance(sampling, BayesianExtendedParameterSampling):
        kind = "bayesian_extended"
    return {"type": kind, **plain_json(sampling.properties)}


def _policy_field(policy: EarlyTerminationPolicy) -> Optional[Dict[str, Any]]:
    if policy.type_name is None:
        return None
    return {"type": policy.type_name, **policy.properties}
