"""Reading of the environment: defaults, and errors that name the variable."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from runner.environment import base_environment
from studio import env
from studio.env import EnvironmentProblem


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), (" Yes ", True), ("on", True), ("0", False), ("", False)]
)
def test_flag_takes_the_usual_words(monkeypatch, value, expected):
    monkeypatch.setenv("STUDIO_DEBUG", value)

    assert env.flag("STUDIO_DEBUG") is expected


def test_flag_that_is_neither_names_the_variable(monkeypatch):
    monkeypatch.setenv("STUDIO_DEBUG", "perhaps")

    with pytest.raises(EnvironmentProblem, match=r"^STUDIO_DEBUG is 'perhaps'; use 1 or 0\.$"):
        env.flag("STUDIO_DEBUG")


@pytest.mark.parametrize("value", ["0", "65536", "-1", "80a", "8000.0"])
def test_port_outside_its_range_names_the_variable(monkeypatch, value):
    monkeypatch.setenv("STUDIO_PORT", value)

    with pytest.raises(EnvironmentProblem, match=f"^STUDIO_PORT is '{value}'; use a port number"):
        env.port("STUDIO_PORT", 8000)


def test_port_falls_back_to_its_default(monkeypatch):
    monkeypatch.delenv("STUDIO_PORT", raising=False)

    assert env.port("STUDIO_PORT", 8000) == 8000
    monkeypatch.setenv("STUDIO_PORT", "65535")
    assert env.port("STUDIO_PORT", 8000) == 65535


def test_one_of_some_words_is_taken_or_the_variable_named(monkeypatch):
    monkeypatch.delenv("STUDIO_LOG_FORMAT", raising=False)
    assert env.one_of("STUDIO_LOG_FORMAT", ("text", "json")) == "text"
    monkeypatch.setenv("STUDIO_LOG_FORMAT", " JSON ")
    assert env.one_of("STUDIO_LOG_FORMAT", ("text", "json")) == "json"
    monkeypatch.setenv("STUDIO_LOG_FORMAT", "xml")
    with pytest.raises(EnvironmentProblem, match=r"^STUDIO_LOG_FORMAT is 'xml'; use text or json"):
        env.one_of("STUDIO_LOG_FORMAT", ("text", "json"))


def test_secret_that_is_too_short_is_refused_and_not_shown(monkeypatch):
    monkeypatch.setenv("STUDIO_METRICS_TOKEN", "0123456789abcdef")
    assert env.secret("STUDIO_METRICS_TOKEN") == "0123456789abcdef"
    monkeypatch.setenv("STUDIO_METRICS_TOKEN", "hush")
    with pytest.raises(EnvironmentProblem) as refused:
        env.secret("STUDIO_METRICS_TOKEN")
    assert str(refused.value) == (
        "STUDIO_METRICS_TOKEN has 4 characters; use at least 16 random ones."
    )


def test_words_are_separated_by_commas_and_blanks(monkeypatch):
    monkeypatch.setenv("STUDIO_ALLOWED_HOSTS", "a.example, b.example c.example")

    assert env.words("STUDIO_ALLOWED_HOSTS", []) == ["a.example", "b.example", "c.example"]


def test_home_is_in_the_checkout_unless_given(monkeypatch, tmp_path):
    monkeypatch.delenv("STUDIO_HOME")

    assert env.studio_home() == env.project_root() / ".studio"
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "data"))
    assert env.studio_home() == tmp_path / "data"
    monkeypatch.setenv("STUDIO_HOME", "~/studio-data")
    assert env.studio_home() == Path("~/studio-data").expanduser()


def test_home_of_an_installed_package_is_in_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("STUDIO_HOME")
    monkeypatch.setattr(env, "project_root", lambda: tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))

    assert env.studio_home() == tmp_path / "share" / "sweep-studio"


def test_files_are_beside_the_packages_and_in_a_wheel_below_them(monkeypatch, tmp_path):
    assert env.files_root() == env.project_root()
    assert (env.files_root() / "templates").is_dir()
    packed = tmp_path / "studio" / "_files"
    packed.mkdir(parents=True)
    monkeypatch.setattr(env, "project_root", lambda: tmp_path)

    assert env.files_root() == packed


def test_secret_key_is_made_once_for_its_owner_alone(monkeypatch, tmp_path):
    monkeypatch.delenv("STUDIO_SECRET_KEY", raising=False)

    key = env.secret_key(tmp_path / "home")

    assert len(key) >= 50
    assert env.secret_key(tmp_path / "home") == key
    mode = (tmp_path / "home" / "secret-key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    monkeypatch.setenv("STUDIO_SECRET_KEY", "given-0123456789")
    assert env.secret_key(tmp_path / "home") == "given-0123456789"
    monkeypatch.setenv("STUDIO_SECRET_KEY", "CHANGE-ME")
    with pytest.raises(env.EnvironmentProblem, match="at least 16"):
        env.secret_key(tmp_path / "home")


def test_socket_stays_in_the_data_folder_while_its_path_is_short_enough(tmp_path):
    assert env.redis_socket(Path("/data")) == Path("/data/redis.sock")
    deep = tmp_path / ("d" * 100)
    assert len(bytes(env.redis_socket(deep))) <= 100
    assert env.redis_socket(deep) != env.redis_socket(tmp_path / ("e" * 100))


@pytest.mark.parametrize(
    ("raw", "expected"), [("", ""), ("/", ""), ("studio", "/studio"), ("/a/b/", "/a/b")]
)
def test_base_path_has_a_slash_in_front_and_none_behind(monkeypatch, raw, expected):
    monkeypatch.setenv("STUDIO_BASE_PATH", raw)

    assert env.base_path() == expected


def test_addresses_default_to_the_data_folder(monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)

    assert env.database_url(Path("/data")) == "sqlite:////data/studio.sqlite3"
    assert env.redis_url(Path("/data")) == "unix:///data/redis.sock?db=0"


@pytest.mark.parametrize(
    ("name", "read", "value"),
    [
        ("DATABASE_URL", env.database_url, "mysql://me:hush@db/x"),
        ("DATABASE_URL", env.database_url, "me:hush@db/x"),
        ("REDIS_URL", env.redis_url, "http://:hush@redis:6379"),
        ("REDIS_URL", env.redis_url, "redis:6379"),
    ],
)
def test_wrong_address_is_refused_without_showing_its_password(monkeypatch, name, read, value):
    monkeypatch.setenv(name, value)

    with pytest.raises(EnvironmentProblem) as caught:
        read(Path("/data"))

    assert str(caught.value).startswith(f"{name} ")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("value", ["-1", "1.5", "ten", "36501", "9" * 30, "²"])
def test_count_outside_of_its_range_is_refused(monkeypatch, value):
    monkeypatch.setenv("STUDIO_TRASH_DAYS", value)

    with pytest.raises(EnvironmentProblem, match="use a whole number from 0 to 36500"):
        env.count("STUDIO_TRASH_DAYS", 30, most=36500)


def test_count_is_the_number_or_its_default(monkeypatch):
    monkeypatch.setenv("STUDIO_TRASH_DAYS", " 0 ")
    assert env.count("STUDIO_TRASH_DAYS", 30, most=36500) == 0
    monkeypatch.setenv("STUDIO_TRASH_DAYS", "")
    assert env.count("STUDIO_TRASH_DAYS", 30, most=36500) == 30


def test_linear_algebra_uses_one_thread_and_scripts_as_many_as_they_like(monkeypatch):
    for name in (*env.THREAD_VARIABLES, env.OWN_THREADS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")

    env.use_one_thread()
    env.use_one_thread()

    assert [os.environ[name] for name in env.THREAD_VARIABLES] == ["1", "1", "3"]
    given = base_environment(os.environ)
    assert [given.get(name) for name in env.THREAD_VARIABLES] == [None, None, "3"]


def test_every_process_of_the_studio_limits_its_threads():
    code = (
        "import studio.settings, os, numpy; a = numpy.ones((600, 600)); a @ a; "
        "print(os.environ['OPENBLAS_NUM_THREADS'], len(os.listdir('/proc/self/task')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={k: v for k, v in os.environ.items() if k not in env.THREAD_VARIABLES},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["1", "1"]
