"""The parts of a specification that may be written in several ways, each read into one form.

Every reader returns the canonical value and adds what is wrong to a list of problems.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from experiments.policies import POLICIES, load_policy
from experiments.problems import Problem, ProblemsError
from experiments.samplers import SAMPLERS, load_sampler
from experiments.space.literals import brief, is_number
from experiments.space.log_base import rebase
from experiments.space.space import SearchSpace
from experiments.spec_command import PLACEHOLDER, format_value

GOALS: Final = ("maximize", "minimize")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED: Final = ("STUDIO_", "AZUREML_SWEEP_", "DJANGO_")
_MAX_METRIC: Final = 255
# A process cannot be started with more in one variable.
_MAX_VARIABLE: Final = 100_000
_MAX_BASE: Final = 1e6

Problems = list[Problem]


def read_space(raw: Any, sampling: Any, problems: Problems) -> tuple[SearchSpace | None, list[str]]:
    """Return the search space, None when it is wrong, and what its user should know.

    `logbase` of the sampling is worked into the expressions: everywhere else, exponents are
    natural logarithms.
    """
    try:
        space = SearchSpace.parse(raw)
    except ProblemsError as error:
        problems += error.problems
        return None, []
    base = sampling.get("logbase") if isinstance(sampling, Mapping) else None
    if base is None or not _is_base(base):
        return space, []
    try:
        natural = rebase(space, base)
    except ProblemsError as error:
        problems += error.problems
        return None, []
    texts = {name: e.to_text() for name, e in natural.expressions.items()}
    changed = [n for n, e in space.expressions.items() if e.to_text() != texts[n]]
    notes = [f"{name}: with logbase {base:g} this is {texts[name]}." for name in changed]
    return natural, notes


def _is_base(base: Any) -> bool:
    return is_number(base) and 1 < base <= _MAX_BASE and base != math.e


def read_sampling(raw: Any, space: SearchSpace | None, problems: Problems) -> Any:
    """Return `random` or `{type: random, seed: 7}`; `rule: sobol` of random is `sobol`."""
    path = "sampling"
    options = {"type": raw} if isinstance(raw, str) else raw
    if not isinstance(options, Mapping):
        text = f"sampling is {brief(raw)}; use {_one_of(SAMPLERS)}."
        problems.append(Problem(path, text))
        return "random"
    options = dict(options)
    name = options.pop("type", None)
    where = path if isinstance(raw, str) else f"{path}.type"
    if not isinstance(name, str) or name.lower() not in SAMPLERS:
        what = path if where == path else "type"
        problems.append(Problem(where, _unknown(what, name, SAMPLERS)))
        return "random"
    name = _apply_rule(name.lower(), options, path, problems)
    problems += load_sampler(name).check(space, options, path)
    options = {key: value for key, value in options.items() if value is not None}
    return {"type": name, **options} if options else name


def _apply_rule(name: str, options: dict[str, Any], path: str, problems: Problems) -> str:
    if name not in ("random", "sobol"):
        return name
    base = options.pop("logbase", None)
    if base not in (None, "e", math.e) and not _is_base(base):
        text = f"logbase is {brief(base)}; use e or a number above 1."
        problems.append(Problem(f"{path}.logbase", text))
    rule = options.pop("rule", None)
    if rule is None:
        return name
    if rule not in ("random", "sobol"):
        text = f"rule is {brief(rule)}; use random or sobol."
        problems.append(Problem(f"{path}.rule", text))
        return name
    return str(rule) if name == "random" else name


def read_policy(raw: Any, problems: Problems) -> dict[str, Any] | None:
    """Return the policy as a mapping with `type`; none and null are None."""
    path = "early_termination"
    if raw is None:
        return None
    settings = {"type": raw} if isinstance(raw, str) else raw
    if not isinstance(settings, Mapping):
        text = f"early_termination is {brief(raw)}; use null or {_one_of(POLICIES)}."
        problems.append(Problem(path, text))
        return None
    settings = dict(settings)
    name = settings.pop("type", None)
    where = path if isinstance(raw, str) else f"{path}.type"
    if not isinstance(name, str) or name.lower() not in POLICIES:
        what = path if where == path else "type"
        problems.append(Problem(where, _unknown(what, name, POLICIES)))
        return None
    problems += load_policy(name.lower()).check(settings, path)
    kept = {str(key): value for key, value in settings.items() if value is not None}
    return None if name.lower() == "none" else {"type": name.lower(), **kept}


def read_metric(raw: Any, problems: Problems) -> Any:
    """Return `{name, goal}` with the goal in lower case."""
    path = "primary_metric"
    if not isinstance(raw, Mapping):
        shown = "missing" if raw is None else brief(raw)
        text = f"primary_metric is {shown}; write {{name: accuracy, goal: maximize}}."
        problems.append(Problem(path, text))
        return raw
    problems += [
        Problem(f"{path}.{key}", f"primary_metric has no {brief(key)}; it has name and goal.")
        for key in raw
        if key not in ("name", "goal")
    ]
    name, goal = raw.get("name"), raw.get("goal")
    if not isinstance(name, str) or not name.strip() or len(name) > _MAX_METRIC:
        shown = "missing" if name is None else brief(name)
        text = f"name is {shown}; use the exact name that the script logs, up to 255 characters."
        problems.append(Problem(f"{path}.name", text))
    if not isinstance(goal, str) or goal.lower() not in GOALS:
        shown = "missing" if goal is None else brief(goal)
        problems.append(Problem(f"{path}.goal", f"goal is {shown}; use maximize or minimize."))
    return {"name": name, "goal": goal.lower() if isinstance(goal, str) else goal}


def read_arguments(raw: Any, problems: Problems) -> Any:
    """Return the fixed arguments as text, numbers and booleans as a script gets them."""
    if raw is None:
        return []
    if not isinstance(raw, list | tuple):
        text = f"arguments is {brief(raw)}; use a list such as [--epochs, 20]."
        problems.append(Problem("arguments", text))
        return []
    words = []
    for i, item in enumerate(raw):
        if not _is_scalar(item):
            text = f"The argument is {brief(item)}; use text, a number or true / false."
            problems.append(Problem(f"arguments[{i}]", text))
        elif isinstance(item, str) and PLACEHOLDER.search(item):
            text = (
                f"The argument is {brief(item)}; placeholders are filled in command alone. "
                "Every hyperparameter is added to the arguments by itself."
            )
            problems.append(Problem(f"arguments[{i}]", text))
        else:
            words.append(format_value(item))
    return words


def read_pairs(raw: Any, field: str, problems: Problems) -> Any:
    """Return `environment` or `tags` as a mapping of text to text."""
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        problems.append(Problem(field, f"{field} is {brief(raw)}; use a mapping of names to text."))
        return {}
    pairs = {}
    for key, value in raw.items():
        if key is None or isinstance(key, bool):
            text = f"The name {brief(key)} is no text; put it in quotes."
            problems.append(Problem(f"{field}.{key}", text))
        elif not _is_scalar(value):
            text = f"{key} is {brief(value)}; use text or a number."
            problems.append(Problem(f"{field}.{key}", text))
        elif field == "environment" and (
            message := variable_problem(str(key), format_value(value))
        ):
            problems.append(Problem(f"{field}.{key}", message))
        else:
            pairs[str(key)] = format_value(value)
    return pairs


def _is_scalar(value: Any) -> bool:
    # Numbers of thousands of digits cannot be written down.
    is_text = isinstance(value, str | bool | float)
    return is_text or (isinstance(value, int) and is_number(value))


def variable_problem(name: str, value: str) -> str:
    """Say why a variable cannot be set, without its value; "" when it can."""
    if not _VARIABLE.fullmatch(name):
        return f"{brief(name)} is no name of a variable; use letters, digits and underscores."
    if name.startswith(_RESERVED):
        return f"{name} is set by the studio itself; choose another name."
    if len(value) > _MAX_VARIABLE:
        return f"The value has {len(value)} characters; use at most {_MAX_VARIABLE}."
    return ""


def _unknown(what: str, name: Any, known: Mapping[str, str]) -> str:
    shown = "missing" if name is None else brief(name)
    close = get_close_matches(str(name).lower(), known, n=1)
    hint = f" Did you mean {close[0]}?" if close and name is not None else ""
    return f"{what} is {shown}; use {_one_of(known)}.{hint}"


def _one_of(known: Mapping[str, str]) -> str:
    *most, last = known
    return f"{', '.join(most)} or {last}"
