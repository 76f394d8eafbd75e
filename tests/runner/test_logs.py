"""Logs stay below their limit; the reason of a failure is the last line of its traceback."""

from __future__ import annotations

import pytest

from runner.logs import cut_log, error_line

TRACEBACK = """epoch 1
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    main()
ZeroDivisionError: division by zero
"""
CHAINED = (
    TRACEBACK
    + """
During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "train.py", line 9, in <module>
RuntimeError: out of luck
[helper] gone
"""
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TRACEBACK, "ZeroDivisionError: division by zero"),
        (CHAINED, "RuntimeError: out of luck"),
        ("usage: train.py\ntrain.py: error: unrecognized arguments: --x 1\n",
         "train.py: error: unrecognized arguments: --x 1"),
        ("Traceback (most recent call last):\n  File 'x'\nKeyError: 'x'\n", "KeyError: 'x'"),
        ("", ""),
        ("\n  \n", ""),
    ],
)  # fmt: skip
def test_error_line_says_why(tmp_path, text, expected):
    path = tmp_path / "log"
    path.write_text(text)

    assert error_line(path) == expected


def test_error_line_of_no_log_is_empty(tmp_path):
    assert error_line(tmp_path / "none") == ""


def test_long_log_keeps_its_head_and_its_tail(tmp_path):
    path = tmp_path / "log"
    path.write_text("".join(f"line {i:06}\n" for i in range(10_000)))  # 120 kB

    lost = cut_log(path, 40_000)

    text = path.read_text()
    assert text.startswith("line 000000\n")
    assert text.endswith("line 009999\n")
    assert f"{lost} bytes of output left out" in text
    assert lost == 120_000 - 20_000 - len(text[text.index("\nline", 20_000) + 1 :])
    assert path.stat().st_size < 40_000


def test_log_that_is_cut_again_counts_what_was_lost_before(tmp_path):
    path = tmp_path / "log"
    path.write_text("".join(f"line {i:06}\n" for i in range(10_000)))
    lost = cut_log(path, 40_000)
    with path.open("a") as file:
        file.writelines(f"more {i:06}\n" for i in range(10_000))

    more = cut_log(path, 40_000, lost_before=lost)

    text = path.read_text()
    assert f"[studio] {lost + more} bytes of output left out" in text
    assert text.count("[studio]") == 1
    assert text.endswith("more 009999\n")


def test_short_log_stays_as_it_is(tmp_path):
    path = tmp_path / "log"
    path.write_text("short\n")

    assert cut_log(path, 40_000) == 0
    assert path.read_text() == "short\n"
    assert cut_log(tmp_path / "none", 10) == 0
