"""The address of a storage: `file:///PATH`, or `s3://BUCKET/PREFIX?endpoint_url=...&region=...`.

Credentials are no part of it; they come from the usual AWS variables. Imports nothing of Django.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

_FORMS: Final = (
    "file:///PATH or s3://BUCKET/PREFIX?endpoint_url=https://HOST&region=REGION (all after the "
    "bucket may be left out)"
)
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_ADDRESSING: Final = ("path", "virtual")
_KEY: Final = "AWS_ACCESS_KEY_ID"
_SECRET: Final = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - a name
# What gives credentials to machines and containers of AWS.
_ROLES: Final = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_OPTIONS: Final = ("endpoint_url", "region", "addressing")


class AddressError(ValueError):
    """The address cannot be used; the sentence says what is wrong and what is allowed."""


@dataclass(frozen=True, slots=True)
class FolderAddress:
    """A folder of this machine."""

    path: Path


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """A bucket of an S3-compatible service; what is empty comes from the AWS variables."""

    bucket: str
    prefix: str = ""
    endpoint_url: str = ""
    region: str = ""
    # How the bucket is named in requests: in the path, or as a part of the host name.
    addressing: str = ""

    def __str__(self) -> str:
        where = f" at {self.endpoint_url}" if self.endpoint_url else ""
        return f"s3://{'/'.join(part for part in (self.bucket, self.prefix) if part)}{where}"


def parse_address(text: str, *, default: Path) -> FolderAddress | BucketAddress:
    """Return the address that a text stands for; nothing stands for the folder `default`.

    Raises:
        AddressError: it is none.
    """
    if not text:
        return FolderAddress(default)
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise AddressError(f"cannot be read ({error}); use {_FORMS}.") from error
    if parts.scheme == "file":
        path = unquote(parts.path)
        if parts.netloc not in ("", "localhost") or not path.startswith("/"):
            raise AddressError("names no folder of this machine; use file:///PATH.")
        return FolderAddress(Path(path))
    if parts.scheme == "s3":
        return _bucket(parts.netloc, unquote(parts.path).strip("/"), parts.query)
    start = f"starts with {parts.scheme!r}" if parts.scheme else "has no scheme"
    raise AddressError(f"{start}; use {_FORMS}.")


def missing_credentials(address: BucketAddress, environment: Mapping[str, str]) -> str:
    """Return what is missing among the AWS variables; "" when requests can be signed.

    Away from AWS itself nobody else gives credentials out.
    """
    key, secret = (environment.get(name, "") for name in (_KEY, _SECRET))
    if bool(key) != bool(secret):
        return f"{_SECRET if key else _KEY} is not set."
    if key or any(environment.get(name) for name in _ROLES):
        return ""
    endpoint = address.endpoint_url or environment.get("AWS_ENDPOINT_URL_S3")
    if endpoint or environment.get("AWS_ENDPOINT_URL"):
        return f"{_KEY} and {_SECRET} are not set."
    return ""


def _bucket(bucket: str, prefix: str, query: str) -> BucketAddress:
    if "@" in bucket:
        # The address is shown in messages; secrets must not be.
        raise AddressError(
            "has credentials in it; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead."
        )
    if not _BUCKET.fullmatch(bucket):
        raise AddressError(f"names the bucket {bucket!r}; use 3 to 63 letters, digits, '.', '-'.")
    if ".." in prefix.split("/") or "" in prefix.split("/")[:-1]:
        raise AddressError(f"has the prefix {prefix!r}; use names without '..' between slashes.")
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        raise AddressError(f"has the option {unknown[0]!r}; known are {', '.join(_OPTIONS)}.")
    endpoint = options.get("endpoint_url", "")
    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise AddressError(f"has the endpoint_url {endpoint!r}; use https://HOST or http://HOST.")
    addressing = options.get("addressing", "")
    if addressing not in ("", *_ADDRESSING):
        raise AddressError(f"has the addressing {addressing!r}; use path or virtual.")
    return BucketAddress(
        bucket, prefix, endpoint.rstrip("/"), options.get("region", ""), addressing
    )
