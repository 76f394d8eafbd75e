"""The benchmark's table: figures are judged by targets, a page keeps what was not measured."""

from __future__ import annotations

import sys

import pytest

from tests.bench_report import BEGIN, END, Session, rewritten
from tests.bench_table import Figure, summed_up
from tests.bench_worker import WorkerError, script


def session(part: str, *figures: Figure, when: str = "today") -> Session:
    return Session(part, figures, when, "abc", 0.5, 12.0, "make bench")


def test_ratio_to_the_floor_is_judged_where_the_target_had_one():
    slow_machine = Figure("log", 20, "us", must=11, aim=7, floor=8, floor_then=3.7)
    fast_machine = Figure("log", 10, "us", must=11, aim=7, floor=2, floor_then=3.7)
    rate = Figure("store", 120, "k points/s", must=100, aim=170, is_more_better=True)

    assert [slow_machine.verdict, fast_machine.verdict] == ["met", "missed"]
    assert rate.verdict == "met"
    assert Figure("log", 2, "us", must=11, aim=7, floor=2, floor_then=3.7).verdict == "met, aim too"
    assert Figure("log", None, must=11).verdict == ""
    assert slow_machine.target(slow_machine.must) == "11 us = 3 x"


def test_summary_tells_quartiles_or_the_whole_range():
    assert summed_up("a", [1, 2, 9], "s").text == "2.00 s [1.00 - 9.00]"
    assert summed_up("a", [*range(1, 10)], "ms").text == "5.00 ms [2.50 - 7.50]"
    assert summed_up("a", [4.0], "s").text == "4.00 s"
    assert summed_up("a", [20_000.0, 30_000.0], "us").text == "25 ms [20 - 30]"
    with pytest.raises(ValueError, match="nothing was measured"):
        summed_up("a", [], "s")


def test_page_keeps_rows_of_parts_that_were_not_measured():
    page = f"# Measured\n\nwords\n\n{BEGIN}\n{END}\n\n## Load\n"
    order = ["log", "store", "pages"]
    stored = [
        Figure("rate", 5, "k points/s", must=9, is_more_better=True, note="a | b"),
        Figure("rate", 7, "k points/s", is_more_better=True, who="Peer 1.0"),
    ]
    first = [session("store", *stored), session("pages", Figure("page", 3, must=4))]
    whole = rewritten(page, first, {"machine": "2 cores"}, order)

    later = session("log", Figure("call", 7, "us"), when="later")
    more = session("pages", Figure("page", None, note="failed: no Chromium"), when="later")
    again = rewritten(whole, [more, later], {"machine": "4 cores"}, order)

    assert again.startswith("# Measured\n\nwords\n")
    assert again.endswith(f"{END}\n\n## Load\n")
    rows = [line for line in again.splitlines() if line.startswith("| ")]
    names = [row.split(" | ")[0].lstrip("| ") for row in rows]
    assert [name for name in names if name in order] == ["log", "store", "pages"] * 2
    (store,) = [row for row in whole.splitlines() if row.startswith("| store | rate")]
    assert store in rows
    assert "missed; behind Peer 1.0" in store
    assert "Peer 1.0: 7.0 k points/s (0.714 x)" in store
    assert "a / b" in store
    assert "Missed: rate. Not measured, with the reason in the row: page (pages)." in again
    assert "4 cores" in again
    assert "2 cores" not in again
    whens = [row for row in rows if "`make bench`" in row]
    assert [row.split(" | ")[1] for row in whens] == ["later", "today", "later"]
    assert rewritten(again, [], {"machine": "4 cores"}, order) == again


def test_page_without_marks_is_refused():
    with pytest.raises(ValueError, match="no marks"):
        rewritten("# Measured\n", [], {}, [])


def test_worker_answers_and_one_that_fails_says_why(tmp_path):
    with script(sys.executable, "log_floor", tmp_path) as worker:
        assert worker.version == "json.dumps and write(2)"
        assert len(worker.ask("calls 5")) == 5
        assert worker.ask("whole 20") > 0
        with pytest.raises(WorkerError, match="KeyError: 'dance'"):
            worker.ask("dance 1")
    assert (tmp_path / "floor").read_bytes().count(b"\n") == 25
