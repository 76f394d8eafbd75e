"""Numbers and times as people read them; the same table is tested in tests/js."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from experiments import formats, marks

TABLE = json.loads((Path(__file__).parents[1] / "golden" / "formats.json").read_text("utf-8"))


def numbers(values):
    return [None if v is None else float(v) for v in values]


@pytest.mark.parametrize(("value", "text"), TABLE["param"])
def test_param_is_written_with_four_significant_digits(value, text):
    assert formats.format_param(value).replace(", ", ",") == text


@pytest.mark.parametrize(("value", "digits", "text"), TABLE["metric"])
def test_metric_has_fixed_decimals(value, digits, text):
    assert formats.format_metric(value, digits) == text


@pytest.mark.parametrize(("values", "digits"), TABLE["digits"])
def test_metric_digits_follow_the_spread(values, digits):
    assert formats.metric_digits(numbers(values)) == digits


@pytest.mark.parametrize(("seconds", "text"), TABLE["duration"])
def test_duration_has_two_units(seconds, text):
    assert formats.format_duration(seconds) == text


@pytest.mark.parametrize(("size", "text"), TABLE["filesize"])
def test_filesize_is_decimal(size, text):
    assert formats.format_filesize(size) == text


@pytest.mark.parametrize(("value", "text"), TABLE["count"])
def test_count_has_thin_spaces(value, text):
    assert formats.format_count(value) == text


@pytest.mark.parametrize(("part", "whole", "text"), TABLE["share"])
def test_share_is_whole_percent(part, whole, text):
    assert formats.format_share(part, whole) == text


@pytest.mark.parametrize(("when", "now", "text"), TABLE["ago"])
def test_ago_gets_coarser_with_age(when, now, text):
    assert formats.format_ago(datetime.fromisoformat(when), datetime.fromisoformat(now)) == text


@pytest.mark.parametrize(("counts", "total", "parts"), TABLE["progress"])
def test_progress_parts_stand_in_fixed_order(counts, total, parts):
    shown = [[css, n] for css, _, n in marks.progress_parts(counts) if n > 0]

    assert shown == parts
    assert len(marks.progress_segments(counts, total)) == len(parts)


def test_progress_of_more_runs_than_planned_is_full_not_wider():
    segments = marks.progress_segments({"Completed": 30, "Failed": 10}, 20)

    assert [(s.start, s.width) for s in segments] == [(0, 75), (75, 25)]


@pytest.mark.parametrize(("values", "points"), TABLE["spark"])
def test_spark_leaves_out_what_is_missing(values, points):
    path = marks.spark_path(values)

    assert (path and path.points) == points


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Ines Duarte", "ID"), ("admin", "A"), ("jun.watanabe", "JW"), ("", "?"), ("a b c", "AB")],
)
def test_initials_are_at_most_two_letters(name, letters):
    assert formats.initials(name) == letters
