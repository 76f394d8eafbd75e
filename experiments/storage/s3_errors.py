"""What an S3-compatible service or the way to it says, in words that tell what to do. Pure."""

from __future__ import annotations

import re
from typing import Final

_CODE: Final = re.compile(r"<Code>(\w+)</Code>")
_STATUS: Final = re.compile(r"non-2xx status code: (\d{3})")
_SKEW: Final = (
    "the clocks of this machine and of the storage differ too much; set this machine's clock "
    "(chrony or systemd-timesyncd keep it right)"
)
_NO_BUCKET: Final = "there is no such bucket; create it, or correct STUDIO_STORAGE_URL"
_REGION: Final = "the bucket is in another region; add region=... to STUDIO_STORAGE_URL"
_KEY: Final = "the access key is not known there; correct AWS_ACCESS_KEY_ID"
_TOKEN: Final = "the session token is not valid (any more); renew AWS_SESSION_TOKEN"  # noqa: S105 - words
_DENIED: Final = (
    "access is denied; check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and allow them to read, "
    "write, list and delete in this bucket"
)
_FULL: Final = "the storage is full; free some space there"
_BUSY: Final = "the storage is overloaded or out of order; try again later"
_BY_CODE: Final = {
    "SignatureDoesNotMatch": "the secret key is wrong; correct AWS_SECRET_ACCESS_KEY",
    "InvalidAccessKeyId": _KEY,
    "InvalidToken": _TOKEN,
    "ExpiredToken": _TOKEN,
    "AccessDenied": _DENIED,
    "AllAccessDisabled": _DENIED,
    "RequestTimeTooSkewed": _SKEW,
    "RequestExpired": _SKEW,
    "NoSuchBucket": _NO_BUCKET,
    "InvalidBucketName": _NO_BUCKET,
    "PermanentRedirect": _REGION,
    "TemporaryRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "QuotaExceeded": _FULL,
    "XMinioStorageFull": _FULL,
    "SlowDown": _BUSY,
    "ServiceUnavailable": _BUSY,
    "InternalError": _BUSY,
    "KeyTooLongError": "a file has a name that is too long for it",
}
_BY_STATUS: Final = {"301": _REGION, "401": _DENIED, "403": _DENIED, "404": _NO_BUCKET}
# What the network layer says, deep inside; the first that is found counts.
_BY_WORDS: Final = (
    ("InvalidContentType", "it does not speak TLS; use http:// in endpoint_url"),
    ("UnknownIssuer", "its certificate is not known here; name the file in AWS_CA_BUNDLE"),
    ("certificate", "its certificate is not accepted; see AWS_CA_BUNDLE"),
    ("ConnectionRefused", "nothing answers there; start the service or correct endpoint_url"),
    ("dns error", "no machine has this name; correct endpoint_url"),
    ("NetworkUnreachable", "there is no route to it; look at the network"),
    ("HostUnreachable", "there is no route to it; look at the network"),
    ("TimedOut", "it does not answer in time; look at the network, or correct endpoint_url"),
    ("timed out", "it does not answer in time; look at the network, or correct endpoint_url"),
)


def explain(text: str) -> str:
    """Return half a sentence for what a failed request says of itself."""
    code = _CODE.search(text)
    if code and code[1] in _BY_CODE:
        return _BY_CODE[code[1]]
    for words, meaning in _BY_WORDS:
        if words in text:
            return meaning
    status = _STATUS.search(text)
    if status and status[1] in _BY_STATUS:
        return _BY_STATUS[status[1]]
    if status and status[1].startswith("5"):
        return _BUSY
    if code:
        return f"it says {code[1]}"
    return f"it says: {' '.join(text.split())[:200]}"
