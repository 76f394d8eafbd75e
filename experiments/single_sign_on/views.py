"""The two addresses of single sign-on: to the provider, and back."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from requests import RequestException

from experiments.services import attempts
from experiments.single_sign_on.adapter import PROVIDER
from experiments.single_sign_on.answers import refused
from experiments.single_sign_on.known import known_provider
from experiments.single_sign_on.provider import StudioOAuth2Adapter
from experiments.single_sign_on.tokens import ProviderError
from experiments.views.account import safe_next

logger = logging.getLogger(__name__)
_MOST_A_MINUTE = 60
# What a provider that answers nonsense makes of the code that reads it.
_NONSENSE = (OAuth2Error, ProviderError, RequestException, KeyError, TypeError, ValueError)


def _believing_nothing(view: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Show the sign-in page with a reason when the provider cannot be reached or believed."""

    @wraps(view)
    def safe(request: HttpRequest) -> HttpResponse:
        if attempts.count("single-sign-on", attempts.network(), seconds=60) > _MOST_A_MINUTE:
            return refused(request, "That were too many tries from your network; wait a minute.")
        try:
            return view(request)
        except ImmediateHttpResponse as answer:
            response: HttpResponse = answer.response
            return response
        except _NONSENSE as error:
            name = known_provider().name
            # Its text may hold what the provider sent, such as tokens: only ours is logged.
            text = str(error) if isinstance(error, ProviderError) else type(error).__name__
            logger.warning("Single sign-on failed: %s", text)
            return refused(
                request, f"{name} did not answer as it should. Try once more, or use another way."
            )

    return login_not_required(never_cache(require_GET(safe)))


class _Callback(OAuth2CallbackView):  # type: ignore[misc]  # allauth has no types
    """Hands what was kept in the session on to whoever checks the token."""

    def _get_state(self, request: HttpRequest, provider: Any) -> Any:
        state, response = super()._get_state(request, provider)
        self.adapter.kept = state or {}
        return state, response


@_believing_nothing
def begin(request: HttpRequest) -> HttpResponse:
    """Lead to the provider. A GET, because a policy for forms lets none lead to another host."""
    provider = get_adapter(request).get_provider(request, provider=PROVIDER)
    nonce = secrets.token_urlsafe(24)
    response: HttpResponse = provider.redirect(
        request,
        process="login",
        next_url=safe_next(request),
        scope=provider.get_default_scope(),
        auth_params={"nonce": nonce},
        nonce=nonce,
    )
    return response


@_believing_nothing
def callback(request: HttpRequest) -> HttpResponse:
    """Take what the provider sends somebody back with."""
    view = _Callback.adapter_view(StudioOAuth2Adapter(request, PROVIDER))
    response: HttpResponse = view(request)
    return response
