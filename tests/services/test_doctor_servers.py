"""The doctor at real servers: what it sees of a database, of Redis and of workers."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
import redis
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from experiments.models import Worker
from experiments.services.compute import register_worker
from studio import (
    doctor,
    doctor_address,
    doctor_database,
    doctor_machine,
    doctor_redis,
    doctor_workers,
    embedded,
)
from studio.version import VERSION
from tests.factories import make_compute
from tests.servers import free_port


def own_address() -> str | None:
    """Return an address of this machine that others could reach."""
    for addresses in psutil.net_if_addrs().values():
        for found in addresses:
            if found.family == socket.AF_INET and not found.address.startswith("127."):
                return str(found.address)
    return None


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    """A server on every address, without a password, a file or a memory limit."""
    port = free_port()
    words = ["--port", str(port), "--bind", "0.0.0.0", "--protected-mode", "no", "--save", ""]
    process = subprocess.Popen(
        [embedded.find_server(), *words], cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    address = own_address() or "127.0.0.1"
    url = f"redis://{address}:{port}/0"
    monkeypatch.setenv("REDIS_URL", url)
    try:
        assert not embedded.wait_for_redis(url, seconds=20)
        with redis.Redis.from_url(url) as client:
            yield client
    finally:
        process.kill()  # nothing of it is to be kept
        process.wait(20)


def test_redis_of_a_team_is_examined(server: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = doctor_redis.server()
    assert (seen.is_warning, "append-only file off" in seen.detail) == (True, True)
    assert seen.cure.startswith('Run `redis-cli -u "$REDIS_URL" CONFIG SET appendonly yes`')
    server.config_set("appendonly", "yes")
    assert doctor_redis.server().cure == ""

    assert doctor_redis.memory().cure == ""
    server.config_set("maxmemory", "1gb")
    server.config_set("maxmemory-policy", "allkeys-lru")
    seen = doctor_redis.memory()
    assert not seen.is_warning
    assert "CONFIG SET maxmemory-policy noeviction" in seen.cure
    assert seen.why == "At its limit the server would throw queued runs away."
    server.config_set("maxmemory-policy", "noeviction")
    assert doctor_redis.memory().cure == ""
    server.config_set("maxmemory", str(int(server.info()["used_memory"] * 1.1)))
    assert doctor_redis.memory().is_warning


def test_redis_without_a_password_is_warned_about_where_others_reach_it(
    server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = server.connection_pool.connection_kwargs["port"]
    address = own_address()
    if address is None:  # nobody else can reach a machine that has the loopback alone
        assert "this machine alone" in doctor_redis.password().detail
        return
    seen = doctor_redis.password()
    assert seen.is_warning
    assert "requirepass" in seen.cure

    server.config_set("requirepass", "long-and-secret")
    monkeypatch.setenv("REDIS_URL", f"redis://:long-and-secret@{address}:{port}/0")
    assert doctor_redis.password().detail == f"{address} wants a password"
    assert doctor_redis.memory().cure == ""
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{port}/0")
    assert "this machine alone" in doctor_redis.password().detail


@pytest.mark.django_db
def test_database_is_examined() -> None:
    assert doctor_database.database().cure == ""
    assert doctor_database.clock().cure == ""
    target = make_compute()
    for number in range(100):
        register_worker(target, name=f"w{number}", host="box", pid=number, process_started=1.0)
    seen = doctor_database.connections()
    if connection.vendor == "postgresql":
        assert (seen.is_warning, "100 slots may want 240" in seen.detail) == (True, True)
        assert "ALTER SYSTEM SET max_connections = 300" in seen.cure
    else:
        assert seen.cure == ""

    rows = MigrationRecorder.Migration.objects
    # Of single sign-on, while it was on.
    rows.create(app="socialaccount", name="9999_from_an_application", applied=timezone.now())
    assert doctor_database.database().cure == ""
    rows.create(app="experiments", name="9999_from_the_future", applied=timezone.now())
    assert doctor_database.database().detail == "the database is newer: it has 9999_from_the_future"
    for _ in range(2):  # that one, and then the last of this version
        rows.filter(app="experiments").order_by("name").last().delete()
    assert doctor_database.database().detail == "1 migrations are missing"


@pytest.mark.django_db
def test_workers_are_examined() -> None:
    target = make_compute("gpu-pool")
    assert "studio worker --compute gpu-pool" in doctor_workers.workers().cure

    register_worker(target, name="w1", host="new", pid=1, process_started=1.0, version=VERSION)
    assert doctor_workers.workers().cure == doctor_workers.versions().cure == ""
    register_worker(target, name="w2", host="old", pid=1, process_started=1.0, version="0.0.1+x")
    seen = doctor_workers.versions()
    assert seen.is_warning
    assert seen.detail == f"old has 0.0.1+x; here is {VERSION}"
    assert seen.cure == f"Install {VERSION} on old, and start its workers again."

    Worker.objects.filter(name="w1").update(python_version="Python 3.12.1")
    assert doctor_workers.interpreters().detail == "Python 3.12.1"
    Worker.objects.filter(name="w2").update(python_problem="/opt/p is not there.")
    seen = doctor_workers.interpreters()
    assert seen.detail == "old: /opt/p is not there."
    assert "studio compute set gpu-pool --python PATH" in seen.cure

    ahead = timezone.now() + timedelta(seconds=30)
    Worker.objects.filter(name="w2").update(last_seen_at=ahead)
    seen = doctor_database.clock()
    assert "the clock of old is" in seen.detail
    assert seen.cure == "Run `timedatectl set-ntp true` on old."


def test_settings_of_this_machine_are_examined(
    tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_SECRET_KEY", "short")
    assert "openssl rand -base64 48" in doctor_machine.secret().cure
    monkeypatch.setenv("STUDIO_SECRET_KEY", "k" * 48)
    assert doctor_machine.secret().cure == ""

    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    assert doctor_machine.storage().cure == ""
    settings.STUDIO_MIN_FREE_BYTES = 10**18
    assert "Workers take no runs below" in doctor_machine.storage().why

    assert doctor_address.allowed_hosts().cure == ""
    settings.ALLOWED_HOSTS = ["*"]
    assert doctor_address.allowed_hosts().is_warning


def test_machine_with_workers_only_is_examined_for_what_they_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    assert not doctor.is_worker_machine()
    monkeypatch.setenv("STUDIO_COMPUTE_TOKEN", "sc_unknown")
    assert doctor.is_worker_machine()
    assert "STUDIO_URL is not set" in doctor_address.attached().detail
    monkeypatch.setenv("STUDIO_URL", f"http://127.0.0.1:{free_port()}")
    seen = doctor_address.attached()
    assert seen.cure
    assert seen.why == "Code and files of runs do not get through."
