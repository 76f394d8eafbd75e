"""Stand-in for `azureml.core.workspace`."""

from studio.sdk import Workspace

__all__ = ["Workspace"]
