"""Stand-in for `azureml.core.runconfig`."""

from studio.sdk import RunConfiguration

__all__ = ["RunConfiguration"]
