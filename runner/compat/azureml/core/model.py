"""Stand-in for `azureml.core.model`."""

from studio.sdk import Model

__all__ = ["Model"]
