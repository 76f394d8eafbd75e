"""Stand-in for `azureml.widgets`."""

from studio.sdk import RunDetails

__all__ = ["RunDetails"]
