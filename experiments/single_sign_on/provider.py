"""The provider as allauth sees it: OpenID Connect with PKCE, a nonce and checked signatures."""

from __future__ import annotations

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse

from experiments.models import Invitation
from experiments.services.invitations import open_invitation
from experiments.services.refused import Refused
from experiments.services.sessions import Way, begin_session
from experiments.services.single_sign_on import arrive, read_claims
from experiments.single_sign_on.adapter import PROVIDER
from experiments.single_sign_on.answers import refused
from experiments.single_sign_on.known import known_provider
from experiments.single_sign_on.tokens import ProviderError, check_discovery, read_id_token


class StudioOAuth2Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth has no types
    """One sign-in on its way; `kept` is what the session held when it began."""

    kept: dict[str, Any]

    @property
    def openid_config(self) -> dict[str, Any]:
        """Return the discovery document, read once for each step."""
        if not hasattr(self, "_checked"):
            document = super().openid_config
            self._checked = check_discovery(document, issuer=known_provider().issuer)
        return self._checked

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """Return where the provider sends people back to."""
        del app
        return request.build_absolute_uri(reverse("single_sign_on_callback"))

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **more: Any) -> Any:
        """Check the ID token and sign its person in; ends allauth's part."""
        known = known_provider()
        claims = dict(
            read_id_token(
                str(more["response"].get("id_token", "")),
                keys=self._fetch(self.openid_config["jwks_uri"]),
                issuer=known.issuer,
                client_id=app.client_id,
                nonce=str(self.kept.get("nonce", "")),
            )
        )
        if "email" not in claims and "userinfo_endpoint" in self.openid_config:
            claims = self._with_userinfo(claims, token.token)
        target = str(self.kept.get("next") or reverse("home"))
        try:
            user = arrive(read_claims(claims, known), known, invitation=_invitation_of(target))
        except Refused as error:
            raise ImmediateHttpResponse(refused(request, str(error))) from None
        begin_session(request, user, Way.SINGLE_SIGN_ON)
        raise ImmediateHttpResponse(redirect(target))

    def _with_userinfo(self, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        found = self._fetch_user_info(access_token)
        # Whoever holds the access token of somebody else is somebody else.
        if not isinstance(found, dict) or found.get("sub") != claims["sub"]:
            raise ProviderError("The user info is that of another person")
        return {**found, **claims}

    def _fetch(self, url: str) -> Any:
        with get_adapter().get_requests_session() as session:
            response = session.get(url)
            response.raise_for_status()
            return response.json()


def _invitation_of(path: str) -> Invitation | None:
    """Return the invitation that somebody follows: where they go next is its page."""
    page, _, rest = reverse("invitation", args=["-"]).rpartition("-")
    if not path.startswith(page) or not path.endswith(rest):
        return None
    return open_invitation(path.removeprefix(page).removesuffix(rest))


class StudioProvider(OpenIDConnectProvider):  # type: ignore[misc]  # allauth has no types
    """The provider that the environment names."""

    id = PROVIDER
    oauth2_adapter_class = StudioOAuth2Adapter
    supports_token_authentication = False

    def get_default_scope(self) -> list[str]:
        """Ask for no more than an account needs."""
        return ["openid", "email", "profile"]


provider_classes = [StudioProvider]
