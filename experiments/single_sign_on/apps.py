"""Django application `single_sign_on`: no rows, no pages of its own but the way to the provider."""

from __future__ import annotations

from typing import Any, Final

from django.apps import AppConfig

NAME: Final = "experiments.single_sign_on.apps.SingleSignOnConfig"
# What Django needs where a provider is configured. The rows of allauth stay empty: who is who is
# kept in Identity, which is there with and without a provider.
APPS: Final = ("allauth", "allauth.account", "allauth.socialaccount", NAME)
MIDDLEWARE: Final = "allauth.account.middleware.AccountMiddleware"
SETTINGS: Final[dict[str, Any]] = {
    "SOCIALACCOUNT_ADAPTER": "experiments.single_sign_on.adapter.StudioAdapter",
    "SOCIALACCOUNT_REQUESTS_TIMEOUT": 10,
    "SOCIALACCOUNT_STORE_TOKENS": False,
    "ACCOUNT_EMAIL_VERIFICATION": "none",
}


class SingleSignOnConfig(AppConfig):
    """Its module `provider` is found by allauth."""

    name = "experiments.single_sign_on"
    label = "single_sign_on"
    verbose_name = "Single sign-on"
