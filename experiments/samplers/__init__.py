"""Registry of the samplers: the name is what stands in specs, YAML and forms."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from experiments.samplers.base import Sampler

SAMPLERS: Final[dict[str, str]] = {
    "random": "experiments.samplers.random_search:RandomSearch",
    "sobol": "experiments.samplers.sobol:Sobol",
    "grid": "experiments.samplers.grid_search:GridSearch",
    "bayesian": "experiments.samplers.bayesian:Bayesian",
    "bayesian_extended": "experiments.samplers.bayesian:BayesianExtended",
}


def load_sampler(name: str) -> type[Sampler]:
    """Return the class of a sampler.

    Raises:
        KeyError: no sampler has this name.
    """
    module, _, attribute = SAMPLERS[name].partition(":")
    return cast("type[Sampler]", getattr(import_module(module), attribute))
