"""Lines of the log: what they belong to, in both formats, and nothing secret in any of them."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest

from experiments import log_context
from studio.logs import BLOT, JsonLines, TextLines, without_secrets
from studio.supervisor import last_words

TOKEN = "q7-" + "Ab_9" * 10  # as long as those of the studio


def record(message: str, *words: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("studio.test", logging.WARNING, "x.py", 1, message, words, None)
    vars(made).update(extra)
    return made


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"GET /sweeps/?token={TOKEN}&page=2", f"GET /sweeps/?token={BLOT}&page=2"),
        (f"GET /sign-in/{TOKEN}/ 302", f"GET /sign-in/{BLOT}/ 302"),
        (f"/shared/{TOKEN}/charts/x.json", f"/shared/{BLOT}/charts/x.json"),
        (f"GET /invitations/{TOKEN}/", f"GET /invitations/{BLOT}/"),
        (f"/notifications/stop/{TOKEN}/ 200", f"/notifications/stop/{BLOT}/ 200"),
        (f"/account/notifications/confirm/{TOKEN}/", f"/account/notifications/confirm/{BLOT}/"),
        (f"?invitation={TOKEN}&a=1", f"?invitation={BLOT}&a=1"),
        (f"GET /sign-up/{TOKEN}/", f"GET /sign-up/{BLOT}/"),
        ("/password-reset/MQ/cx9-0123456789abcdef/", f"/password-reset/{BLOT}"),
        (f"st_{TOKEN}, run_{TOKEN}", f"{BLOT}, {BLOT}"),
        ("Authorization: Bearer abcdefgh.ijk", f"Authorization: Bearer {BLOT}"),
        ("redis://:secret@host:6379/0", f"redis://{BLOT}@host:6379/0"),
        ("postgres://ana:p%40ss@db/studio", f"postgres://{BLOT}@db/studio"),
        ('{"password": "two words", "n": 1}', f'{{"password": "{BLOT}", "n": 1}}'),
        ("AWS_SECRET_ACCESS_KEY=abc X=1", f"AWS_SECRET_ACCESS_KEY={BLOT} X=1"),
        ("?a=1&X-Amz-Signature=0f0f&b=2", f"?a=1&X-Amz-Signature={BLOT}&b=2"),
        ("The token is unknown or expired.", "The token is unknown or expired."),
        ("run_HD_0123456789_17 and http://host:80/x", "run_HD_0123456789_17 and http://host:80/x"),
    ],
)
def test_secrets_are_blotted_out(text: str, clean: str) -> None:
    assert without_secrets(text) == clean


def test_text_of_somebody_begins_no_line_of_its_own() -> None:
    line = TextLines().format(record("GET %s", "/\n2026 INFO root \x1b[31mforged\r\u2028"))

    assert line.count("\n") == 0
    assert "/\\n2026 INFO root \\x1b[31mforged\\r\\u2028" in line


def test_json_line_has_its_context_and_no_secret() -> None:
    with log_context.only(request_id="r1", sweep_id="HD_1", worker="local@x-1"):
        line = JsonLines().format(
            record("GET %s", f"/?token={TOKEN}", status=200, duration_ms=1.5, secret="never shown")
        )

    found = json.loads(line)
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "WARNING", "logger": "studio.test", "message": f"GET /?token={BLOT}",
        "request_id": "r1", "sweep_id": "HD_1", "worker": "local@x-1",
        "status": 200, "duration_ms": 1.5,
    }  # fmt: skip
    assert "\n" not in line


def test_traceback_is_in_the_line_without_secrets() -> None:
    try:
        raise ValueError(f"token={TOKEN}\nsecond line")
    except ValueError:
        failed = record("bad")
        failed.exc_info = sys.exc_info()

    found = json.loads(JsonLines().format(failed))
    text = TextLines().format(failed)

    assert found["exception"].endswith(f"ValueError: token={BLOT}\nsecond line")
    assert text.splitlines()[1] == "Traceback (most recent call last):"
    assert TOKEN not in text


def test_text_line_ends_with_its_context() -> None:
    with log_context.only(request_id="r1", run_id="HD_1_2"):
        line = TextLines().format(record("said"))

    assert line.endswith("WARNING studio.test said  request_id=r1 run_id=HD_1_2")


def test_last_words_of_a_log_are_for_people(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    for line, words in (
        (JsonLines().format(record("No space left.")), ": No space left"),
        ('{"message"', ': {"message"'),
        ("plain words", ": plain words"),
    ):
        log.write_text(f"before\n{line}\n")
        assert last_words(log) == words


def test_context_ends_with_its_block() -> None:
    with log_context.only(request_id="r1"):
        with log_context.bound(sweep_id="HD_1"):
            log_context.note(run_id="HD_1_2")
            assert dict(log_context.fields()) == {
                "request_id": "r1", "sweep_id": "HD_1", "run_id": "HD_1_2"
            }  # fmt: skip
            with log_context.only(worker="w"):
                assert dict(log_context.fields()) == {"worker": "w"}
        log_context.note(request_id="")
        assert dict(log_context.fields()) == {}
    with pytest.raises(ValueError, match=r"^color: the log knows request_id, "):
        log_context.note(color="red")


@pytest.mark.parametrize("given", ["nightly-17", "a" * 64, "0.x_Y"])
def test_request_id_of_a_client_is_kept(given: str) -> None:
    assert log_context.request_id_of(given) == given


@pytest.mark.parametrize("given", ["", "a" * 65, "two words", "a\nb", "-x", '"', "ä"])
def test_request_id_that_cannot_be_used_is_replaced(given: str) -> None:
    found = {log_context.request_id_of(given) for _ in range(2)}

    assert len(found) == 2
    assert all(len(name) == 32 and name.isalnum() for name in found)
