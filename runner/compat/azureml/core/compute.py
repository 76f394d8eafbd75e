"""Stand-in for `azureml.core.compute`."""

from studio.sdk import ComputeTarget

__all__ = ["ComputeTarget"]
