"""Rows of slots: who follows whom, what is busy, idle, wasted; the chart that draws them."""

from __future__ import annotations

import pytest

from experiments.charts import load_chart
from experiments.slot_history import Elsewhere, KnownWorker, Use, slot_history
from tests.chart_views import make_run, make_view


def use(number, worker, start, end, outcome="completed", host="atlas"):
    return Use(number, worker, host, float(start), None if end is None else float(end), outcome)


def test_utilisation_is_the_time_of_the_runs_by_slots_and_time():
    history = slot_history(
        [
            use(0, "gpu@atlas-1", 0, 40),
            use(1, "gpu@atlas-2", 0, 10, "failed"),
            use(2, "gpu@atlas-2", 20, 100),
        ],
        now=500,
        ended=100,
    )

    assert [slot.label for slot in history.slots] == ["atlas · 1", "atlas · 2"]
    assert (history.total("seconds"), history.total("busy")) == (200, 130)
    assert (history.total("idle"), history.total("wasted")) == (70, 10)
    assert history.wasted_runs() == 1
    assert [(bar.number, bar.slot) for bar in history.bars] == [(0, 0), (1, 1), (2, 1)]


def test_runs_and_gaps_of_a_sweep_that_goes_on_last_until_now():
    uses = [use(0, "gpu@atlas-1", 10, 20), use(1, "gpu@atlas-2", 10, None, "running")]

    history = slot_history(uses, now=50, ended=None)

    assert (history.start, history.end) == (10, 50)
    assert [slot.idle for slot in history.slots] == [30, 0]
    assert history.bars[1].seconds == 40


def test_process_that_replaces_a_lost_one_goes_on_with_its_row():
    uses = [
        use(0, "gpu@atlas-1", 0, 30, "lost"),
        use(1, "gpu@atlas-2", 0, 60),
        use(2, "gpu@atlas-7", 35, 60),
    ]

    history = slot_history(uses, now=60, ended=60)

    assert [(bar.number, bar.slot) for bar in history.bars] == [(0, 0), (2, 0), (1, 1)]
    assert [slot.busy for slot in history.slots] == [55, 60]


def test_idle_processes_of_one_machine_keep_rows_of_their_own():
    uses = [use(n, f"gpu@atlas-{n}", 10 * n, 10 * n + 10) for n in range(3)]

    history = slot_history(uses, now=30, ended=30)

    assert [slot.idle for slot in history.slots] == [20, 20, 20]


def test_worker_that_came_after_the_end_of_another_takes_its_row():
    uses = [use(0, "gpu@atlas-1", 0, 10), use(1, "gpu@atlas-2", 30, 40)]
    workers = [KnownWorker("gpu@atlas-2", "0", 20.0)]

    (slot,) = slot_history(uses, now=40, ended=None, workers=workers).slots

    assert (slot.label, slot.runs, slot.seconds) == ("atlas · GPU 0", 2, 40)


def test_slot_counts_from_when_it_came_until_it_was_lost():
    uses = [
        use(0, "gpu@atlas-1", 0, 100),
        use(1, "gpu@boreas-1", 0, 20, "lost", host="boreas"),
        use(2, "gpu@ceres-1", 70, 100, host="ceres"),
    ]
    workers = [KnownWorker("gpu@atlas-1", "", 0.0), KnownWorker("gpu@ceres-1", "", 60.0)]

    history = slot_history(uses, now=100, ended=None, workers=workers)

    assert [(s.label, s.since, s.until) for s in history.slots] == [
        ("atlas", 0, 100),
        ("boreas", 0, 20),
        ("ceres", 60, 100),
    ]


def test_lost_run_ends_where_its_worker_took_the_next_one():
    uses = [use(0, "gpu@atlas-1", 0, 90, "lost"), use(1, "gpu@atlas-1", 40, 80)]

    history = slot_history(uses, now=100, ended=100)

    assert [bar.end for bar in history.bars] == [40, 80]
    assert len(history.slots) == 1


def test_runs_at_once_under_one_name_are_slots_of_their_own():
    uses = [use(n, "simulated", 0, 10) for n in range(3)] + [use(3, "simulated", 10, 30)]

    history = slot_history(uses, now=30, ended=30)

    assert [s.label for s in history.slots] == ["simulated · 1", "simulated · 2", "simulated · 3"]
    assert [bar.slot for bar in history.bars if bar.number == 3] == [0]


def test_time_of_other_sweeps_is_neither_busy_nor_idle():
    others = [Elsewhere("gpu@atlas-1", -5, 20), Elsewhere("gpu@atlas-1", 60, None)]

    (slot,) = slot_history(
        [use(0, "gpu@atlas-1", 10, 50), use(1, "gpu@atlas-1", 80, 90)],
        now=100,
        ended=100,
        elsewhere=[*others[1:], Elsewhere("gpu@else-1", 0, 99)],
    ).slots

    assert (slot.busy, slot.elsewhere, slot.idle) == (50, 30, 0)


def test_no_run_gives_no_rows():
    assert slot_history([], now=5, ended=None) is None


def test_chart_has_one_trace_for_each_outcome():
    states = [("Completed", "finished"), ("Failed", "nonzero_exit"), ("Failed", "worker_lost")]
    states += [("Canceled", "policy"), ("Canceled", "user"), ("Running", "")]
    runs = [
        make_run(n, 0.1 + n / 1000, state=states[n % 6][0], end_reason=states[n % 6][1])
        for n in range(120)
    ]
    queued = make_run(120, None, state="Queued", end_reason="")

    figure = load_chart("timeline").build(make_view([*runs, queued]))

    names = [trace["name"] for trace in figure.data]
    assert names == [
        *("completed", "stopped", "failed", "lost", "canceled", "running", "best", "highlight"),
    ]
    assert figure.meta["caption"] == "1 of 121 not drawn: 1 never started"
    assert figure.meta["slots"] == 4
    assert figure.layout["yaxis"]["ticktext"][0].startswith("atlas · 1  <b>")
    row = figure.meta["table"]["rows"][2]
    assert row[3:7] == ["atlas · 3", "lost and repeated", "2023-11-14 22:13:20", row[6]]
    assert row[7] == 8.0


@pytest.mark.parametrize(
    ("seconds", "unit", "length"),
    [(60, "seconds", 60), (3600, "minutes", 60), (36000, "hours", 10), (864000, "days", 10)],
)
def test_chart_counts_time_in_a_unit_that_fits(seconds, unit, length):
    view = make_view([make_run(0)], slots=slot_history([use(0, "w", 0, seconds)], now=0, ended=1))

    figure = load_chart("timeline").build(view)

    assert figure.layout["xaxis"]["title"]["text"].startswith(f"{unit} since 1970")
    assert figure.data[0]["x"] == [length]
