"""Exceptions of the client, by the names that programs written for Azure ML catch.

Each carries what is wrong in one sentence; `error_code`, `target` and `inner_exception` are for
programs. Standard library only; Python 3.8 syntax.
"""

import json
from typing import Any, Dict, List, Optional


class AzureMLException(Exception):  # noqa: N818 - the name of the original
    """Whatever this client raises on purpose; `str()` is the sentence for a person."""

    error_code = "SystemError"

    def __init__(
        self,
        exception_message: str = "",
        inner_exception: Optional[BaseException] = None,
        target: Optional[str] = None,
        errors: Optional[List[Dict[str, str]]] = None,
    ) -> None:
        super().__init__(exception_message)
        self.message = exception_message
        self.inner_exception = inner_exception
        self.target = target
        #: Every problem as the studio named it, with its path; empty when it was found here.
        self.errors: List[Dict[str, str]] = errors or []

    def _serialize_json(self) -> str:
        """Return the exception as one JSON object."""
        inner = None if self.inner_exception is None else str(self.inner_exception)
        document: Dict[str, Any] = {
            "error": {
                "code": self.error_code,
                "message": self.message,
                "target": self.target,
                "inner_error": inner,
                "errors": self.errors,
            }
        }
        return json.dumps(document)


class UserErrorException(AzureMLException):
    """A call cannot mean anything: a list where one value belongs, a name twice."""

    error_code = "UserError"


class RunEnvironmentException(AzureMLException):
    """The script does not run in a studio, or what it asks for needs one."""

    error_code = "UserError"


class ActivityFailedException(AzureMLException):
    """A run or a sweep that was waited for has failed."""

    error_code = "ActivityFailed"


class ExperimentExecutionException(AzureMLException):
    """The studio did not take a submission."""

    error_code = "UserError"


class HyperDriveException(AzureMLException):
    """Base of what the definition of a sweep raises."""

    error_code = "UserError"


class HyperDriveConfigException(HyperDriveException):
    """A part of the definition of a sweep is wrong."""

    error_code = "ArgumentInvalid"


class HyperDriveRehydrateException(HyperDriveException):
    """A stored definition lacks what is needed to make an object of it again."""


class HyperDriveNotImplementedException(HyperDriveException):
    """A sweep has no such operation."""
