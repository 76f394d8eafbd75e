"""Stand-in for `azureml.core.experiment`."""

from studio.sdk import Experiment

__all__ = ["Experiment"]
