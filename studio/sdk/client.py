"""REST client of a studio: one connection description, retries, errors that say what to do.

Standard library only, Python 3.8 syntax. Knows addresses and JSON, not what they mean.

Errors: StudioError > StudioUnreachableError (no answer), StudioRefusedError (a problem document).
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, BinaryIO, Dict, Iterator, List, Mapping, NamedTuple, Optional, Union

_RETRIED_STATUSES = frozenset({429, 502, 503, 504})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CHUNK = 1 << 16


class StudioError(Exception):
    """Something between this program and the studio went wrong."""


class StudioUnreachableError(StudioError):
    """No studio answers at the address."""


class StudioRefusedError(StudioError):
    """The studio answered with an error; `errors` are its problems, each with its path."""

    def __init__(self, status: int, detail: str, errors: List[Dict[str, str]]) -> None:
        self.status = status
        self.detail = detail
        self.errors = errors
        super().__init__(detail)


class Connection(NamedTuple):
    """Where a studio is and what opens it."""

    url: str
    token: str


def find_connection(environment: Mapping[str, str], home: Path) -> Connection:
    """Return STUDIO_URL and STUDIO_TOKEN, else what `studio up` left in its data folder.

    Raises:
        StudioUnreachableError: neither is there.
    """
    url = environment.get("STUDIO_URL", "").strip().rstrip("/")
    token = environment.get("STUDIO_TOKEN", "").strip()
    if url and not url.startswith(("http://", "https://")):
        raise StudioUnreachableError(
            f"STUDIO_URL is '{url}', which is not an address. Write it like http://host:8000."
        )
    if url and token:
        return Connection(url, token)
    try:
        address = json.loads((home / "address.json").read_text(encoding="utf-8"))
        local = Connection(
            str(address["url"]).rstrip("/"),
            (home / "cli-token").read_text(encoding="utf-8").strip(),
        )
    except (OSError, ValueError, KeyError, TypeError):
        local = None
    if url and not (local and local.url == url):
        raise StudioUnreachableError(
            f"STUDIO_URL is {url}, but STUDIO_TOKEN is not set. "
            "`studio token create NAME` on the studio's machine makes a token."
        )
    if local is None:
        raise StudioUnreachableError(
            f"No studio is known on this machine: {home / 'address.json'} cannot be read. "
            "Start one with `studio up`, or set STUDIO_URL and STUDIO_TOKEN."
        )
    return Connection(local.url, token or local.token)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to another address."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class StudioClient:
    """Calls `/api/v1/` of one studio.

    Reading is repeated when the studio does not answer; writing only while nothing can have
    arrived (the connection was refused), so that nothing happens twice.
    """

    def __init__(
        self, connection: Connection, *, timeout: float = 30.0, patience: float = 5.0
    ) -> None:
        self.connection = connection
        self.timeout = timeout
        self.patience = patience
        host = urllib.parse.urlsplit(connection.url).hostname or ""
        handlers: List[Any] = [_NoRedirects()]
        if host in _LOOPBACK:
            # A proxy of the company cannot reach this machine's own loopback address.
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON at `path`; None in the query leaves a parameter out."""
        return self._json("GET", path, query, None, "")

    def post(self, path: str, document: Any = None, **query: Any) -> Any:
        """Send a JSON document and return the JSON answer."""
        body = None if document is None else json.dumps(document).encode("utf-8")
        return self._json("POST", path, query, body, "application/json")

    def patch(self, path: str, document: Any) -> Any:
        """Send changes as a JSON document and return the JSON answer."""
        body = json.dumps(document).encode("utf-8")
        return self._json("PATCH", path, {}, body, "application/json")

    def put(self, path: str, document: Any) -> Any:
        """Send the whole of something as a JSON document and return the JSON answer."""
        body = json.dumps(document).encode("utf-8")
        return self._json("PUT", path, {}, body, "application/json")

    def delete(self, path: str, **query: Any) -> Any:
        """Delete what is at `path` and return the JSON answer, None without one."""
        return self._json("DELETE", path, query, None, "")

    def upload(
        self, path: str, body: Union[bytes, BinaryIO], content_type: str, **query: Any
    ) -> Any:
        """Send bytes or a seekable file and return the JSON answer."""
        return self._json("POST", path, query, body, content_type)

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """Yield the items of a list, page after page."""
        cursor: Optional[str] = None
        while True:
            page = self.get(path, cursor=cursor, **query)
            for item in page["items"]:
                yield item
            cursor = page["next_cursor"]
            if not cursor:
                return

    def download(self, path: str, target: BinaryIO) -> None:
        """Write the body at `path` to `target`."""
        with self._open("GET", path, {}, None, "") as response:
            while True:
                piece = response.read(_CHUNK)
                if not piece:
                    return
                target.write(piece)

    def _json(self, method: str, path: str, query: Any, body: Any, content_type: str) -> Any:
        with self._open(method, path, query, body, content_type) as response:
            raw = response.read()
            if response.status == 204:
                return None
        try:
            return json.loads(raw)
        except ValueError:
            raise StudioUnreachableError(
                f"{self.connection.url} answered something else than JSON; is it a studio?"
            ) from None

    def _open(self, method: str, path: str, query: Any, body: Any, content_type: str) -> Any:
        deadline = time.monotonic() + self.patience
        pause = 0.2
        while True:
            try:
                return self._opener.open(
                    self._request(method, path, query, body, content_type), timeout=self.timeout
                )
            except urllib.error.HTTPError as error:
                if not self._is_repeatable(method, error) or time.monotonic() > deadline:
                    raise _refusal(error, self.connection.url) from None
            except (OSError, http.client.HTTPException) as error:
                reason = getattr(error, "reason", error)
                if not self._is_repeatable(method, reason) or time.monotonic() > deadline:
                    raise StudioUnreachableError(
                        f"The studio at {self.connection.url} does not answer ({reason}). "
                        "Start it with `studio up`, or correct STUDIO_URL."
                    ) from None
            time.sleep(pause)
            pause = min(pause * 2, 2.0)

    def _request(
        self, method: str, path: str, query: Any, body: Any, content_type: str
    ) -> urllib.request.Request:
        url = f"{self.connection.url}/api/v1/{path.lstrip('/')}"
        wanted = {name: value for name, value in query.items() if value is not None}
        if wanted:
            url += "?" + urllib.parse.urlencode(wanted, doseq=True)
        headers = {
            "Authorization": f"Bearer {self.connection.token}",
            "Accept": "application/json, application/problem+json",
            "User-Agent": "sweep-studio-client",
        }
        if content_type:
            headers["Content-Type"] = content_type
        if hasattr(body, "seek"):
            body.seek(0, 2)
            headers["Content-Length"] = str(body.tell())
            body.seek(0)
        return urllib.request.Request(url, data=body, headers=headers, method=method)  # noqa: S310 -- the address is the user's own setting

    def _is_repeatable(self, method: str, error: Any) -> bool:
        if isinstance(error, ConnectionRefusedError):
            return True
        if isinstance(error, urllib.error.HTTPError):
            return error.code in _RETRIED_STATUSES and (method == "GET" or error.code == 429)
        return method == "GET"


def _refusal(error: urllib.error.HTTPError, url: str) -> StudioError:
    """Turn an error answer into an exception; a body of another server says so."""
    with error:
        raw = error.read()
    try:
        document = json.loads(raw)
        return StudioRefusedError(error.code, str(document["detail"]), list(document["errors"]))
    except (ValueError, KeyError, TypeError):
        if 300 <= error.code < 400:
            return StudioUnreachableError(
                f"{url} sends clients on to {error.headers.get('Location')}; "
                "set STUDIO_URL to the final address."
            )
        return StudioUnreachableError(
            f"{url} answered {error.code} without a problem document; is it a studio?"
        )
