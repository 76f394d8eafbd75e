"""The provider that the environment names, where this application is installed."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from experiments.oidc_settings import OidcSettings


def known_provider() -> OidcSettings:
    """Return it; without one nothing here is reachable."""
    found = settings.STUDIO_OIDC
    if found is None:
        raise ImproperlyConfigured("STUDIO_OIDC_ISSUER is not set.")
    return found
