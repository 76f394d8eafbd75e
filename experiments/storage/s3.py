"""A storage that is a bucket of an S3-compatible service (extra `s3`, library obstore).

The library's threads do not survive a fork: a process that forks must not use this before. Reads
are requests for a few megabytes each, so that no connection waits for a slow browser.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

try:
    import obstore
    from obstore.exceptions import BaseError
    from obstore.store import S3Store
except ImportError as error:  # told by `studio up` and `studio doctor` before it comes to this
    raise ImportError("s3:// needs the extra: pip install 'sweep-studio[s3]'") from error

from experiments.storage.address import BucketAddress, missing_credentials
from experiments.storage.base import NO_TICK, Deleted, StorageError, StoredFile, check_name
from experiments.storage.s3_errors import explain

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

_READ_BYTES: Final = 4 * 1024 * 1024
_PART_BYTES: Final = 8 * 1024 * 1024
_FILES_AT_ONCE: Final = 4
_PARTS_AT_ONCE: Final = 3
_TICK_SECONDS: Final = 0.5
# What S3 allows for a whole key, in bytes.
_MAX_KEY: Final = 1024
_ODD: Final = re.compile(r"[%\\\x00-\x1f\x7f]")
_PROBE: Final = b"sweep studio"
# Somebody waits in front of a page: a storage that is away is given up after seconds.
_RETRIES: Final = 2
_RETRY_SECONDS: Final = 20
_LONGEST: Final = timedelta(minutes=2)

# The process that used the library first.
_user: list[int] = []


class BucketStorage:
    """Keeps files as objects of a bucket, below a prefix."""

    is_local = False

    def __init__(self, address: BucketAddress, *, at_once: int = 1000) -> None:
        """`at_once`: how many objects one request lists or deletes; S3 allows a thousand."""
        self.address = address
        self._at_once = at_once

    def describe(self) -> str:
        """Return the address of the bucket."""
        return str(self.address)

    def takes(self, name: str) -> bool:
        """Tell whether the key is short enough."""
        return len(f"{self.address.prefix}/{_key(name)}".encode()) <= _MAX_KEY

    def stat(self, name: str) -> StoredFile:
        """Ask for size and time of an object."""
        with self._asking():
            found = obstore.head(self._store, _key(name))
        return StoredFile(name, found["size"], found["last_modified"].timestamp())

    def read(self, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield bytes of an object, a few megabytes at a time."""
        size = self.stat(name).size
        return self._blocks(name, start, size if end is None else min(end, size))

    def _blocks(self, name: str, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            stop = min(start + _READ_BYTES, end)
            with self._asking():
                block = bytes(obstore.get_range(self._store, _key(name), start=start, end=stop))
            if len(block) != stop - start:
                raise StorageError(f"'{name}' has changed in {self.describe()} while it was read.")
            yield block
            start = stop

    def put(self, files: dict[str, Path], tick: Callable[[], None] = NO_TICK) -> None:
        """Upload files, several at once; large ones in parts that appear together."""
        self._check_process()
        pool = ThreadPoolExecutor(_FILES_AT_ONCE, thread_name_prefix="upload")
        try:
            waiting = {pool.submit(partial(self._put, n, path)) for n, path in files.items()}
            while waiting:
                done, waiting = wait(waiting, _TICK_SECONDS, return_when=FIRST_EXCEPTION)
                _raise_first(done)
                tick()
        finally:
            # What has begun is whole or nothing; whoever was interrupted waits for nobody.
            pool.shutdown(wait=False, cancel_futures=True)

    def _put(self, name: str, source: Path) -> None:
        size = source.stat().st_size
        with self._asking(), self._writing():
            # Every request carries the SHA-256 of its body, which the service compares.
            obstore.put(
                self._store,
                _key(name),
                source,
                chunk_size=_PART_BYTES,
                max_concurrency=_PARTS_AT_ONCE,
                use_multipart=size > _PART_BYTES,
            )
            stored = obstore.head(self._store, _key(name))["size"]
        if stored != size:
            self.delete(name)
            text = f"'{name}' has {stored} bytes in {self.describe()} instead of {size}"
            raise StorageError(f"{text}: it changed while it was sent.")

    def files(self, prefix: str) -> Iterator[StoredFile]:
        """Yield what is below a prefix."""
        with self._asking():
            chunks = iter(obstore.list(self._store, _key(prefix), chunk_size=self._at_once))
        while True:
            with self._asking():
                chunk = next(chunks, None)
            if chunk is None:
                return
            for one in chunk:
                yield StoredFile(
                    unquote(one["path"]), one["size"], one["last_modified"].timestamp()
                )

    def size(self, prefix: str) -> int:
        """Add up what is below a prefix."""
        return sum(file.size for file in self.files(prefix))

    def delete(self, name: str) -> int:
        """Remove an object."""
        try:
            size = self.stat(name).size
        except FileNotFoundError:
            return 0
        with self._asking():
            obstore.delete(self._store, _key(name))
        return size

    def delete_tree(self, prefix: str, *, until: float = float("inf")) -> Deleted:
        """Remove what is below a prefix."""
        freed = 0
        batch: list[StoredFile] = []
        for file in self.files(prefix):
            batch.append(file)
            if len(batch) == self._at_once:
                freed += self._delete_batch(batch)
                batch = []
                if time.monotonic() >= until:
                    return Deleted(freed, is_done=False)
        return Deleted(freed + self._delete_batch(batch), is_done=True)

    def _delete_batch(self, batch: list[StoredFile]) -> int:
        if batch:
            with self._asking():
                obstore.delete(self._store, [_key(file.name) for file in batch])
        return sum(file.size for file in batch)

    def check(self) -> str:
        """Write, read and delete a small object."""
        name = f"probes/{secrets.token_hex(8)}"
        with self._asking(), self._writing():
            obstore.put(self._store, name, _PROBE)
        found = b"".join(self.read(name))
        with self._asking():
            obstore.delete(self._store, name)
        if found != _PROBE:
            raise StorageError(f"{self.describe()} does not give back what was written.")
        return f"{self.describe()}, written, read and deleted"

    @cached_property
    def _store(self) -> S3Store:
        self._check_process()
        problem = missing_credentials(self.address, os.environ)
        if problem:
            raise StorageError(f"The storage {self.describe()} cannot be used: {problem}")
        config, client = _options(self.address)
        return S3Store(
            self.address.bucket,
            prefix=self.address.prefix or None,
            config=config,
            client_options=client,
            retry_config={
                "max_retries": _RETRIES,
                "retry_timeout": timedelta(seconds=_RETRY_SECONDS),
            },
        )

    def _check_process(self) -> None:
        # Without this, a fork would wait for threads that only its parent has, for ever.
        if not _user:
            _user.append(os.getpid())
        if _user[0] != os.getpid():
            raise StorageError(
                "This process was forked from one that had used the storage; use it in one of them."
            )

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Say what the library says in words of ours."""
        self._check_process()
        try:
            yield
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise self._problem(error) from error
            raise FileNotFoundError(f"{self.describe()} has no such file.") from None
        except BaseError as error:
            raise self._problem(error) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:  # not a file: it is being written
            raise self._problem(error) from error

    def _problem(self, error: Exception) -> StorageError:
        return StorageError(f"The storage {self.describe()} cannot be used: {explain(str(error))}.")


def _key(name: str) -> str:
    """Return the key of a file: characters that services or libraries change stand as %XX."""
    return _ODD.sub(lambda match: f"%{ord(match[0]):02X}", check_name(name))


def _options(address: BucketAddress) -> tuple[S3Config, ClientConfig]:
    """Return what the address says; everything else comes from the AWS variables."""
    config: S3Config = {}
    client: ClientConfig = {
        "connect_timeout": timedelta(seconds=3),
        "timeout": _LONGEST,
        "allow_http": True,
    }
    if address.endpoint_url:
        config["endpoint"] = address.endpoint_url
    if address.region:
        config["region"] = address.region
    if address.addressing:
        config["virtual_hosted_style_request"] = address.addressing == "virtual"
    bundle = os.environ.get("AWS_CA_BUNDLE", "")
    if bundle:
        client["root_certificate"] = Path(bundle).read_bytes()
    return config, client


def _raise_first(done: set[Future[None]]) -> None:
    for future in done:
        future.result()
