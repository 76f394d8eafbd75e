"""Addresses of accounts: one's own, and the ways to one."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, path

from experiments.views import account_pages, browser_sessions, password_reset, sign_up, tokens

urlpatterns: list[URLPattern] = [
    path("account/", account_pages.account, name="account"),
    path("account/name/", account_pages.name, name="account_name"),
    path("account/address/", account_pages.address, name="account_address"),
    path("account/close/", account_pages.close, name="account_close"),
    path("account/tokens/", tokens.tokens, name="tokens"),
    path("account/tokens/<int:token_id>/revoke/", tokens.revoke, name="token_revoke"),
    path("account/sessions/", browser_sessions.sessions, name="sessions"),
    path("account/sessions/others/", browser_sessions.end_others, name="sessions_end_others"),
    path("account/sessions/<int:session_id>/end/", browser_sessions.end, name="session_end"),
    path("password-reset/", password_reset.ask, name="password_reset"),
    path(
        "password-reset/<str:uid>/<str:token>/", password_reset.choose, name="password_reset_link"
    ),
    path("sign-up/", sign_up.begin, name="sign_up"),
    path("sign-up/<str:token>/", sign_up.proven, name="sign_up_proven"),
]

if settings.STUDIO_OIDC is not None:
    # Only there, so that nobody else waits for what it imports.
    from experiments.single_sign_on import urls as single_sign_on

    urlpatterns += single_sign_on.urlpatterns
