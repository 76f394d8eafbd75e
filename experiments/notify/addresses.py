"""Addresses of webhooks: which may be written down, and where their names may lead.

A name is resolved once and the connection goes to exactly the address that was checked, so that a
name server which changes its answer gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

MAX_URL: Final = 2000
_PORTS: Final = {"http": 80, "https": 443}
_MASKED: Final = 4
# IPv4 addresses in other clothes: what they lead to depends on the network.
_TRANSLATED: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
_PRIVATE_TEXT: Final = (
    "is an address of this machine or of a private network; webhooks go to public addresses only. "
    "The administrator may allow others with STUDIO_WEBHOOK_PRIVATE=1."
)


class AddressRefused(ValueError):  # noqa: N818 - an answer to whoever typed it
    """The address cannot or may not be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook is posted: what stands in its URL, taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """The Host header: the port only where it is not the usual one."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _PORTS[self.scheme] else f"{name}:{self.port}"


def read_url(text: str, *, allow_private: bool) -> Target:
    """Take the URL of a webhook apart; nothing is resolved or asked.

    Raises:
        AddressRefused: it is no URL that a webhook may have.
    """
    url = text.strip()
    if len(url) > MAX_URL:
        raise AddressRefused(f"The URL has {len(url)} characters; use at most {MAX_URL}.")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise AddressRefused(
            "The URL has a blank, a line end or a letter beyond ASCII; write those as %20 or xn--."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("The URL cannot be read; use https://HOST/PATH.") from None
    _check_parts(parts)
    host = (parts.hostname or "").rstrip(".")
    if not allow_private and _is_private_name(host):
        raise AddressRefused(f"{host} {_PRIVATE_TEXT}")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], path)


def mask_url(url: str) -> str:
    """Return what pages show of a URL: its host and its last letters, since paths hold secrets."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    rest = url[len(origin) :]
    return url if len(rest) <= _MASKED else f"{origin}/…{rest[-_MASKED:]}"


def resolve(target: Target, *, allow_private: bool) -> list[str]:
    """Return the addresses behind the name of a target.

    Raises:
        AddressRefused: one of them is not public; one is enough, which one is used is luck.
        OSError: the name is not known.
    """
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not allow_private and not is_public(address):
            where = target.host if target.host == address else f"{target.host} ({address})"
            raise AddressRefused(f"{where} {_PRIVATE_TEXT}")
    return addresses


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the public internet."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if any(ip in network for network in _TRANSLATED):
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _check_parts(parts: SplitResult) -> None:
    if parts.scheme not in _PORTS:
        raise AddressRefused(
            f"The URL starts with {parts.scheme or 'nothing'!r}; use https or http."
        )
    if not parts.hostname or parts.port == 0:
        raise AddressRefused("The URL names no host; use https://HOST/PATH.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("The URL has a user name or password in it; use one without.")
    if parts.fragment:
        raise AddressRefused("The URL has a part after #, which no server ever sees; remove it.")
    if any(char in parts.hostname for char in "<>\"'\\^`{|}%") or "\\" in parts.path:
        raise AddressRefused(f"{parts.hostname!r} is no name of a host.")


def _is_private_name(host: str) -> bool:
    """Tell whether a host is private by its name alone; the others are judged when resolved."""
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return not is_public(host)
