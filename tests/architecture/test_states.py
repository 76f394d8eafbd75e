"""The state table is sound, and transitions.py alone assigns states."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from experiments.states import (
    RUN_REASONS,
    RUN_TERMINAL,
    RUN_TRANSITIONS,
    SWEEP_REASONS,
    SWEEP_TERMINAL,
    SWEEP_TRANSITIONS,
    RunState,
    SweepState,
    badge,
    badge_table,
    run_predecessors,
    sweep_predecessors,
)

ROOT = Path(__file__).parents[2]
_WRITERS = {"update", "bulk_update", "update_or_create"}


def reachable(table, start):
    """Return every state that can be reached from `start`."""
    found, todo = {start}, [start]
    while todo:
        for state in table[todo.pop()] - found:
            found.add(state)
            todo.append(state)
    return found


def test_every_run_state_is_reachable():
    assert reachable(RUN_TRANSITIONS, RunState.NOT_STARTED) == set(RunState)


def test_every_sweep_state_is_reachable():
    assert reachable(SWEEP_TRANSITIONS, SweepState.QUEUED) == set(SweepState)


def test_terminal_states_are_those_of_the_contract():
    assert set(RUN_TERMINAL) == {RunState.COMPLETED, RunState.FAILED, RunState.CANCELED}
    assert set(SWEEP_TERMINAL) == {SweepState.COMPLETED, SweepState.FAILED, SweepState.CANCELED}


def test_every_run_state_leads_to_an_end():
    for state in RunState:
        assert reachable(RUN_TRANSITIONS, state) & RUN_TERMINAL, state


def test_every_sweep_state_leads_to_an_end():
    for state in SweepState:
        assert reachable(SWEEP_TRANSITIONS, state) & SWEEP_TERMINAL, state


def test_an_ended_run_stays_and_an_ended_sweep_goes_on_only_to_run():
    assert {nexts for state in RUN_TERMINAL for nexts in RUN_TRANSITIONS[state]} == set()
    for state in SWEEP_TERMINAL:
        assert SWEEP_TRANSITIONS[state] == {SweepState.RUNNING}


def test_predecessors_mirror_the_transitions():
    for state in RunState:
        assert {b for b in RunState if state in RUN_TRANSITIONS[b]} == run_predecessors(state)
    for state in SweepState:
        assert {b for b in SweepState if state in SWEEP_TRANSITIONS[b]} == sweep_predecessors(state)


def test_reasons_exist_exactly_where_something_ends():
    assert set(RUN_REASONS) == {*RUN_TERMINAL, RunState.CANCEL_REQUESTED}
    assert set(SWEEP_REASONS) == {*SWEEP_TERMINAL, SweepState.CANCEL_REQUESTED}


def test_every_reason_a_stop_is_asked_for_can_also_end_the_run():
    assert RUN_REASONS[RunState.CANCEL_REQUESTED] == RUN_REASONS[RunState.CANCELED]
    assert SWEEP_REASONS[SweepState.CANCEL_REQUESTED] == SWEEP_REASONS[SweepState.CANCELED]


@pytest.mark.parametrize("state", [*RunState, *SweepState])
def test_every_state_has_a_badge(state):
    chip = badge(state)

    assert badge_table()[str(state)] == {
        "label": chip.label,
        "css": chip.css,
        "icon": chip.icon,
    }


def assigned_states(path: Path) -> list[int]:
    """Return the lines of a module that set a field called `state` of a row."""
    lines = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            lines += [
                t.lineno
                for t in targets
                if isinstance(t, ast.Attribute)
                and t.attr == "state"
                and not (isinstance(t.value, ast.Name) and t.value.id == "self")
            ]
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in _WRITERS:
            lines += [k.value.lineno for k in node.keywords if k.arg == "state"]
    return lines


def test_only_transitions_assigns_states():
    found = {
        str(path.relative_to(ROOT)): lines
        for folder in ("experiments", "runner", "studio")
        for path in (ROOT / folder).rglob("*.py")
        if (lines := assigned_states(path))
    }

    assert list(found) == ["experiments/services/transitions.py"]
    assert len(found["experiments/services/transitions.py"]) == 2
