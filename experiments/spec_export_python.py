"""Write a specification as a program for `studio.sdk`, with the names of Azure ML v1.

The program says everything but where the files of a snapshot are to be put; that stands in a
comment at its top. It submits only when it is run itself: imported, it offers `config`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from experiments.space.base import Expression
from experiments.space.literals import literal

if TYPE_CHECKING:
    from experiments.spec import SweepSpec

_WIDTH: Final = 88
_SAMPLINGS: Final = {
    "random": "RandomParameterSampling",
    "sobol": "RandomParameterSampling",
    "grid": "GridParameterSampling",
    "bayesian": "BayesianParameterSampling",
    "bayesian_extended": "BayesianExtendedParameterSampling",
}
_POLICIES: Final = {
    "bandit": "BanditPolicy",
    "median_stopping": "MedianStoppingPolicy",
    "truncation_selection": "TruncationSelectionPolicy",
}
# What ScriptRunConfig has where nobody gave a limit, in minutes.
_MEANS_NO_LIMIT: Final = 43200
_ALWAYS: Final = ("Experiment", "HyperDriveConfig", "PrimaryMetricGoal")
Pairs = Sequence[tuple[str, str]]


def python_program(spec: SweepSpec) -> str:
    """Return the text of the program."""
    sampling = _SAMPLINGS[spec.sampler_name]
    policy = _policy(spec)
    expressions = {name: _expression(e) for name, e in spec.space.expressions.items()}
    called = [text.partition("(")[0] for text in (*expressions.values(), policy)]
    used = {*_ALWAYS, "ScriptRunConfig", "Workspace", sampling, *called}
    used |= {"Environment"} if spec.environment or spec.python else set()
    imports = sorted((n for n in used if n.isidentifier() and n != "None"), key=_import_order)
    blocks = [
        _header(spec),
        "from studio.sdk import (\n" + "".join(f"    {name},\n" for name in imports) + ")",
        *_environment(spec),
        _call("script", "ScriptRunConfig", _launch(spec)),
        _sampling(spec, sampling, expressions),
        _call("config", "HyperDriveConfig", _config(spec, policy)),
        _submission(spec),
    ]
    return "\n\n".join(blocks) + "\n"


def _import_order(name: str) -> tuple[bool, str]:
    # Classes first, then functions, as import sorters have it.
    return not name[0].isupper(), name


def _header(spec: SweepSpec) -> str:
    lines = ["# Defines and submits a sweep."]
    if spec.snapshot is not None:
        lines.append(f"# source_directory: put the files of snapshot {spec.snapshot[:12]} there.")
    return "\n".join(lines)


def _environment(spec: SweepSpec) -> list[str]:
    if not spec.environment and not spec.python:
        return []
    lines = [f"environment = Environment({literal(spec.experiment)})"]
    if spec.environment:
        lines.append(f"environment.environment_variables = {literal(spec.environment)}")
    if spec.python:
        lines.append(f"environment.python.interpreter_path = {literal(spec.python)}")
    return ["\n".join(lines)]


def _launch(spec: SweepSpec) -> Pairs:
    pairs = [("source_directory", literal(spec.source_directory or "."))]
    if spec.command is not None:
        pairs.append(("command", literal(spec.command)))
    else:
        pairs.append(("script", literal(spec.script)))
    if spec.arguments:
        pairs.append(("arguments", literal(spec.arguments)))
    pairs.append(("compute_target", literal(spec.compute)))
    if spec.environment or spec.python:
        pairs.append(("environment", "environment"))
    if (seconds := _whole_seconds(spec)) is not None:
        pairs.append(("max_run_duration_seconds", literal(seconds)))
    return pairs


def _whole_seconds(spec: SweepSpec) -> int | None:
    """Return the time of a run where the seconds of a ScriptRunConfig say it exactly."""
    minutes = spec.run_timeout_minutes
    if minutes is None or minutes == _MEANS_NO_LIMIT:
        return None
    seconds = round(minutes * 60)
    return seconds if seconds and seconds / 60 == minutes else None


def _sampling(spec: SweepSpec, name: str, expressions: dict[str, str]) -> str:
    rows = "".join(f"        {literal(key)}: {text},\n" for key, text in expressions.items())
    options = dict(spec.sampler_options)
    if spec.sampler_name == "sobol":
        options = {"rule": "sobol", **options}
    properties = f"    properties={literal(options)},\n" if options else ""
    return f"sampling = {name}(\n    {{\n{rows}    }},\n{properties})"


def _expression(expression: Expression) -> str:
    step = expression.arguments().get("q", 1)
    if step != int(step):
        # The function takes whole steps only; the list that it returns takes any.
        return literal(expression.to_wire())
    return expression.to_text()


def _policy(spec: SweepSpec) -> str:
    settings = dict(spec.early_termination or {})
    if not settings:
        return "None"
    name = _POLICIES[settings.pop("type")]
    return f"{name}({', '.join(f'{key}={literal(value)}' for key, value in settings.items())})"


def _config(spec: SweepSpec, policy: str) -> Pairs:
    pairs = [
        ("run_config", "script"),
        ("hyperparameter_sampling", "sampling"),
        ("policy", policy),
        ("primary_metric_name", literal(spec.metric_name)),
        ("primary_metric_goal", f"PrimaryMetricGoal.{spec.goal.upper()}"),
        ("max_total_runs", literal(spec.max_total_runs)),
        ("max_concurrent_runs", literal(spec.max_concurrent_runs)),
        ("max_duration_minutes", literal(spec.max_duration_minutes)),
        (
            "run_timeout_minutes",
            literal(None if _whole_seconds(spec) else spec.run_timeout_minutes),
        ),
        ("max_failed_runs", literal(spec.max_failed_runs)),
        ("resume_from", literal(spec.resume_from)),
        ("resume_child_runs", literal(spec.resume_child_runs)),
    ]
    return [(key, text) for key, text in pairs if text not in ("None", "[]")]


def _call(target: str, name: str, pairs: Pairs) -> str:
    line = f"{target} = {name}({', '.join(f'{key}={text}' for key, text in pairs)})"
    if len(line) <= _WIDTH:
        return line
    return f"{target} = {name}(\n" + "".join(f"    {k}={text},\n" for k, text in pairs) + ")"


def _submission(spec: SweepSpec) -> str:
    # The SDK names a sweep after its experiment where nothing else is said.
    pairs = [
        ("display_name", literal(spec.name) if spec.name != spec.experiment else "None"),
        ("tags", literal(spec.tags) if spec.tags else "None"),
        ("description", literal(spec.description) if spec.description else "None"),
    ]
    words = ["config", *(f"{key}={text}" for key, text in pairs if text != "None")]
    start = f"    run = Experiment(workspace, {literal(spec.experiment)}).submit("
    line = f"{start}{', '.join(words)})"
    if len(line) > _WIDTH:
        line = start + "\n" + "".join(f"        {word},\n" for word in words) + "    )"
    return (
        'if __name__ == "__main__":\n'
        "    workspace = Workspace.from_config()\n"
        f"{line}\n"
        "    run.wait_for_completion(show_output=True)\n"
        "    print(run.get_best_run_by_primary_metric())"
    )
