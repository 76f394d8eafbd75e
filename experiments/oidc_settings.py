"""The provider of single sign-on (OpenID Connect) that the environment names. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_NEEDED: Final = ("STUDIO_OIDC_ISSUER", "STUDIO_OIDC_CLIENT_ID", "STUDIO_OIDC_CLIENT_SECRET")


class OidcSettingsError(ValueError):
    """The variables name no provider that can be used; the sentence says which and why."""


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """Where people are signed in, and what of their claims means something here."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str
    admin_group: str
    group_claim: str
    # The provider vouches for every address, although it does not say so in `email_verified`.
    trusts_email: bool


def read_oidc_settings(
    text: Callable[[str], str], flag: Callable[[str], bool]
) -> OidcSettings | None:
    """Return the provider that variables name; None when nothing is set.

    Raises:
        OidcSettingsError: one is missing or cannot be used.
    """
    given = [name for name in _NEEDED if text(name)]
    if not given:
        return None
    if missing := [name for name in _NEEDED if name not in given]:
        raise OidcSettingsError(
            f"{' and '.join(missing)} must be set as well, because {given[0]} is."
        )
    issuer = text("STUDIO_OIDC_ISSUER")
    parts = urlsplit(issuer)
    is_safe = parts.scheme == "https" or parts.hostname in _LOOPBACK
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or not is_safe:
        raise OidcSettingsError(
            f"STUDIO_OIDC_ISSUER is {issuer!r}; use the issuer's address exactly as its provider "
            "gives it, https://HOST or https://HOST/PATH (http on this machine only)."
        )
    return OidcSettings(
        issuer=issuer,
        client_id=text("STUDIO_OIDC_CLIENT_ID"),
        client_secret=text("STUDIO_OIDC_CLIENT_SECRET"),
        name=text("STUDIO_OIDC_NAME") or "single sign-on",
        admin_group=text("STUDIO_OIDC_ADMIN_GROUP"),
        group_claim=text("STUDIO_OIDC_GROUP_CLAIM") or "groups",
        trusts_email=flag("STUDIO_OIDC_TRUST_EMAIL"),
    )
