"""Stand-in for `azureml.train.estimator`."""

from studio.sdk import Estimator

__all__ = ["Estimator"]
