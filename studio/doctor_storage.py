"""The doctor at the storage, where it is a bucket: reachable, writable, in time, kept up with."""

from __future__ import annotations

import email.utils
import time
import urllib.error
import urllib.request
from datetime import timedelta
from importlib.util import find_spec
from typing import Final

from experiments.storage.address import BucketAddress
from experiments.storage.base import StorageError
from studio import env
from studio.doctor_finding import Seen, warned

# S3 refuses what is signed a quarter of an hour away from its own clock.
_SKEW_SECONDS: Final = 60.0
_BEHIND: Final = timedelta(minutes=10)
_INSTALL: Final = "Install it: pip install 'sweep-studio[s3]'"


def bucket() -> Seen:
    """A small object can be written, read and deleted; no ended run waits for long."""
    address = env.storage_address(env.studio_home())
    if not isinstance(address, BucketAddress):
        return Seen("not needed with a folder")
    if find_spec("obstore") is None:
        return Seen(f"{address}: the library for it is missing", f"{_INSTALL}.")
    from experiments.storage.s3 import BucketStorage  # comes with an extra

    away = clock_difference(address.endpoint_url, time.time()) if address.endpoint_url else 0.0
    try:
        detail = BucketStorage(address).check()
    except StorageError as error:
        skew = f" This machine's clock differs from it by {away:.0f} s." if away else ""
        cure = "Do what the message says; until then files stay on the studio's disk."
        return Seen(f"{error}{skew}", cure)
    if away > _SKEW_SECONDS:
        text = f"{detail}; this machine's clock differs from it by {away:.0f} s"
        why = "Requests are refused from 15 minutes on."
        return warned(text, "Keep the clock right: chrony or systemd-timesyncd.", why)
    waiting = _waiting_runs()
    if waiting:
        text = f"{detail}; {waiting} ended runs are not there after {_BEHIND}"
        return warned(text, "Look into logs/watchdog.log of the data folder.")
    return Seen(detail)


def clock_difference(url: str, now: float) -> float:
    """Return by how many seconds the clock of a web server differs; 0 when it does not say."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, method="HEAD"), timeout=5) as answer:  # noqa: S310 - http(s), checked
            date = answer.headers.get("Date", "")
    except urllib.error.HTTPError as error:  # it knows nobody without a signature
        date = error.headers.get("Date", "")
        error.close()
    except OSError:
        return 0.0
    try:
        return abs(email.utils.parsedate_to_datetime(date).timestamp() - now)
    except ValueError:
        return 0.0


def _waiting_runs() -> int:
    from django.utils import timezone

    from experiments.services.stored_runs import ended_runs_on_disk

    before = timezone.now() - _BEHIND
    return sum(
        run.ended_at is not None and run.ended_at < before for run, _ in ended_runs_on_disk()
    )
