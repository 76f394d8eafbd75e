"""What the views of the new-sweep form take from a request: who asks, and the posted fields."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from experiments import queries
from experiments.forms.sweep_fields import SweepFields, fields_from_post
from experiments.permissions import Action


def person_who_may_write(request: HttpRequest) -> User:
    """Return who asks.

    Raises:
        PermissionDenied: their role does not let them start sweeps.
    """
    user = cast(User, request.user)
    if not queries.may(user, queries.current_workspace(user), Action.SUBMIT):
        raise PermissionDenied("Starting sweeps needs the role Contributor in this workspace.")
    return user


def posted_texts(request: HttpRequest) -> dict[str, str]:
    """Return every posted text by the name of its field."""
    return {key: str(value) for key, value in request.POST.items() if key != "csrfmiddlewaretoken"}


def posted_fields(request: HttpRequest) -> SweepFields:
    """Return the posted fields of the form."""
    return fields_from_post(posted_texts(request))


def is_script(request: HttpRequest) -> bool:
    """Tell whether JSON is awaited rather than a page."""
    return request.accepts("application/json") and not request.accepts("text/html")
