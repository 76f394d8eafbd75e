"""`resume_from` and `resume_child_runs` of a specification: ids of earlier sweeps and runs.

Checks what can be said without knowing them. Pure: touches neither database nor files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from experiments.problems import Problem
from experiments.space.literals import brief

MAX_PARENTS: Final = 5
# Over a whole warm start: the runs of this sweep and of those that it goes on from.
MAX_CHAIN_RUNS: Final = 1000
_MAX_ID: Final = 70
_MAX_LISTED: Final = 1000
_LIKE: Final = {"sweep": "HD_<id>", "run": "HD_<id>_<number>"}
_UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_SWEEP: Final = re.compile(rf"HD_{_UUID}")
_RUN: Final = re.compile(rf"HD_{_UUID}_\d+")


def read_sweep_ids(raw: Any, problems: list[Problem]) -> list[str]:
    """Return `resume_from` as a list of ids; one id alone is a list of one."""
    path = "resume_from"
    ids = _read_ids(raw, path, "sweep", problems)
    problems += [
        Problem(
            f"{path}[{i}]",
            f"{brief(one)} is a run; name its sweep {sweep_id_of(one)} here, or the run in "
            "resume_child_runs.",
        )
        for i, one in enumerate(ids)
        if _RUN.fullmatch(one)
    ]
    if len(ids) > MAX_PARENTS:
        text = f"resume_from has {len(ids)} sweeps; at most {MAX_PARENTS} can be continued."
        problems.append(Problem(path, text))
    return ids[:MAX_PARENTS]


def read_run_ids(raw: Any, problems: list[Problem]) -> list[str]:
    """Return `resume_child_runs` as a list of ids; one id alone is a list of one."""
    path = "resume_child_runs"
    ids = _read_ids(raw, path, "run", problems)
    problems += [
        Problem(
            f"{path}[{i}]",
            f"{brief(one)} is a sweep; name one of its runs, such as {one}_0, or the sweep in "
            "resume_from.",
        )
        for i, one in enumerate(ids)
        if _SWEEP.fullmatch(one)
    ]
    sweeps = {sweep_id_of(one) for one in ids}
    if len(sweeps) > MAX_PARENTS:
        text = (
            f"resume_child_runs has runs of {len(sweeps)} sweeps; they may belong to at most "
            f"{MAX_PARENTS}."
        )
        problems.append(Problem(path, text))
    return ids


def check_warm_start(known: Mapping[str, Any]) -> list[Problem]:
    """Check that there is room for the runs to resume; each of them counts."""
    total, runs = known.get("max_total_runs"), known["resume_child_runs"]
    if isinstance(total, bool) or not isinstance(total, int) or len(runs) <= total or total < 1:
        return []
    text = (
        f"resume_child_runs has {len(runs)} runs, more than max_total_runs {total}, and each of "
        "them counts. Name fewer, or raise max_total_runs."
    )
    return [Problem("resume_child_runs", text)]


def sweep_id_of(run_id: str) -> str:
    """Return the id of the sweep that a run's id begins with.

    >>> sweep_id_of("HD_1_12")
    'HD_1'
    """
    return run_id.rpartition("_")[0]


def _read_ids(raw: Any, field: str, what: str, problems: list[Problem]) -> list[str]:
    if raw is None:
        return []
    items = [raw] if isinstance(raw, str) else raw
    if not isinstance(items, list | tuple):
        text = f"{field} is {brief(raw)}; use a list of the ids of {what}s, such as {_LIKE[what]}."
        problems.append(Problem(field, text))
        return []
    if len(items) > _MAX_LISTED:
        text = f"{field} has {len(items)} entries; a sweep has at most {_MAX_LISTED} runs."
        problems.append(Problem(field, text))
        return []
    ids: list[str] = []
    for i, item in enumerate(items):
        one = item.strip() if isinstance(item, str) else ""
        if not one or len(one) > _MAX_ID:
            text = f"The {what} is {brief(item)}; use the id of a {what}, such as {_LIKE[what]}."
            problems.append(Problem(f"{field}[{i}]", text))
        elif one in ids:
            text = f"{brief(one)} is listed already; name every {what} once."
            problems.append(Problem(f"{field}[{i}]", text))
        else:
            ids.append(one)
    return ids
