"""The doctor at the Redis-protocol server: version, persistence, eviction, password."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from studio import env
from studio.doctor_finding import Seen, warned

_MIN_REDIS: Final = (6, 2)
_SECONDS: Final = 3
_FULL: Final = 0.8


def _info() -> dict[str, Any]:
    from redis import Redis

    url = env.redis_url(env.studio_home())
    with Redis.from_url(url, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS) as redis:
        info: dict[str, Any] = redis.info()
    return info


def server() -> Seen:
    """The server answers, is new enough, and keeps what it has when it is restarted."""
    from redis.exceptions import RedisError

    cure = "Correct REDIS_URL." if env.text("REDIS_URL") else "Start the studio: `studio up`."
    try:
        info = _info()
    except (RedisError, OSError, ValueError) as error:
        return Seen(f"not reachable: {error}", cure, "No run starts without it.")
    name = info.get("server_name", "redis")
    found = str(info.get("valkey_version") or info["redis_version"])
    numbers = tuple(int(part) for part in str(info["redis_version"]).split(".")[:2])
    if numbers < _MIN_REDIS:
        return Seen(f"{name} {found}", "Use Redis 6.2 or newer, or Valkey.")
    if "err" in (info.get("aof_last_write_status"), info.get("aof_last_bgrewrite_status")):
        cure = "Free space on the disk of the Redis server."
        return Seen(f"{name} {found} cannot write its append-only file", cure)
    if not info.get("aof_enabled"):
        cure = f"Run `{_cli('CONFIG SET appendonly yes')}`, and set it in the server's file too."
        why = "After a restart of the server queued runs wait until the watchdog finds them."
        return warned(f"{name} {found}, append-only file off", cure, why)
    return Seen(f"{name} {found}, append-only file on")


def memory() -> Seen:
    """The server throws nothing away to make room."""
    info = _info()
    policy, most = str(info.get("maxmemory_policy", "unknown")), int(info.get("maxmemory", 0))
    used = int(info.get("used_memory", 0))
    detail = f"{used / 1e6:.0f} MB used, policy {policy}"
    if not most:
        return Seen(f"{detail}, no limit")
    detail = f"{used / 1e6:.0f} of {most / 1e6:.0f} MB used, policy {policy}"
    if policy != "noeviction":
        cure = (
            f"Run `{_cli('CONFIG SET maxmemory-policy noeviction')}`, and set it in its file too."
        )
        return Seen(detail, cure, "At its limit the server would throw queued runs away.")
    if used > most * _FULL:
        cure = f"Run `{_cli(f'CONFIG SET maxmemory {2 * most}')}`."
        return warned(detail, cure, "At its limit the server takes no new runs.")
    return Seen(detail)


def password() -> Seen:
    """Whoever writes to the queue makes workers execute: nobody else in the network can."""
    from redis import Redis
    from redis.exceptions import RedisError

    url = urlsplit(env.redis_url(env.studio_home()))
    if url.scheme == "unix":
        return Seen("a socket of this machine")
    host = url.hostname or "localhost"
    if _is_loopback(host):
        return Seen(f"{host} is reached from this machine alone")
    bare = urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2]))
    try:
        options = {"socket_connect_timeout": _SECONDS, "socket_timeout": _SECONDS}
        with Redis.from_url(bare, **options) as redis:
            redis.ping()
    except RedisError:
        return Seen(f"{host} wants a password")
    command = _cli("CONFIG SET requirepass $(openssl rand -hex 24)")
    cure = f"Run `{command}`, and put the password in REDIS_URL."
    why = "Everybody who reaches it can make workers execute programs."
    return warned(f"{host} answers everybody without a password", cure, why)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _cli(words: str) -> str:
    return f'redis-cli -u "$REDIS_URL" {words}'
