"""Typed readers of the environment: the only place that knows names and defaults of variables.

Errors name the variable, its value and what is allowed. Imports nothing of Django.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from experiments.notify.mail_server import MailServer, MailServerError, parse_mail_server
from experiments.oidc_settings import OidcSettings, OidcSettingsError, read_oidc_settings
from experiments.storage.address import AddressError, BucketAddress, FolderAddress, parse_address

# Longest path of a unix socket that every platform takes (sun_path is 104 bytes on some).
_SOCKET_LIMIT: Final = 100
# How many threads the libraries below numpy start; each of them looks at other names as well.
THREAD_VARIABLES: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# Which of them the studio set for itself: scripts never see those.
OWN_THREADS: Final = "STUDIO_OWN_THREADS"
# How `studio worker` hands the interpreter and the variables of its scripts on.
WORKER_PYTHON: Final = "STUDIO_WORKER_PYTHON"
WORKER_ENVIRONMENT: Final = "STUDIO_WORKER_ENVIRONMENT"
_TRUE: Final = {"1", "true", "yes", "on"}
_SHORTEST_SECRET: Final = 16
_FALSE: Final = {"0", "false", "no", "off", ""}


class EnvironmentProblem(Exception):  # noqa: N818 - a state of the machine
    """A variable has a value that cannot be used; the message says what to do."""


def text(name: str, default: str = "") -> str:
    """Return a variable without surrounding white space."""
    return os.environ.get(name, default).strip()


def flag(name: str, *, default: bool = False) -> bool:
    """Return a yes/no variable.

    Raises:
        EnvironmentProblem: the value is neither.
    """
    raw = os.environ.get(name)
    if raw is None:
        return default
    value = raw.strip().lower()
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise EnvironmentProblem(f"{name} is {raw!r}; use 1 or 0.")


def port(name: str, default: int) -> int:
    """Return a TCP port.

    Raises:
        EnvironmentProblem: the value is no number from 1 to 65535.
    """
    raw = text(name)
    if not raw:
        return default
    if not raw.isdigit() or not 1 <= int(raw) <= 65535:
        raise EnvironmentProblem(f"{name} is {raw!r}; use a port number from 1 to 65535.")
    return int(raw)


def count(name: str, default: int, *, most: int, least: int = 0) -> int:
    """Return a whole number.

    Raises:
        EnvironmentProblem: the value is no number from `least` to `most`.
    """
    raw = text(name)
    if not raw:
        return default
    is_number = raw.isascii() and raw.isdigit() and len(raw) < 10
    if not is_number or not least <= int(raw) <= most:
        raise EnvironmentProblem(f"{name} is {raw!r}; use a whole number from {least} to {most}.")
    return int(raw)


def one_of(name: str, allowed: Sequence[str]) -> str:
    """Return one of some words, the first of them by default.

    Raises:
        EnvironmentProblem: the value is another one.
    """
    value = text(name).lower() or allowed[0]
    if value not in allowed:
        raise EnvironmentProblem(f"{name} is {value!r}; use {' or '.join(allowed)}.")
    return value


def secret(name: str) -> str:
    """Return a secret that somebody chose, "" when none is set.

    Raises:
        EnvironmentProblem: it is too short to be one.
    """
    value = text(name)
    if 0 < len(value) < _SHORTEST_SECRET:
        raise EnvironmentProblem(
            f"{name} has {len(value)} characters; use at least {_SHORTEST_SECRET} random ones."
        )
    return value


def words(name: str, default: list[str]) -> list[str]:
    """Return a list of words separated by commas or blanks."""
    raw = text(name)
    return raw.replace(",", " ").split() if raw else default


def use_one_thread() -> None:
    """Let linear algebra use one thread in this process, unless the environment says otherwise.

    The matrices of samplers are small, and every core belongs to the scripts. Only before numpy is
    imported has this an effect.
    """
    missing = [name for name in THREAD_VARIABLES if name not in os.environ]
    os.environ.update(dict.fromkeys(missing, "1"))
    if missing:
        os.environ[OWN_THREADS] = ",".join([*words(OWN_THREADS, []), *missing])


def project_root() -> Path:
    """Return the folder that holds the packages: the checkout, or site-packages."""
    return Path(__file__).resolve().parent.parent


def files_root() -> Path:
    """Return the folder with templates/, static/, examples/, docs/ and the documents beside them.

    In a checkout, also one that is installed as editable, it is the checkout. A wheel has them
    below the package (pyproject.toml puts them there). Nothing is ever written there.
    """
    packed = project_root() / "studio" / "_files"
    return packed if packed.is_dir() else project_root()


def studio_home() -> Path:
    """Return the data folder: STUDIO_HOME, `.studio` of a checkout, or the user's data folder."""
    raw = text("STUDIO_HOME")
    if raw:
        return Path(raw).expanduser().resolve()
    if (project_root() / "manage.py").exists():
        return project_root() / ".studio"
    base = text("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "sweep-studio"


def secret_key(home: Path) -> str:
    """Return STUDIO_SECRET_KEY, or the key made once in the data folder with mode 600.

    Raises:
        EnvironmentProblem: the given one is so short that sessions could be forged.
    """
    given = secret("STUDIO_SECRET_KEY")
    if given:
        return given
    path = home / "secret-key"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        key = secrets.token_urlsafe(48)
        file.write(key)
    return key


def redis_socket(home: Path) -> Path:
    """Return the embedded server's socket; a short private folder when the path is too long."""
    path = home / "redis.sock"
    if len(os.fsencode(path)) <= _SOCKET_LIMIT:
        return path
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"sweep-studio-{os.getuid()}-{digest}" / "redis.sock"


def redis_url(home: Path) -> str:
    """Return REDIS_URL, or the address of the embedded server.

    Raises:
        EnvironmentProblem: REDIS_URL is an address of something else.
    """
    forms = "redis://HOST:6379/0, rediss://HOST:6379/0 or unix:///PATH"
    given = _address("REDIS_URL", ("redis", "rediss", "unix"), forms)
    return given or f"unix://{redis_socket(home)}?db=0"


def database_url(home: Path) -> str:
    """Return DATABASE_URL, or SQLite in the data folder.

    Raises:
        EnvironmentProblem: DATABASE_URL is an address of something else.
    """
    forms = "sqlite:////PATH or postgres://USER:PASSWORD@HOST/NAME"
    given = _address("DATABASE_URL", ("sqlite", "postgres", "postgresql"), forms)
    return given or f"sqlite:///{home / 'studio.sqlite3'}"


def storage_address(home: Path) -> FolderAddress | BucketAddress:
    """Return what STUDIO_STORAGE_URL names, or the folder `storage` of the data folder.

    Raises:
        EnvironmentProblem: it names no storage.
    """
    try:
        return parse_address(text("STUDIO_STORAGE_URL"), default=home / "storage")
    except AddressError as error:
        raise EnvironmentProblem(f"STUDIO_STORAGE_URL {error}") from error


def mail_server() -> MailServer | None:
    """Return what STUDIO_EMAIL_URL names; None: the studio sends no e-mail.

    Raises:
        EnvironmentProblem: it names no mail server.
    """
    try:
        return parse_mail_server(text("STUDIO_EMAIL_URL"))
    except MailServerError as error:
        raise EnvironmentProblem(f"STUDIO_EMAIL_URL {error}") from error


def oidc() -> OidcSettings | None:
    """Return the provider that the STUDIO_OIDC variables name; None: no single sign-on.

    Raises:
        EnvironmentProblem: they name none that can be used.
    """
    try:
        return read_oidc_settings(text, flag)
    except OidcSettingsError as error:
        raise EnvironmentProblem(str(error)) from error


def public_url() -> str:
    """Return the address that links in e-mails and webhooks begin with; "" when none is known.

    STUDIO_PUBLIC_URL, because `studio up` gives its processes the local one as STUDIO_URL.

    Raises:
        EnvironmentProblem: it is no address.
    """
    url = text("STUDIO_PUBLIC_URL").rstrip("/")
    if url and (not url.startswith(("http://", "https://")) or len(url.split()) != 1):
        raise EnvironmentProblem(
            f"STUDIO_PUBLIC_URL is {url!r}; use https://HOST or http://HOST:8000."
        )
    return url or text("STUDIO_URL").rstrip("/")


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _address(name: str, schemes: tuple[str, ...], forms: str) -> str:
    # The value itself is not shown: it may hold a password.
    raw = text(name)
    scheme, separator, _ = raw.partition("://")
    if raw and (not separator or scheme not in schemes):
        start = f"starts with {scheme!r}" if separator else "has no scheme"
        raise EnvironmentProblem(f"{name} {start}; use {forms}.")
    return raw


def base_path() -> str:
    """Return STUDIO_BASE_PATH as "" or "/prefix"."""
    raw = text("STUDIO_BASE_PATH").strip("/")
    return f"/{raw}" if raw else ""
