"""Stand-in for `azureml.core`: the run context."""

from azureml.core.run import Run

__all__ = ["Run"]
