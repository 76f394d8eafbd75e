"""The tail reads every whole line once, whatever the script writes around them."""

from __future__ import annotations

import math

import pytest

from runner.reports import Pace
from runner.tail import JournalTail
from studio.sdk.run import format_report


def line(value, name="loss", step=None):
    return format_report(name, value, step=step, time=1700000000.5)


def test_tail_waits_for_the_rest_of_a_line(tmp_path):
    path = tmp_path / "metrics.jsonl"
    whole = line(0.5)
    path.write_text(whole + whole[:10])
    tail = JournalTail(path)

    first = tail.read()
    path.write_text(whole + whole)

    assert [(e.seq, e.value) for e in first] == [(len(whole), 0.5)]
    assert [(e.seq, e.value) for e in tail.read()] == [(2 * len(whole), 0.5)]
    assert tail.read() == []


def test_tail_keeps_values_that_are_no_finite_numbers(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(line(math.nan) + line(math.inf) + line(-math.inf) + line("text", step=3))

    values = [(entry.value, entry.step) for entry in JournalTail(path).read()]

    assert math.isnan(values[0][0])
    assert values[1:] == [(math.inf, None), (-math.inf, None), ("text", 3.0)]


def test_tail_steps_over_garbage(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b"{not json\n\n[1]\n" + b"\xff\xfe\n" + line(1.0).encode() + b'{"n":1}\n')
    tail = JournalTail(path)

    assert [entry.value for entry in tail.read()] == [1.0]
    assert tail.skipped == 4
    assert tail.read() == []


def test_tail_reads_a_large_journal_in_blocks(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(line(i / 7) for i in range(40_000)))
    tail = JournalTail(path)

    blocks = []
    while block := tail.read():
        blocks.append(block)

    assert len(blocks) > 1
    assert [e.value for block in blocks for e in block] == [i / 7 for i in range(40_000)]


def test_tail_goes_on_where_it_is_told_to(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(line(1.0) + line(2.0))
    first, second = JournalTail(path).read()

    assert JournalTail(path, offset=first.seq).read() == [second]


def test_absent_journal_is_empty(tmp_path):
    assert JournalTail(tmp_path / "none").read() == []


def test_endless_line_is_left_behind(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b"x" * (1 << 20) + b"\n" + line(1.0).encode())
    tail = JournalTail(path)

    assert tail.read() == []
    assert [entry.value for entry in tail.read()] == [1.0]


def waits(*exchanges):
    pace = Pace(0.2)
    for took, is_behind in exchanges:
        pace.note(took, is_behind=is_behind)
        yield pace.seconds


def test_a_busy_database_is_asked_less_often_and_a_rest_is_stored_at_once():
    *_, settled = waits(*[(0.05, False)] * 40)

    assert settled == pytest.approx(0.5, rel=0.01)
    assert [*waits((0.004, False), (90.0, False), (0.3, True))] == [0.2, 2.0, 0.0]


def test_one_exchange_that_had_to_wait_holds_up_few_reports():
    *usual, once, after, later = waits(*[(0.01, False)] * 9, (0.13, False), *[(0.01, False)] * 2)

    assert set(usual) == {0.2}
    assert once == pytest.approx(0.4, rel=0.1)
    assert later < after < once
