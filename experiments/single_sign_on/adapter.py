"""What allauth asks of the project: the one provider, from settings and not from rows; errors."""

from __future__ import annotations

import logging
from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from django.http import HttpRequest

from experiments.single_sign_on.answers import refused
from experiments.single_sign_on.known import known_provider

logger = logging.getLogger(__name__)
PROVIDER = "studio"


class StudioAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Answers without a query, and shows errors on the sign-in page."""

    def list_apps(
        self, request: HttpRequest, provider: Any = None, client_id: Any = None
    ) -> list[SocialApp]:
        """Return the provider that the environment names."""
        del request, provider, client_id
        known = known_provider()
        return [
            SocialApp(
                provider=PROVIDER,
                provider_id=PROVIDER,
                name=known.name,
                client_id=known.client_id,
                secret=known.client_secret,
                settings={"server_url": known.issuer.rstrip("/"), "oauth_pkce_enabled": True},
            )
        ]

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: Any = None,
    ) -> NoReturn:
        """Say on the sign-in page that it went wrong; the log knows the kind, never a secret."""
        del provider, extra_context
        name = known_provider().name
        logger.warning("Single sign-on failed: %s", exception or error)
        text = (
            f"{name} did not let you in"
            if str(error) == "cancelled"
            else f"{name} did not answer as it should"
        )
        raise ImmediateHttpResponse(refused(request, f"{text}. Try once more, or use another way."))
