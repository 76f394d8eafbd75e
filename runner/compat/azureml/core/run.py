"""Stand-in for `azureml.core.run`: the run context of the studio under its old name."""

from studio.sdk.run import Run

__all__ = ["Run"]
