"""Registry of the early-termination policies: the name is what stands in specs and in YAML."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from experiments.policies.base import Policy

POLICIES: Final[dict[str, str]] = {
    "none": "experiments.policies.no_termination:NoTermination",
    "bandit": "experiments.policies.bandit:Bandit",
    "median_stopping": "experiments.policies.median_stopping:MedianStopping",
    "truncation_selection": "experiments.policies.truncation_selection:TruncationSelection",
}


def load_policy(name: str) -> type[Policy]:
    """Return the class of a policy.

    Raises:
        KeyError: no policy has this name.
    """
    module, _, attribute = POLICIES[name].partition(":")
    return cast("type[Policy]", getattr(import_module(module), attribute))


def make_policy(config: Mapping[str, Any] | None) -> Policy:
    """Return the policy that `early_termination` of a spec describes; None means no policy.

    Raises:
        KeyError: `type` names no policy.
        ProblemsError: a setting is wrong.
    """
    settings = dict(config or {"type": "none"})
    return load_policy(settings.pop("type"))(**settings)
