"""The quick ways to write and read lines of a journal say what the careful ones say."""

from __future__ import annotations

import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from experiments.api.mlflow.fields import fields_of
from experiments.api.mlflow.reports import shown
from experiments.api.mlflow.wire import Call, MlflowError
from runner.tail import JournalTail
from studio.sdk.journal import format_plain, format_report, parse_report

_NAMES = st.sampled_from(["loss", 'a "b"\n', "ä/\u2028", "x" * 1200])
_ROWS = st.lists(
    st.tuples(
        _NAMES,
        st.floats(allow_nan=False, allow_infinity=False),
        st.integers(0, 10**14).map(lambda milliseconds: milliseconds / 1000),
        st.integers(-(2**53), 2**53),
    ),
    min_size=1,
    max_size=8,
)


def plain(rows: list[tuple[str, float, float, int]]) -> str:
    names, values, times, steps = zip(*rows, strict=True)
    return format_plain(names, shown(values), times, steps)


_LINES = st.one_of(
    _ROWS.map(lambda rows: plain(rows).encode()),
    st.sampled_from(
        [
            b'{"n":"a","v":NaN,"t":1.0}\n', b'{"n":"a","v":1,"t":2}\n',
            b'{"n":1,"v":1.0,"t":2.0}\n', b'{"n":"a","v":1e999,"t":2.0,"s":NaN}\n',
            b'{"n":"a","v":1.0,"t":1e999}\n', b"{}\n",
            b'{"n":"\\ud800","v":1.0,"t":1.0}\n', b'[{"n":"a","v":1.0,"t":1.0}]\n', b"\xff\n",
            b'\xef\xbb\xbf{"n":"a","v":1.0,"t":1.0}\n', b'{"n":"a","v":"1.5","t":1.0,"s":"3"}\n',
            b'{"n":"a","v":true,"t":1.0} x\n', b'{"n":"a","n":"b","v":1.0,"t":1.0}\n', b"\n",
            b'{"n":"a","f":"Infinity","t":1.0}\n', b'{"n":"a","x":"text","t":1.0,"s":-0.0}\n',
        ]
    ),
)  # fmt: skip


@given(_ROWS)
def test_plain_reports_are_written_as_by_themselves(rows):
    alone = [format_report(name, value, step=step, time=at) for name, value, at, step in rows]

    assert plain(rows) == "".join(alone)


@given(
    st.one_of(
        # A batch of these is written the quick way, one value of the others is enough for the slow.
        st.lists(st.floats(1e-3, 1e15) | st.floats(-1e15, -1e-3) | st.just(0.0), min_size=1),
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=2),
    )
)
def test_values_of_a_batch_are_shown_as_each_by_itself(values):
    assert shown(values) == [repr(value) for value in values]


@given(st.lists(_LINES, max_size=6))
def test_tail_reads_what_each_line_says(pieces):
    data = b"".join(pieces)
    lines = data.splitlines(keepends=True)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.jsonl"
        path.write_bytes(data)
        tail = JournalTail(path)
        found = [(r.name, r.value, r.step, r.time) for r in tail.read()]

    expected = [parsed for line in lines if (parsed := parse_report(line)) is not None]
    assert list(map(repr, found)) == list(map(repr, expected))
    assert tail.skipped == sum(bool(line.strip()) for line in lines) - len(expected)


def test_bodies_are_taken_and_refused_as_json_is():
    nested = b'{"a":' + b"[" * 300 + b"]" * 300 + b"}"
    bodies = [
        b'{"a":1,"a":2}', b'{"a":-0}', b'{"a":18446744073709551616}', b'{"a":1e999}', nested,
        b'\xef\xbb\xbf{"a":1}', '{"a":"ä"}'.encode("utf-16"), b'{"a":"\\ud800"}',
        b'{"a":"\\u0000"}', b'{"a":01}', b'{"a":"\xff"}', b'{"a":"\x01"}', b'{"a":1,}', b"{a:1}",
        b'{"a":1} x', b" ", b'{"a":Infinity,"b":-Infinity}',
        b'{"a":' + b"9" * 5000 + b"}", b'{"a":nan}', b"[" * 100_000,
    ]  # fmt: skip
    for body in bodies:
        call = Call("POST", "runs/log-batch", {}, body, "")
        try:
            expected = json.loads(body)
        except (ValueError, RecursionError):
            expected = None
        try:
            found = fields_of(call).raw
        except MlflowError as error:
            found = None if error.status == 400 else error
        assert found == expected, body
    nan = fields_of(Call("POST", "runs/log-batch", {}, b'{"a":NaN}', "")).number("a")
    assert math.isnan(nan)
