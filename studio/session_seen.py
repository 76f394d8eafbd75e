"""Notes when the session of a browser was used last; stands behind what signs people in."""

from __future__ import annotations

import logging

from django.contrib.auth.models import User
from django.db import DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from experiments.services.sessions import note_seen

logger = logging.getLogger(__name__)


class SessionSeen(MiddlewareMixin):
    """Looks only at sessions that the request used anyway, and asks the database seldom."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Note the session of whoever asked; a page never fails because of that."""
        person = getattr(request, "_cached_user", None)
        if isinstance(person, User) and person.pk is not None:
            try:
                note_seen(request, person)
            except DatabaseError as error:
                logger.warning("The session of %s is not noted: %s", person.pk, error)
        return response
