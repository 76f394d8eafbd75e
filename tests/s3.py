"""An S3-compatible service for tests: SeaweedFS, the real server, on loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
import pytest
from obstore.store import S3Store

from experiments.storage.address import BucketAddress, parse_address
from experiments.storage.s3 import BucketStorage

if TYPE_CHECKING:
    from obstore.store import S3Config

ACCESS_KEY = "studio"
SECRET_KEY = "a-secret-of-the-tests"
REGION = "us-east-1"
_MAKER = "maker-of-buckets"
_ACTIONS = {ACCESS_KEY: ["Read", "Write", "List", "Tagging"], _MAKER: ["Admin"]}
_PARTS = ("master", "volume", "filer", "s3")


@contextmanager
def running_service() -> Iterator[S3Service]:
    """Run a service, with its credentials in the environment of this process."""
    if sys.platform != "linux":
        pytest.skip("SeaweedFS comes with the extra `dev` on Linux alone")
    service = S3Service()
    before = dict(os.environ)
    os.environ.update(credentials())
    try:
        service.start()
        yield service
    finally:
        service.stop()
        os.environ.clear()
        os.environ.update(before)


def _free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on, all of them different."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def credentials() -> dict[str, str]:
    """Return the usual AWS variables."""
    return {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}


class S3Service:
    """One server with everything in a temporary folder."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="studio-s3-"))
        self.ports: dict[str, int] = {}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ports['s3']}"

    def url(self, bucket: str, prefix: str = "") -> str:
        """Return the address of a storage in a bucket, as STUDIO_STORAGE_URL takes it."""
        return f"s3://{bucket}/{prefix}?endpoint_url={self.endpoint}&region={REGION}"

    def open(self, bucket: str, prefix: str = "") -> BucketStorage:
        """Return a storage in a bucket; the process needs the credentials in its environment."""
        address = parse_address(self.url(bucket, prefix), default=self.folder)
        assert isinstance(address, BucketAddress)
        return BucketStorage(address, at_once=10)

    def start(self, seconds: float = 90) -> None:
        identities = self.folder / "identities.json"
        known = [
            {
                "name": key,
                "credentials": [{"accessKey": key, "secretKey": SECRET_KEY}],
                "actions": actions,
            }
            for key, actions in _ACTIONS.items()
        ]
        identities.write_text(json.dumps({"identities": known}))
        for attempt in range(3):
            self._launch(identities)
            if self._answers(time.monotonic() + seconds):
                return
            # Somebody else took one of the ports between the look and the start.
            self.stop(keep=True)
            assert attempt < 2, (self.folder / "log").read_text()[-3000:]

    def _launch(self, identities: Path) -> None:
        names = [name for part in _PARTS for name in (f"{part}.port", f"{part}.port.grpc")]
        ports = dict(zip(names, _free_ports(len(names)), strict=True))
        self.ports = {part: ports[f"{part}.port"] for part in _PARTS}
        program = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        assert program, "SeaweedFS is not installed; it comes with the extra `dev`"
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        command = [
            program,
            "server",
            f"-dir={data}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            # It would tell its makers about every start.
            "-master.telemetry=false",
            "-master.volumeSizeLimitMB=64",
            "-volume.max=50",
            "-filer",
            f"-filer.localSocket={self.folder}/filer.sock",
            "-s3",
            f"-s3.config={identities}",
            f"-s3.localSocket={self.folder}/s3.sock",
            "-s3.autoCreateBucket=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            *(f"-{name}={port}" for name, port in ports.items()),
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )

    def _answers(self, deadline: float) -> bool:
        while time.monotonic() < deadline and self.process and self.process.poll() is None:
            try:
                self.make_bucket("probe")
                self.open("probe").check()
            except OSError:
                time.sleep(0.1)
            else:
                return True
        return False

    def make_bucket(self, name: str) -> None:
        """Make a bucket; one that is there stays."""
        config: S3Config = {
            "endpoint": self.endpoint,
            "region": REGION,
            "access_key_id": _MAKER,
            "secret_access_key": SECRET_KEY,
        }
        store = S3Store(name, config=config, client_options={"allow_http": True})
        # The library makes no buckets, but it signs.
        address = obstore.sign(store, "PUT", "", timedelta(minutes=5))
        request = urllib.request.Request(address, method="PUT")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            opener.open(request, timeout=10).close()
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 409:
                raise

    def stop(self, number: int = signal.SIGKILL, *, keep: bool = False) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(20)
            self.process = None
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
