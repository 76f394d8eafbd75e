"""What a person reads of a notification: title, sentence and facts, made of what a webhook gets.

`body` is the JSON of a message: {"type", "timestamp", "data": {...}}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from experiments.formats import format_count, format_duration, format_param
from experiments.notify.kinds import EVENTS, EventKind

Body = Mapping[str, Any]
_MAX_TITLE: Final = 150
_MAX_FACT: Final = 300
_MOST_PARAMS: Final = 40
# Slack cuts messages at 40 000 characters, others much earlier.
_MAX_SLACK: Final = 3500
_E: Final = EventKind


@dataclass(frozen=True, slots=True)
class Reading:
    """A notification as people read it; `facts` are pairs of a name and a text."""

    title: str
    text: str
    url: str
    facts: Sequence[tuple[str, str]] = ()
    params: Sequence[tuple[str, str]] = ()


def one_line(text: str, limit: int = _MAX_FACT) -> str:
    """Return a text as one line without control characters: fit for a subject or a header."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def reading_of(body: Body) -> Reading:
    """Return what people read of a message."""
    data = body["data"]
    sweep = data.get("sweep")
    if sweep is None:
        return Reading(
            _title_of_others(body), str(data.get("message", "")), str(data.get("url", ""))
        )
    return Reading(
        title=one_line(f"{sweep['name']}: {_news(body)}", _MAX_TITLE),
        text=str(data["message"]),
        url=str(data["url"]),
        facts=[(name, one_line(text)) for name, text in _facts(data) if text],
        params=_params(data.get("best_run")),
    )


def digest_title(readings: Sequence[Reading]) -> str:
    """Return the title of one message about several notifications."""
    return readings[0].title if len(readings) == 1 else f"{len(readings)} notifications"


def plain_text(reading: Reading) -> str:
    """Return a notification as the plain part of an e-mail has it."""
    parts = [reading.title, "", reading.text]
    if reading.facts:
        parts += ["", *(f"{name}: {text}" for name, text in reading.facts)]
    if reading.params:
        parts += ["", "Hyperparameters of the best run:"]
        parts += [f"  {name} = {value}" for name, value in reading.params]
    if reading.url:
        parts += ["", reading.url]
    return "\n".join(parts)


def slack_message(bodies: Sequence[Body]) -> dict[str, str]:
    """Return what a Slack-compatible webhook is sent; several notifications are one message."""
    blocks = [_slack_block(reading_of(body), is_short=len(bodies) > 1) for body in bodies]
    kept: list[str] = []
    for block in blocks:
        if sum(map(len, kept)) + len(block) > _MAX_SLACK and kept:
            kept.append(f"… and {len(blocks) - len(kept)} more.")
            break
        kept.append(block[:_MAX_SLACK])
    return {"text": "\n".join(kept)}


def _slack_block(reading: Reading, *, is_short: bool) -> str:
    title = _slack_escape(reading.title)
    lines = [f"*<{_slack_escape(reading.url)}|{title}>*" if reading.url else f"*{title}*"]
    if not is_short:
        lines.append(_slack_escape(one_line(reading.text)))
        if reading.params:
            pairs = ", ".join(f"{name}={value}" for name, value in reading.params)
            lines.append(_slack_escape(one_line(pairs)))
    return "\n".join(lines)


def _slack_escape(text: str) -> str:
    # The three that mean something there; a bar would end the address of a link.
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("|", "¦").replace("*", "∗")


def _title_of_others(body: Body) -> str:
    if body["type"] == _E.ADDRESS:
        return "Confirm your address"
    return "Test message of Sweep Studio"


def _news(body: Body) -> str:
    data, kind = body["data"], body["type"]
    sweep, best, run = data["sweep"], data.get("best_run"), data.get("run")
    if kind == _E.FINISHED:
        how = "completed" if sweep["status"] == "Completed" else "canceled"
        if sweep["end_reason"] == "timeout":
            how = "stopped at its time limit"
        return f"{how}, {_best(sweep, best)}" if best else how
    if kind == _E.NEW_BEST and best:
        return f"run {best['number']} leads with {sweep['metric']} {_value(best)}"
    if kind == _E.STUCK and run:
        return f"run {run['number']} reports nothing any more"
    if kind == _E.COMPUTE_LOST:
        lost = data.get("lost_runs", 0)
        if not lost:
            return "no worker takes its runs"
        return "a run lost its worker" if lost == 1 else f"{lost} runs lost their worker"
    return {_E.FAILED: "failed", _E.BREAKER: "paused after failures in a row"}.get(
        EventKind(kind), EVENTS[kind].label if kind in EVENTS else str(kind)
    )


def _value(best: Mapping[str, Any]) -> str:
    return format_param(best["value"], 6)


def _best(sweep: Mapping[str, Any], best: Mapping[str, Any]) -> str:
    return f"best {sweep['metric']} {_value(best)}"


def _facts(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    sweep, best = data["sweep"], data.get("best_run")
    runs = ", ".join(f"{format_count(n)} {state}" for state, n in data["runs"].items() if n)
    return [
        ("Workspace", data["workspace"]["name"]),
        ("Experiment", sweep["experiment"]),
        ("Owner", sweep["owner"] or ""),
        ("Status", sweep["status"]),
        ("Runs", runs),
        ("Best run", f"run {best['number']}, {_best(sweep, best)}" if best else ""),
        ("Duration", format_duration(sweep["duration"]) if sweep["duration"] is not None else ""),
    ]


def _params(best: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    if best is None:
        return []
    params = list(best["hyperparameters"].items())
    return [
        (one_line(name), one_line(format_param(value, 6))) for name, value in params[:_MOST_PARAMS]
    ]
