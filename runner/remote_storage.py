"""The files of an attempt on a machine that does not see the studio's folder: over HTTP.

Snapshots are fetched once and kept; logs are sent while they grow; every other file is sent whole,
in blocks, named by its SHA-256, so that a broken transfer goes on where it broke. Nothing is
removed here before the studio has it.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import shutil
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from django.conf import settings

from experiments.services.runs import ClaimedRun, EarlierOutputs, add_artifacts
from runner.live_sync import LiveSync
from runner.process import this_process
from runner.workdir import KEPT, Workdir, digest_of, keep_files, list_kept, tree_bytes
from studio.sdk.client import Connection, StudioClient, StudioError, StudioRefusedError

logger = logging.getLogger(__name__)

ATTEMPT_FILE: Final = "attempt.json"
_BLOCK: Final = 8 * 1024 * 1024
_PAUSE_SECONDS: Final = 2.0
_HURRY_SECONDS: Final = 3.0
_T = TypeVar("_T")


# From here on the answer is no refusal: its database is away, or a proxy does not reach it.
_SERVER_ERROR: Final = 500


class TransferError(OSError):
    """The studio does not answer, or does not take the files; the text says which."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Whose directory this is, as its file says: an attempt at a run, and its executor."""

    run_id: int
    run: str
    fence: int
    pid: int
    started: float


class RemoteStorage:
    """Exchanges the files of one attempt with the studio."""

    def __init__(self, connection: Connection, *, patience: float) -> None:
        """`patience`: how many seconds the studio may be away before a transfer is given up."""
        self._client = StudioClient(connection)
        self._patience = patience
        self._attempt: Attempt | None = None
        self._workdir: Workdir | None = None
        self._sync: LiveSync | None = None
        self._is_kept = False

    def snapshot(self, digest: str, tick: Callable[[], None]) -> Path:
        """Return the zip in this machine's cache, fetched and verified when it is not there."""
        target = Path(settings.STUDIO_HOME) / "cache" / "snapshots" / f"{digest}.zip"
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            incoming = target.with_suffix(f".{os.getpid()}.part")
            try:
                self._patiently(lambda: self._fetch(digest, incoming), tick)
                incoming.replace(target)
            finally:
                incoming.unlink(missing_ok=True)
        return target

    def open(self, claimed: ClaimedRun, workdir: Workdir, tick: Callable[[], None]) -> str:
        """Begin: note whose directory this is, and let the studio make its counterpart."""
        me = this_process()
        attempt = Attempt(
            claimed.run_id, claimed.public_id, claimed.fence, pid=me.pid, started=me.started
        )
        (workdir.path / ATTEMPT_FILE).write_text(json.dumps(asdict(attempt)))
        self.reopen(attempt, workdir)
        answer = self._patiently(lambda: self._client.post(self.address("")), tick)
        return str(answer["directory"])

    def reopen(self, attempt: Attempt, workdir: Workdir) -> None:
        """Go on with the directory of an attempt whose executor is gone."""
        self._attempt, self._workdir = attempt, workdir

    def follow(self) -> None:
        """Send logs and checkpoints in the background, and fetch what was reported over HTTP."""
        if self._workdir is not None:
            self._sync = LiveSync(self._client, self, self._workdir)
            self._sync.start()

    def keep(self, tick: Callable[[], None]) -> int:
        """Send what the studio has not got yet, then note the files in the database."""
        if self._workdir is None or self._attempt is None:
            return 0
        self._end_sync()
        keep_files(self._workdir)
        kept = list_kept(self._workdir, tick)
        names = [file.place.relative_to(self._workdir.path).as_posix() for file in kept]
        for name, file in zip(names, kept, strict=True):
            self.send(name, file.place, file.size, file.digest, tick)
        # What was sent while the script ran and is gone by now must not stay.
        self._patiently(lambda: self._client.post(self.address("kept"), names), tick)
        add_artifacts(self._attempt.run_id, [(f.path, f.size, f.digest) for f in kept])
        self._is_kept = True
        return tree_bytes(self._workdir.path / KEPT[0])

    def earlier_outputs(self, earlier: EarlierOutputs, tick: Callable[[], None]) -> Path:
        """Fetch the outputs of the run that this one goes on from, and return their directory."""
        if self._workdir is None:
            raise TransferError("No attempt is open.")
        target = self._workdir.path / "earlier"
        archive = target.with_suffix(".zip")
        self._patiently(lambda: self._fetch_earlier(archive), tick)
        with zipfile.ZipFile(archive) as files:
            files.extractall(target / KEPT[0])
        archive.unlink()
        return target

    def hurry(self) -> None:
        """Wait no longer for a studio that is away: what is left is sent by the next worker."""
        self._patience = _HURRY_SECONDS

    def close(self) -> None:
        """Stop sending; the directory goes when the studio has everything."""
        self._end_sync()
        if self._is_kept and self._workdir is not None:
            shutil.rmtree(self._workdir.path, ignore_errors=True)

    def send(
        self, name: str, place: Path, size: int, digest: str, tick: Callable[[], None]
    ) -> None:
        """Send a file that does not change any more, from where the last try ended.

        Raises:
            TransferError: the studio does not take it, or did not answer for too long.
        """
        about = {"path": name, "sha256": digest}
        known = self._patiently(lambda: self._client.get(self.address("files", **about)), tick)
        offset = int(known["size"])
        if known["whole"]:
            return
        while True:
            with place.open("rb") as file:
                file.seek(offset)
                block = file.read(min(_BLOCK, size - offset))
            address = self.address("files", **about, offset=offset, size=size)
            answer = self._patiently(partial(self._upload, address, block), tick)
            offset = int(answer["size"])
            tick()
            if offset >= size:
                return

    def address(self, part: str, **query: Any) -> str:
        """Return the address of a part of this attempt, with its fence."""
        if self._attempt is None:
            raise TransferError("No attempt is open.")
        base = f"attached/runs/{self._attempt.run}" + (f"/{part}" if part else "")
        return f"{base}?{urlencode({'fence': self._attempt.fence, **query})}"

    def _upload(self, address: str, block: bytes) -> Any:
        return self._client.upload(address, block, "application/octet-stream")

    def _fetch_earlier(self, archive: Path) -> None:
        with archive.open("wb") as file:
            self._client.download(self.address("earlier"), file)

    def _end_sync(self) -> None:
        sync, self._sync = self._sync, None
        if sync is not None:
            sync.stop()

    def _fetch(self, digest: str, incoming: Path) -> None:
        with incoming.open("ab") as file:
            self._client.download(f"attached/snapshots/{digest}?offset={file.tell()}", file)
        if digest_of(incoming) != digest:
            incoming.unlink()
            raise http.client.IncompleteRead(b"")

    def _patiently(self, call: Callable[[], _T], tick: Callable[[], None]) -> _T:
        """Repeat a call while the studio is away; every call here may be repeated harmlessly."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return call()
            except (StudioError, OSError, http.client.HTTPException) as error:
                if isinstance(error, StudioRefusedError) and error.status < _SERVER_ERROR:
                    raise TransferError(f"The studio refused: {error.detail}") from error
                if isinstance(error, TransferError) or time.monotonic() > deadline:
                    raise TransferError(f"The studio cannot be reached: {error}") from error
                logger.warning("transfer: %s; trying again", error)
            tick()
            time.sleep(_PAUSE_SECONDS)
