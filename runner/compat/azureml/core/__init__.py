"""Stand-in for `azureml.core`: workspace, experiment, run and what is run."""

from typing import TYPE_CHECKING, Any

import studio.sdk
from studio.sdk.run import Run

if TYPE_CHECKING:
    from studio.sdk import (
        ComputeTarget,
        Environment,
        Experiment,
        Model,
        RunConfiguration,
        ScriptRunConfig,
        Workspace,
    )

__all__ = [
    "ComputeTarget",
    "Environment",
    "Experiment",
    "Model",
    "Run",
    "RunConfiguration",
    "ScriptRunConfig",
    "Workspace",
]


def __getattr__(name: str) -> Any:
    """Load on first use: a training script asks for `Run` alone."""
    if name not in __all__:
        raise AttributeError("azureml.core has no attribute '" + name + "' here")
    return getattr(studio.sdk, name)
