"""The one error of services about a request that is right but comes at the wrong time."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - an answer, often no error
    """The state of a sweep or run does not allow what was asked for; the text says why."""
