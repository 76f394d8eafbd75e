"""System checks: silent where all is well, and every failure carries its cure."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.core.checks.registry import registry
from django.db import connection
from django_rq.settings import QUEUES

from studio.checks import check_channel_layer, check_journal, check_redis, check_secret_key


@pytest.mark.django_db
def test_this_installation_passes_every_check():
    messages = run_checks(databases=["default"])

    assert messages == []


def test_studio_checks_are_registered():
    everything = {*registry.registered_checks, *registry.deployment_checks}

    assert {check_channel_layer, check_journal, check_redis, check_secret_key} <= everything


def test_key_that_others_can_read_is_an_error(settings, tmp_path):
    settings.STUDIO_HOME = tmp_path
    key = tmp_path / "secret-key"
    key.touch(mode=0o600)

    assert check_secret_key() == []
    key.chmod(0o640)
    (error,) = check_secret_key()
    assert error.id == "studio.E001"
    assert error.msg.startswith(f"{key} has mode 640:")
    assert error.hint == f"Run: chmod 600 {key}"


def test_channel_layer_of_one_process_is_an_error(settings):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

    (error,) = check_channel_layer()

    assert error.id == "studio.E002"
    assert "RedisPubSubChannelLayer" in error.hint


@pytest.mark.django_db(transaction=True)
def test_journal_of_sqlite_that_blocks_readers_is_a_warning(tmp_path):
    if connection.vendor != "sqlite":
        assert check_journal(databases=["default"]) == []
        return
    # A file of its own: nobody else may have it open for that.
    usual = connection.settings_dict["NAME"]
    connection.close()
    try:
        connection.settings_dict["NAME"] = str(tmp_path / "own.sqlite3")
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=DELETE")
        (warning,) = check_journal(databases=["default"])
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual

    assert warning.id == "studio.W001"
    assert "journal mode is delete" in warning.msg


def test_redis_that_does_not_answer_is_an_error(monkeypatch, tmp_path):
    assert check_redis() == []
    monkeypatch.setitem(QUEUES, "default", {"URL": f"unix://{tmp_path}/none.sock?db=0"})

    (error,) = check_redis()

    assert error.id == "studio.E003"
    assert str(tmp_path) in error.msg
    assert "studio up" in error.hint
