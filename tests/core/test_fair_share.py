"""What dividing slots promises: none idle, quotas obeyed, nobody starved, shares by weight."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.fair_share import (
    AHEAD_SECONDS,
    Hold,
    HoldKind,
    Line,
    Standing,
    Team,
    choose,
)
from experiments.slot_ledger import START_SECONDS, Ledger, serve


@dataclass
class Sweep:
    """A sweep of a simulated target: how many runs wait, and how long each will last."""

    workspace: int
    waiting: int
    seconds: float
    at: float = 0.0
    is_check: bool = False


@dataclass
class Target:
    """A target with slots whose workers ask `choose`, on a clock of its own."""

    slots: int
    teams: dict[int, Team]
    sweeps: dict[int, Sweep]
    now: float = 0.0
    ledger: Ledger = field(default_factory=Ledger)
    busy: list[tuple[float, int, float]] = field(default_factory=list)
    spans: list[tuple[int, int, float, float | None]] = field(default_factory=list)
    starts: list[tuple[float, int, int]] = field(default_factory=list)
    served: dict[int, float] = field(default_factory=dict)
    started: dict[int, int] = field(default_factory=dict)

    def standing(self) -> Standing:
        running = [sweep for _, sweep, _ in self.busy]
        lines = [
            Line(s.workspace, key, s.waiting, key, running.count(key), s.is_check)
            for key, s in self.sweeps.items()
            if s.at <= self.now and (s.waiting or key in running)
        ]
        teams = {
            key: replace(
                team,
                running=sum(self.sweeps[s].workspace == key for s in running),
                started_today=self.started.get(key, 0),
            )
            for key, team in self.teams.items()
        }
        live = [(self.sweeps[s].workspace, s, began, None) for _, s, began in self.busy]
        served = serve([*self.spans, *live], self.ledger.at, self.now)
        return Standing(lines, teams, self.ledger, served, self.now)

    def fill(self) -> None:
        """Let every free slot take a run, and check that none stays idle without a reason."""
        while len(self.busy) < self.slots:
            standing = self.standing()
            choice = choose(standing)
            if choice.line is None:
                assert all(not s.waiting or k in choice.holds for k, s in self._here())
                return
            # What is stored is what the next decision knows.
            self.ledger, self.spans = Ledger.load(choice.ledger.dump()), []
            key, sweep = choice.line.sweep, self.sweeps[choice.line.sweep]
            sweep.waiting -= 1
            self.starts.append((self.now, sweep.workspace, key))
            if not sweep.is_check:
                self.started[sweep.workspace] = self.started.get(sweep.workspace, 0) + 1
            heapq.heappush(self.busy, (self.now + sweep.seconds, key, self.now))
            for team, state in self.standing().teams.items():
                assert state.max_running is None or state.running <= state.max_running, team

    def run(self, until: float) -> None:
        arrivals = sorted({s.at for s in self.sweeps.values() if s.at > self.now})
        self.fill()
        while True:
            nexts = [*arrivals[:1], *([self.busy[0][0]] if self.busy else [])]
            if not nexts or min(nexts) > until:
                break
            self.now = min(nexts)
            arrivals = [at for at in arrivals if at > self.now]
            while self.busy and self.busy[0][0] <= self.now:
                _, key, began = heapq.heappop(self.busy)
                workspace = self.sweeps[key].workspace
                self.spans.append((workspace, key, began, self.now))
                self.served[workspace] = self.served.get(workspace, 0) + self.now - began
            self.fill()
        for _, key, began in self.busy:
            workspace = self.sweeps[key].workspace
            self.served[workspace] = self.served.get(workspace, 0) + until - began
        self.now = until

    def _here(self):
        return [(key, s) for key, s in self.sweeps.items() if s.at <= self.now]


EVER = 10**9
seconds = st.floats(0.01, 4000, allow_nan=False)


def test_a_large_sweep_holds_up_nobody_as_in_the_docs():
    """The example of docs/reference/scheduling.md."""
    large, small = Sweep(1, 1000, 60.0), Sweep(2, 5, 60.0, at=90.0)
    target = Target(2, {1: Team("Vision"), 2: Team("Speech")}, {1: large, 2: small})

    target.run(600)

    begun = [(at, workspace) for at, workspace, _ in target.starts if at >= 90]
    assert begun[:4] == [(120, 1), (120, 2), (180, 1), (180, 2)]
    assert [at for at, workspace in begun if workspace == 2] == [120, 180, 240, 300, 360]


def test_priorities_divide_the_slots_as_in_the_docs():
    teams = {1: Team("Vision", priority=30), 2: Team("Speech", priority=10)}
    target = Target(4, teams, {1: Sweep(1, EVER, 60.0), 2: Sweep(2, EVER, 60.0)})

    target.run(3600 * 4)

    assert target.served[1] / target.served[2] == pytest.approx(3, rel=0.05)


def test_one_slot_is_divided_by_time_not_by_starts():
    teams = {1: Team(), 2: Team()}
    target = Target(1, teams, {1: Sweep(1, EVER, 3600.0), 2: Sweep(2, EVER, 60.0)})

    target.run(3600 * 24)

    assert target.served[1] / target.served[2] == pytest.approx(1, rel=0.1)


def test_sweeps_of_one_workspace_take_turns():
    sweeps = {1: Sweep(1, EVER, 30.0), 2: Sweep(1, 3, 30.0, at=100.0)}
    target = Target(1, {1: Team()}, sweeps)

    target.run(400)

    assert [key for at, _, key in target.starts if at >= 100][:6] == [1, 2, 1, 2, 1, 2]


def test_time_away_gives_no_credit():
    """Who comes back after hours begins level with those that were there."""
    sweeps = {1: Sweep(1, EVER, 60.0), 2: Sweep(2, 1, 60.0), 3: Sweep(2, EVER, 60.0, at=36000.0)}
    target = Target(4, {1: Team(), 2: Team()}, sweeps)

    target.run(36000 + 1800)

    late = [workspace for at, workspace, _ in target.starts if at >= 36060]
    assert abs(late.count(1) - late.count(2)) <= 2
    first = [workspace for at, workspace, _ in target.starts if 36000 <= at <= 36060]
    assert 1 in first
    assert 2 in first


def test_slot_time_of_a_calm_is_not_held_against_anybody():
    """Who ran alone on an idle target pays nothing back when another one comes."""
    sweeps = {
        1: Sweep(1, 3, 7200.0),
        2: Sweep(1, EVER, 60.0, at=7300.0),
        3: Sweep(2, EVER, 60.0, at=7300.0),
    }
    target = Target(4, {1: Team(), 2: Team()}, sweeps)

    target.run(9000)

    between = [workspace for at, workspace, _ in target.starts if at >= 7300]
    assert abs(between.count(1) - between.count(2)) <= 4


def test_a_check_is_first_and_obeys_the_running_runs_alone():
    lines = [Line(1, 1, 5, first=1), Line(2, 2, 1, first=9, is_check=True)]
    full = Team("Speech", max_running=1, running=1)
    spent = Team("Speech", max_per_day=3, started_today=3, max_stored=1, stored=2)

    assert choose(Standing(lines, {1: Team(), 2: spent})).line == lines[1]
    held = choose(Standing(lines, {1: Team(), 2: full}))
    assert held.line == lines[0]
    assert held.holds[2].sentence == "1 of 1 running slots of workspace Speech are in use"


@pytest.mark.parametrize(
    ("team", "kind", "sentence"),
    [
        (
            Team("A", max_running=3, running=3),
            HoldKind.RUNNING_RUNS,
            "3 of 3 running slots of workspace A are in use",
        ),
        (
            Team("A", max_running=0),
            HoldKind.RUNNING_RUNS,
            "workspace A may run nothing: its limit of running runs is 0",
        ),
        (
            Team("A", max_per_day=20, started_today=20),
            HoldKind.RUNS_PER_DAY,
            "workspace A has started 20 of 20 runs a day; it goes on at 00:00 UTC",
        ),
        (
            Team("A", max_stored=10**9, stored=2 * 10**9),
            HoldKind.STORAGE,
            "workspace A has used up its storage: 2.0 GB of 1.0 GB",
        ),
    ],
)
def test_what_holds_a_run_is_said_with_its_numbers(team, kind, sentence):
    assert team.hold() == Hold(kind, sentence)


def test_a_closed_target_starts_nothing_and_says_why():
    closed = Hold(HoldKind.MAINTENANCE, "the studio is in maintenance")

    choice = choose(Standing([Line(1, 1, 5, 1)], {1: Team()}, closed=closed))

    assert (choice.line, choice.holds) == (None, {1: closed})


@pytest.mark.parametrize("stored", [{}, {"at": 1}, {"at": "x", "teams": {}, "sweeps": {}}])
def test_a_ledger_that_cannot_be_read_is_forgotten(stored):
    assert Ledger.load(stored) == Ledger()


worlds = st.builds(
    Target,
    slots=st.integers(1, 6),
    teams=st.fixed_dictionaries(
        {
            key: st.builds(
                Team,
                name=st.just(f"W{key}"),
                priority=st.integers(1, 100),
                max_running=st.none() | st.integers(0, 4),
                max_per_day=st.none() | st.integers(0, 30),
            )
            for key in (1, 2, 3)
        }
    ),
    sweeps=st.dictionaries(
        st.integers(1, 9),
        st.builds(
            Sweep,
            st.sampled_from([1, 2, 3]),
            st.integers(1, 12),
            seconds,
            st.floats(0, 5000),
            st.booleans(),
        ),
        min_size=1,
        max_size=7,
    ),
)


@given(worlds)
@settings(max_examples=150, deadline=None)
def test_no_slot_is_idle_and_no_quota_exceeded(target):
    """`Target.fill` asserts both at every start; in the end only what is held still waits."""
    target.run(EVER)

    for key, team in target.teams.items():
        started = target.started.get(key, 0)
        assert team.max_per_day is None or started <= team.max_per_day
    left = choose(target.standing())
    assert left.line is None
    assert {key for key, s in target.sweeps.items() if s.waiting} == set(left.holds)


@given(
    slots=st.integers(1, 5),
    priorities=st.lists(st.integers(1, 100), min_size=2, max_size=5),
    lasting=st.lists(st.floats(20, 2000), min_size=5, max_size=5),
    at=st.floats(1, 3000),
)
@settings(max_examples=60, deadline=None)
def test_who_begins_to_wait_gets_one_of_the_next_slots(slots, priorities, lasting, at):
    """docs/reference/scheduling.md: one of the next N slots that become free, for N waiting."""
    count = len(priorities)
    sweeps = {key: Sweep(key, EVER, lasting[key - 1]) for key in range(1, count)}
    sweeps[count] = Sweep(count, EVER, lasting[count - 1], at=at)
    teams = {key: Team(priority=priorities[key - 1]) for key in range(1, count + 1)}
    target = Target(slots, teams, sweeps)

    target.run(at + 5 * max(lasting))

    after = [workspace for began, workspace, _ in target.starts if began >= at]
    assert count in after[:count]


@given(
    slots=st.integers(1, 5),
    priorities=st.lists(st.integers(1, 100), min_size=2, max_size=4),
    lasting=st.lists(st.floats(60, 1200), min_size=4, max_size=4),
)
@settings(max_examples=30, deadline=None)
def test_shares_converge_to_the_weights(slots, priorities, lasting):
    """What two that always wait have had by weight differs by a constant, however long it goes."""
    keys = range(1, len(priorities) + 1)
    sweeps = {key: Sweep(key, EVER, lasting[key - 1]) for key in keys}
    teams = {key: Team(priority=priorities[key - 1]) for key in keys}
    target = Target(slots, teams, sweeps)

    target.run(40 * max(lasting) + 20000)

    starts = {key: sum(w == key for _, w, _ in target.starts) for key in keys}
    had = {
        key: (target.served.get(key, 0) + START_SECONDS * starts[key]) / teams[key].weight
        for key in keys
    }
    for ahead in keys:
        for behind in keys:
            bound = slots * (
                (AHEAD_SECONDS + max(lasting)) / teams[behind].weight
                + (max(lasting) + START_SECONDS) / teams[ahead].weight
            )
            assert had[ahead] - had[behind] <= bound
