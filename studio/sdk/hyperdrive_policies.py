"""Early-termination policies as a program defines them, and the goal of the primary metric.

Standard library only; Python 3.8 syntax.
"""

import math
from enum import Enum
from typing import Any, Dict, Mapping, Optional

from studio.sdk.errors import HyperDriveConfigException, HyperDriveRehydrateException


class PrimaryMetricGoal(Enum):
    """The direction in which the primary metric gets better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"

    @staticmethod
    def from_str(goal: str) -> "PrimaryMetricGoal":
        """Return the goal of a word, whatever its case."""
        for member in PrimaryMetricGoal:
            if str(goal).lower() == member.value:
                return member
        raise HyperDriveConfigException("The goal is %r; use maximize or minimize." % (goal,))


class EarlyTerminationPolicy:
    """Base of the policies; `type_name` is the name in a specification of the studio."""

    wire_name = ""
    type_name: Optional[str] = None

    def __init__(self, properties: Optional[Mapping[str, Any]] = None) -> None:
        self._properties: Dict[str, Any] = dict(properties or {})

    @property
    def properties(self) -> Dict[str, Any]:
        """The settings that are sent."""
        return dict(self._properties)

    def to_json(self) -> Dict[str, Any]:
        """Return the wire form; `from_json` reads it."""
        document: Dict[str, Any] = {"name": self.wire_name}
        if self._properties:
            document["properties"] = self.properties
        return document

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "EarlyTerminationPolicy":
        """Return the policy of a wire form; its name is read whatever its case.

        Raises:
            HyperDriveRehydrateException: the name is missing.
            HyperDriveConfigException: there is no such policy, or its settings are wrong.
        """
        if "name" not in document:
            raise HyperDriveRehydrateException("A stored policy has no 'name'.", target="name")
        name = str(document["name"]).lower()
        settings = dict(document.get("properties") or {})
        for kind in (BanditPolicy, MedianStoppingPolicy, TruncationSelectionPolicy):
            if name == kind.wire_name.lower():
                made: EarlyTerminationPolicy = kind(**settings)
                return made
        if name != NoTerminationPolicy.wire_name.lower():
            known = "Bandit, MedianStopping, TruncationSelection or Default"
            raise HyperDriveConfigException("The policy is %r; use %s." % (name, known))
        return NoTerminationPolicy()


class BanditPolicy(EarlyTerminationPolicy):
    """Stop a run that is further behind the best than a slack allows."""

    wire_name = "Bandit"
    type_name = "bandit"

    def __init__(
        self,
        evaluation_interval: int = 1,
        slack_factor: Optional[float] = None,
        slack_amount: Optional[float] = None,
        delay_evaluation: int = 0,
    ) -> None:
        given = {
            name: value
            for name, value in (("slack_factor", slack_factor), ("slack_amount", slack_amount))
            if value is not None
        }
        if len(given) != 1:
            raise HyperDriveConfigException(
                "BanditPolicy: slack_factor is %r and slack_amount %r; give exactly one of them."
                % (slack_factor, slack_amount),
                target="slack_factor, slack_amount",
            )
        ((name, value),) = given.items()
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or value < 0:
            text = "BanditPolicy: %s is %r; use a finite number of at least 0." % (name, value)
            raise HyperDriveConfigException(text, target=name)
        times = _times("BanditPolicy", evaluation_interval, delay_evaluation)
        super().__init__({**times, name: value})


class MedianStoppingPolicy(EarlyTerminationPolicy):
    """Stop a run whose best is worse than the median of all running averages."""

    wire_name = "MedianStopping"
    type_name = "median_stopping"

    def __init__(self, evaluation_interval: int = 1, delay_evaluation: int = 0) -> None:
        super().__init__(_times("MedianStoppingPolicy", evaluation_interval, delay_evaluation))


class TruncationSelectionPolicy(EarlyTerminationPolicy):
    """Stop the given share of runs with the lowest rank at each evaluation."""

    wire_name = "TruncationSelection"
    type_name = "truncation_selection"

    def __init__(
        self,
        truncation_percentage: int,
        evaluation_interval: int = 1,
        delay_evaluation: int = 0,
        exclude_finished_jobs: bool = False,
    ) -> None:
        name = "TruncationSelectionPolicy"
        if not _is_int(truncation_percentage) or not 1 <= truncation_percentage <= 99:
            raise HyperDriveConfigException(
                "%s: truncation_percentage is %r; use a whole number from 1 to 99."
                % (name, truncation_percentage),
                target="truncation_percentage",
            )
        if not isinstance(exclude_finished_jobs, bool):
            raise HyperDriveConfigException(
                "%s: exclude_finished_jobs is %r; use True or False."
                % (name, exclude_finished_jobs),
                target="exclude_finished_jobs",
            )
        times = _times(name, evaluation_interval, delay_evaluation)
        super().__init__(
            {
                **times,
                "truncation_percentage": truncation_percentage,
                "exclude_finished_jobs": exclude_finished_jobs,
            }
        )


class NoTerminationPolicy(EarlyTerminationPolicy):
    """Let every run end by itself."""

    wire_name = "Default"

    def __init__(self) -> None:
        super().__init__()


def _times(policy: str, evaluation_interval: Any, delay_evaluation: Any) -> Dict[str, int]:
    for name, value, least in (
        ("evaluation_interval", evaluation_interval, 1),
        ("delay_evaluation", delay_evaluation, 0),
    ):
        if not _is_int(value) or value < least:
            text = "%s: %s is %r; use a whole number of at least %d."
            raise HyperDriveConfigException(text % (policy, name, value, least), target=name)
    return {"evaluation_interval": evaluation_interval, "delay_evaluation": delay_evaluation}


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
