"""Stand-in for `azureml.core.environment`."""

from studio.sdk import Environment

__all__ = ["Environment"]
