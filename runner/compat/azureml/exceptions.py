"""Stand-in for `azureml.exceptions`."""

from studio.sdk import (
    ActivityFailedException,
    AzureMLException,
    ExperimentExecutionException,
    RunEnvironmentException,
    UserErrorException,
)

__all__ = [
    "ActivityFailedException",
    "AzureMLException",
    "ExperimentExecutionException",
    "RunEnvironmentException",
    "UserErrorException",
]
