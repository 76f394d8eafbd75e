"""Addresses of storages, and what requests that fail are told to mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.storage.address import (
    AddressError,
    BucketAddress,
    FolderAddress,
    missing_credentials,
    parse_address,
)
from experiments.storage.s3_errors import explain

HOME = Path("/home/studio/storage")
SKEWED = """Server returned non-2xx status code: 403 Forbidden: <?xml version="1.0"?>
<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the
current time is too large.</Message></Error>"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", FolderAddress(HOME)),
        ("file:///srv/my%20files", FolderAddress(Path("/srv/my files"))),
        ("file://localhost/srv", FolderAddress(Path("/srv"))),
        ("s3://bucket", BucketAddress("bucket")),
        ("s3://bucket/", BucketAddress("bucket")),
        ("s3://my.bucket/a/b/", BucketAddress("my.bucket", "a/b")),
        (
            "s3://bucket/p?endpoint_url=https://minio.example:9000/&region=eu&addressing=virtual",
            BucketAddress("bucket", "p", "https://minio.example:9000", "eu", "virtual"),
        ),
    ],
)
def test_an_address_is_read(text: str, expected: object):
    assert parse_address(text, default=HOME) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/srv/files", "has no scheme; use file:///PATH or s3://"),
        ("gs://bucket", "starts with 'gs'; use"),
        ("file://server/srv", "names no folder of this machine"),
        ("file:srv", "names no folder of this machine"),
        ("s3://", "names the bucket ''"),
        ("s3://b", "names the bucket 'b'; use 3 to 63"),
        ("s3://key:secret@bucket", "has credentials in it; set AWS_ACCESS_KEY_ID"),
        ("s3://bucket/a/../b", "has the prefix 'a/../b'"),
        ("s3://bucket?acl=public", "has the option 'acl'; known are endpoint_url, region"),
        ("s3://bucket?endpoint_url=minio", "has the endpoint_url 'minio'; use https://HOST"),
        ("s3://bucket?addressing=dns", "has the addressing 'dns'; use path or virtual"),
        ("s3://[bucket", "cannot be read"),
    ],
)
def test_a_wrong_address_is_told_what_is_allowed(text: str, words: str):
    with pytest.raises(AddressError) as caught:
        parse_address(text, default=HOME)

    assert words in str(caught.value)
    assert "secret@" not in str(caught.value)


def test_credentials_come_in_pairs_or_from_the_machine():
    away = BucketAddress("bucket", endpoint_url="https://minio.example")
    pair = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}

    assert missing_credentials(away, pair) == ""
    assert "are not set" in missing_credentials(away, {})
    assert missing_credentials(away, {**pair, "AWS_ACCESS_KEY_ID": ""}).startswith("AWS_ACCESS_KEY")
    assert missing_credentials(BucketAddress("bucket"), {}) == ""
    assert missing_credentials(BucketAddress("bucket"), {"AWS_ENDPOINT_URL": "https://x"}) != ""
    assert missing_credentials(away, {"AWS_WEB_IDENTITY_TOKEN_FILE": "/token"}) == ""


def test_the_code_of_a_service_counts_more_than_its_status():
    assert "clock" in explain(SKEWED)
    assert "access is denied" in explain("non-2xx status code: 403 Forbidden: ")
    assert "overloaded" in explain("non-2xx status code: 503 Service Unavailable: ")
    assert explain("<Code>NewTrouble</Code>") == "it says NewTrouble"
    assert explain("something  else\nwent wrong") == "it says: something else went wrong"
