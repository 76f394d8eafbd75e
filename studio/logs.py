"""Lines of the log: text for people or JSON for programs, each with what it belongs to.

Secrets never reach a line: tokens, one-time links and passwords are blotted out, whoever logs them.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from experiments import log_context

FORMATS: Final = ("text", "json")
BLOT: Final = "[hidden]"
# What `extra=` may add to a line.
_EXTRAS: Final = ("method", "path", "route", "status", "duration_ms")
_SECRETS: Final = re.compile(
    r"""
      \b(?:st|sc|run)_[A-Za-z0-9_-]{43,}             # tokens, whatever is around them
    | (?:                                            # links that open something: the address is
        (?<=/sign-in/) | (?<=/shared/)               # the key
        | (?<=/invitations/) | (?<=invitation=)
        | (?<=/sign-up/) | (?<=/confirm/) | (?<=/stop/)
      )[^/\s"'?&]{16,}
    | (?<=/password-reset/)[^\s"'?]{16,}             # whose, and the token
    | (?<=\bBearer\s)[^\s"',;]{8,}
    | (?<=\bBasic\s)[A-Za-z0-9+/]{12,}={0,2}
    | (?<=://)[^/\s"'@]*:[^/\s"'@]*(?=@)             # name:password@host
    | (?P<name>                                      # ?token=…  "password": "…"  API_KEY=…
        (?<![\w.-])[\w.-]*(?:token|secret|password|passwd|api[_-]?key|signature|sessionid)
        [\w.-]*["']?\s?[=:]\s?["']?
      )(?:(?<=")[^"]+|(?<=')[^']+|[^\s&"',;}\]]+)
    """,
    re.VERBOSE | re.IGNORECASE,
)


# What somebody's text would begin a line of its own with, or color a terminal.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")


def without_secrets(text: str) -> str:
    """Return a text with everything blotted out that looks like a secret."""
    return _SECRETS.sub(lambda found: f"{found['name'] or ''}{BLOT}", text)


def _known(record: logging.LogRecord) -> Mapping[str, str]:
    """Return what a line belongs to; Django says what it thinks of a request when that is over."""
    request = getattr(record, "request", None)
    return getattr(request, "log_fields", None) or log_context.fields()


class TextLines(logging.Formatter):
    """`time LEVEL logger message  name=value …`, for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - its name
        """Add what the line belongs to; a traceback follows below."""
        line = _CONTROL.sub(lambda sign: repr(sign[0])[1:-1], super().formatMessage(record))
        known = " ".join(f"{name}={value}" for name, value in _known(record).items())
        return f"{line}  {known}" if known else line

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, its traceback included, without secrets."""
        return without_secrets(super().format(record))


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, what it belongs to, a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object; every text in it is without secrets."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat("T", "milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_known(record),
        }
        line |= {name: getattr(record, name) for name in _EXTRAS if hasattr(record, name)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        clean = {k: without_secrets(v) if isinstance(v, str) else v for k, v in line.items()}
        return json.dumps(clean, default=str, ensure_ascii=False, separators=(",", ":"))


def logging_of(line_format: str) -> dict[str, Any]:
    """Return the configuration of logging: `text` or `json` lines on stderr."""
    lines = {"text": TextLines, "json": JsonLines}[line_format]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": lines}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        # The web server has set up its own by now; its lines are to look like all others.
        "loggers": {
            "uvicorn": {"handlers": [], "propagate": True},
            # Configuring the one above would turn this one on.
            "uvicorn.access": {"handlers": [], "propagate": False},
        },
    }


# A request that took longer is logged also where not all of them are.
SLOW_SECONDS: Final = 1.0
_requests: Final = logging.getLogger("studio.requests")


def log_request(
    *, method: str, path: str, route: str, status: int, seconds: float, all_of_them: bool
) -> None:
    """Log a request that was answered: each, or only those that failed or took long."""
    if not (all_of_them or status >= 500 or seconds > SLOW_SECONDS):
        return
    extra: dict[str, Any] = {"method": method, "path": path, "route": route, "status": status}
    extra["duration_ms"] = round(seconds * 1000, 1)
    words = (method, path, status, extra["duration_ms"])
    _requests.info("%s %s %d in %s ms", *words, extra=extra)
