"""Every non-trivial read, by noun; all of them start from what a person may see."""

from experiments.queries.best import BestModel, WinningValue, best_model
from experiments.queries.chart_input import chart_view, policy_limits
from experiments.queries.check_run import CheckView, check_json, check_view, find_check
from experiments.queries.feed import events_after, sweep_state_json
from experiments.queries.json_forms import (
    best_run_json,
    number_json,
    numbers_json,
    run_counts,
    run_detail_json,
    run_json,
    sweep_json,
    sweeps_json,
)
from experiments.queries.log import LogLine, log_of_sweep
from experiments.queries.page import Page
from experiments.queries.run_table import RunRow, run_row, run_rows
from experiments.queries.series import (
    Series,
    all_series,
    curves_json,
    curves_of,
    metric_names,
    series_names,
    series_of,
    steps_json,
)
from experiments.queries.sweep_list import SweepRow, state_counts, sweep_list, sweep_rows
from experiments.queries.visible import (
    compute_for,
    current_workspace,
    experiments_for,
    find_snapshot,
    followed_for,
    get_run,
    get_sweep,
    may_write,
    runs_for,
    sweeps_for,
    workspaces_for,
)
from experiments.queries.watch import (
    active_sweeps,
    alive_since,
    compute_json,
    expired_runs,
    waiting_runs,
)

__all__ = [
    "BestModel",
    "CheckView",
    "LogLine",
    "Page",
    "RunRow",
    "Series",
    "SweepRow",
    "WinningValue",
    "active_sweeps",
    "alive_since",
    "all_series",
    "best_model",
    "best_run_json",
    "chart_view",
    "check_json",
    "check_view",
    "compute_for",
    "compute_json",
    "current_workspace",
    "curves_json",
    "curves_of",
    "events_after",
    "experiments_for",
    "expired_runs",
    "find_check",
    "find_snapshot",
    "followed_for",
    "get_run",
    "get_sweep",
    "log_of_sweep",
    "may_write",
    "metric_names",
    "number_json",
    "numbers_json",
    "policy_limits",
    "run_counts",
    "run_detail_json",
    "run_json",
    "run_row",
    "run_rows",
    "runs_for",
    "series_names",
    "series_of",
    "state_counts",
    "steps_json",
    "sweep_json",
    "sweep_list",
    "sweep_rows",
    "sweep_state_json",
    "sweeps_for",
    "sweeps_json",
    "waiting_runs",
    "workspaces_for",
]
