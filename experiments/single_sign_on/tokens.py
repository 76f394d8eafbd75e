"""Checks what a provider says: its discovery document and its ID tokens.

Nothing is taken on trust because it came over TLS: every signature is checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from secrets import compare_digest
from typing import Any, Final

import jwt

# None with a shared secret: whoever knows it could make tokens.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384")
# Clocks of two machines are never the same.
LEEWAY_SECONDS: Final = 60
_NEEDED: Final = ("iss", "sub", "aud", "exp", "iat", "nonce")
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderError(Exception):
    """What the provider sent cannot be believed; the text is for the log."""


def check_discovery(document: Any, *, issuer: str) -> dict[str, Any]:
    """Return the discovery document of exactly this issuer.

    Raises:
        ProviderError: it is that of another one, or lacks what is needed.
    """
    if not isinstance(document, dict) or document.get("issuer") != issuer:
        said = document.get("issuer") if isinstance(document, dict) else document
        raise ProviderError(f"The provider calls itself {said!r}, STUDIO_OIDC_ISSUER is {issuer!r}")
    if missing := [name for name in _ENDPOINTS if not isinstance(document.get(name), str)]:
        raise ProviderError(f"The provider does not tell its {', '.join(missing)}")
    return document


def read_id_token(
    token: str, *, keys: Any, issuer: str, client_id: str, nonce: str
) -> Mapping[str, Any]:
    """Return the claims of an ID token that was made by the issuer, for us, for this sign-in.

    Raises:
        ProviderError: it was not.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key=_key_of(token, keys),
            algorithms=list(ALGORITHMS),
            audience=client_id,
            issuer=issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": list(_NEEDED)},
        )
    except jwt.PyJWTError as error:
        raise ProviderError(f"The ID token is refused: {error}") from error
    audience = claims["aud"]
    is_shared = isinstance(audience, list) and len(audience) > 1
    if claims.get("azp", client_id) != client_id or (is_shared and "azp" not in claims):
        raise ProviderError("The ID token was made for another client")
    if not nonce or not compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise ProviderError("The ID token belongs to another sign-in: its nonce differs")
    return claims


def _key_of(token: str, keys: Any) -> Any:
    """Return the public key that the token names; the only one where it names none."""
    header = jwt.get_unverified_header(token)
    found = keys.get("keys") if isinstance(keys, dict) else None
    usable = [
        one
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict) and one.get("use", "sig") == "sig"
    ]
    if "kid" in header:
        usable = [one for one in usable if one.get("kid") == header["kid"]]
    if len(usable) != 1:
        raise ProviderError(f"No key of the provider has the id {header.get('kid')!r}")
    return jwt.PyJWK.from_json(json.dumps(usable[0]), algorithm=header.get("alg"))
