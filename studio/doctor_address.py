"""The doctor at the door: the web server here, and the way to it through a proxy.

STUDIO_URL is what people type; without it, what `studio up` noted.
"""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from typing import Any, Final
from urllib.parse import urlsplit

from studio import env
from studio.doctor_finding import Seen, warned

_SECONDS: Final = 5
# What the studio closes the socket of a stranger with; nobody else does.
_STRANGER: Final = 4401


def noted_url() -> str:
    """Return where `studio up` listens; "" when it does not run."""
    path = env.studio_home() / "address.json"
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["url"]).rstrip("/")
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def public_url() -> str:
    """Return the address that people use."""
    return env.text("STUDIO_URL").rstrip("/") or noted_url()


def _get(url: str) -> Any:
    # Proxies of the environment are for other hosts.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(url, timeout=_SECONDS)


def web() -> Seen:
    """The web server of this machine answers."""
    url = noted_url()
    if not url:
        path = env.studio_home() / "address.json"
        return Seen(f"{path} cannot be read", "Start the studio: `studio up`.")
    try:
        with _get(f"{url}/api/v1/openapi.json") as answer:
            title = json.load(answer)["info"]["title"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Seen(f"{url} does not answer: {error}", "Start the studio: `studio up`.")
    return Seen(f"{title} answers at {url}")


def address() -> Seen:
    """The address that people use leads to this very studio."""
    from studio.health import KEY_HEADER, key_mark

    url = public_url()
    if not url:
        return Seen("not known", "Start the studio: `studio up`, or set STUDIO_URL.")
    try:
        with _get(f"{url}/healthz") as answer:
            mark, kind = answer.headers.get(KEY_HEADER), answer.headers.get_content_type()
    except urllib.error.HTTPError as error:
        return _refused(url, error)
    except (OSError, ValueError) as error:
        cure = "Start the proxy, or correct STUDIO_URL."
        return Seen(f"{url}/healthz: {getattr(error, 'reason', error)}", cure)
    if mark is None or kind != "application/json":
        cure = "Correct STUDIO_URL, or proxy_pass and the prefix of its location."
        return Seen(f"something else than a studio answers at {url}", cure)
    if mark != key_mark():
        cure = "Set the same STUDIO_SECRET_KEY for both, or correct STUDIO_URL."
        why = "Sessions of one are unknown to the other: people are signed out again and again."
        return Seen(f"the studio at {url} has another secret key", cure, why)
    return Seen(f"{url} leads here")


def _refused(url: str, error: urllib.error.HTTPError) -> Seen:
    host = urlsplit(url).hostname
    detail = f"{url}/healthz answers {error.code}"
    if error.code == 400:
        names = " ".join(dict.fromkeys([*env.words("STUDIO_ALLOWED_HOSTS", []), str(host)]))
        cure = f'Set STUDIO_ALLOWED_HOSTS="{names}" and start the studio again.'
        return Seen(detail, cure, f"The studio does not answer to the name {host}.")
    if error.code == 503:
        return Seen(detail, "Mend Database and Redis above.", "The studio misses a part.")
    if error.code in (502, 504):
        cure = "Start the studio (`studio up`), or correct proxy_pass."
        return Seen(detail, cure, "The proxy does not reach the studio.")
    cure = "Correct STUDIO_URL, STUDIO_BASE_PATH or the location of the proxy."
    return Seen(detail, cure, "The studio has no such address.")


def sockets() -> Seen:
    """Websockets get through to the studio."""
    from websockets.exceptions import InvalidHandshake, WebSocketException
    from websockets.sync.client import connect
    from websockets.typing import Origin

    url = public_url()
    if not url:
        return Seen("not known", "Start the studio: `studio up`, or set STUDIO_URL.")
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    context = ssl.create_default_context() if is_tls else None
    target = f"{'wss' if is_tls else 'ws'}://{parts.netloc}{parts.path}/ws/sweeps/"
    why = "Pages ask every few seconds instead of being told."
    cure = "Pass Upgrade and Connection on in the proxy: see examples/deploy/nginx."
    try:
        with connect(
            target,
            origin=Origin(f"{parts.scheme}://{parts.netloc}"),
            ssl=context,
            open_timeout=_SECONDS,
            close_timeout=1,
            proxy=None,
        ) as socket:
            code = _close_code(socket)
    except InvalidHandshake as error:
        return warned(f"{target}: {error}", cure, why)
    except (OSError, WebSocketException, ValueError) as error:
        return warned(f"{target}: {error}", cure, why)
    if code != _STRANGER:
        return warned(f"{target} was closed with {code}", cure, why)
    return Seen("websockets get through")


def _close_code(socket: Any) -> int | None:
    from websockets.exceptions import ConnectionClosed

    try:
        socket.recv(timeout=_SECONDS)
    except ConnectionClosed as error:
        return error.rcvd.code if error.rcvd else None
    except TimeoutError:
        return None
    return None


def allowed_hosts() -> Seen:
    """The studio answers to its own names alone."""
    from django.conf import settings

    names = list(settings.ALLOWED_HOSTS)
    host = urlsplit(public_url()).hostname or "studio.example"
    if "*" in names:
        cure = f'Set STUDIO_ALLOWED_HOSTS="{host}".'
        return warned("every name", cure, "Other sites can point people at this studio.")
    return Seen(", ".join(name for name in names if name != "testserver"))


def attached() -> Seen:
    """The studio of this worker machine answers, takes its token and has the same version."""
    from studio.sdk.client import Connection, StudioClient, StudioError
    from studio.version import VERSION

    url = env.text("STUDIO_URL").rstrip("/")
    if not url:
        return Seen("STUDIO_URL is not set", "Set STUDIO_URL to the address of the studio.")
    client = StudioClient(Connection(url, env.text("STUDIO_COMPUTE_TOKEN")), patience=2.0)
    try:
        answer = client.get("attached")
    except StudioError as error:
        cure = "Correct STUDIO_URL, or attach this machine again on the page Compute."
        return Seen(str(error), cure, "Code and files of runs do not get through.")
    theirs = answer.get("version", "unknown")
    detail = f"{url} takes the token of the target {answer['compute']}"
    if theirs != VERSION:
        cure = f"Install {theirs} here, and start the workers again."
        return warned(f"{detail}; it has {theirs}, here is {VERSION}", cure)
    return Seen(f"{detail}, version {VERSION}")
