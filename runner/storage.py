"""Where an attempt gets its files from and where it leaves them: the two kinds of storage.

A worker that sees the studio's own folder works in it. Any other one works in a folder of its own
and exchanges files with the studio over HTTP.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from django.conf import settings

from experiments.services.runs import ClaimedRun, EarlierOutputs
from experiments.services.snapshots import path_of_digest
from experiments.services.storage import STORAGE_ID, shared_name
from experiments.services.stored_runs import output_digests
from experiments.storage.chosen import tree_of
from experiments.storage.trees import download
from runner.closing import store_files
from runner.remote_storage import Attempt, RemoteStorage
from runner.workdir import KEPT, Workdir
from studio.sdk.client import Connection, StudioClient

_EARLIER: Final = "earlier"


class RunStorage(Protocol):
    """The files of one attempt."""

    def snapshot(self, digest: str, tick: Callable[[], None]) -> Path:
        """Return where the zip with the code is on this machine; fetched when it is not here.

        Raises:
            OSError: it cannot be fetched.
        """

    def open(self, claimed: ClaimedRun, workdir: Workdir, tick: Callable[[], None]) -> str:
        """Begin; return the directory in which the studio finds the files.

        Raises:
            OSError: the studio cannot take them.
        """

    def earlier_outputs(self, earlier: EarlierOutputs, tick: Callable[[], None]) -> Path:
        """Return a directory with the outputs of the run that this one goes on from.

        Raises:
            OSError: they cannot be fetched.
        """

    def follow(self) -> None:
        """Show the studio from now on what the script writes, while it writes it."""

    def keep(self, tick: Callable[[], None]) -> int:
        """Keep the files after the end; return the size of the outputs in bytes.

        `tick` is called in between: gigabytes take longer than a lease lasts.

        Raises:
            OSError: they cannot be kept.
        """

    def hurry(self) -> None:
        """Wait no longer for anybody: the worker stops."""

    def close(self) -> None:
        """Let go of everything; what was kept elsewhere is removed here."""


class SharedStorage:
    """The studio's own folder, on this machine or shared with it.

    Where the storage is a bucket, code and earlier outputs come from there; what the run leaves is
    brought there by runner.mover.
    """

    def __init__(self) -> None:
        self._run_id = 0
        self._workdir: Workdir | None = None

    def snapshot(self, digest: str, tick: Callable[[], None]) -> Path:
        """Return where the zip with the code is."""
        return path_of_digest(digest, tick)

    def open(self, claimed: ClaimedRun, workdir: Workdir, tick: Callable[[], None]) -> str:
        """Begin; the studio finds the files where they are made."""
        self._run_id, self._workdir = claimed.run_id, workdir
        return str(workdir.path)

    def earlier_outputs(self, earlier: EarlierOutputs, tick: Callable[[], None]) -> Path:
        """Return the directory of that run, or one with what it has in the bucket."""
        if Path(earlier.directory).is_absolute() or self._workdir is None:
            return Path(earlier.directory)
        digests = output_digests(earlier.public_id)
        target = self._workdir.path / _EARLIER
        for name, source in tree_of(earlier.directory).outputs():
            place = target / KEPT[0] / name
            download(source, place, digest=digests.get(f"{KEPT[0]}/{name}", ""), tick=tick)
        return target

    def follow(self) -> None:
        """Remove what was fetched: the script has its copy. The studio sees the files."""
        if self._workdir is not None:
            shutil.rmtree(self._workdir.path / _EARLIER, ignore_errors=True)

    def keep(self, tick: Callable[[], None]) -> int:
        """Keep the files where they are."""
        if self._workdir is None:
            return 0
        return store_files(self._run_id, self._workdir, tick)

    def hurry(self) -> None:
        """Do nothing: there is nobody to wait for."""

    def close(self) -> None:
        """Do nothing: nothing is open."""


# How this process reaches the studio's files; None: it sees the studio's own folder.
_remote: list[Connection] = []


def attach(url: str, token: str) -> str:
    """Find out how this machine shares files with the studio; return the target of the token.

    Whoever reads the studio's own `storage-id` in its storage works there; any other machine
    exchanges files over HTTP.

    Raises:
        StudioError: no studio answers at the address, or it refuses the token.
    """
    connection = Connection(url, token)
    answer = StudioClient(connection).get("attached")
    _remote.clear()
    if answer["storage"] != _own_storage():
        _remote.append(connection)
    return str(answer["compute"])


def is_remote() -> bool:
    """Tell whether this process exchanges its files with the studio over HTTP."""
    return bool(_remote)


def new_storage() -> RunStorage:
    """Return the storage for one attempt."""
    if not _remote:
        return SharedStorage()
    return RemoteStorage(_remote[0], patience=settings.STUDIO_TRANSFER_SECONDS)


def reopened_storage(attempt: Attempt, workdir: Workdir) -> RunStorage:
    """Return the storage of an attempt on this machine whose executor is gone."""
    storage = RemoteStorage(_remote[0], patience=settings.STUDIO_CANCEL_POLL_SECONDS)
    storage.reopen(attempt, workdir)
    return storage


def _own_storage() -> str:
    try:
        return shared_name((Path(settings.STUDIO_STORAGE_ROOT) / STORAGE_ID).read_text().strip())
    except OSError:
        return ""
