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
from experiments.space.space import SearchSpace
from experiments.spec_command import format_value

GOALS: Final = ("maximize", "minimize")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED: Final = ("STUDIO_", "AZUREML_SWEEP_", "DJANGO_")
_MAX_METRIC: Final = 255
_LOG_BASES: Final = ("e", math.e)

Problems = list[Problem]


def read_space(raw: Any, problems: Problems) -> SearchSpace | None:
    """Return the search space, or None when it is wrong."""
    try:
        return SearchSpace.parse(raw)
    except ProblemsError as error:
        problems += error.problems
        return None


def read_sampling(raw: Any, space: SearchSpace | None, problems: Problems) -> Any:
    """Return `random` or `{type: random, seed: 7}`; `rule: sobol` of random is `sobol`."""
    path = "sampling"
    options = {"type": raw} if isinstance(raw, str) else raw
    if not isinstance(options, Mapping):
        problems.append(Problem(path, f"sampling is {raw!r}; use {_one_of(SAMPLERS)}."))
        return raw
    options = dict(options)
    name = options.pop("type", None)
    where = path if isinstance(raw, str) else f"{path}.type"
    if not isinstance(name, str) or name.lower() not in SAMPLERS:
        problems.append(Problem(where, _unknown("sampling", name, SAMPLERS)))
        return raw
    name = _apply_rule(name.lower(), options, path, problems)
    problems += load_sampler(name).check(space, options, path)
    options = {key: value for key, value in options.items() if value is not None}
    return {"type": name, **options} if options else name


def _apply_rule(name: str, options: dict[str, Any], path: str, problems: Problems) -> str:
    if name not in ("random", "sobol"):
        return name
    base = options.pop("logbase", None)
    if base is not None and base not in _LOG_BASES:
        text = f"logbase is {base!r}; only e is supported: bounds are natural logarithms."
        problems.append(Problem(f"{path}.logbase", text))
    rule = options.pop("rule", None)
    if rule is None:
        return name
    if rule not in ("random", "sobol"):
        problems.append(Problem(f"{path}.rule", f"rule is {rule!r}; use random or sobol."))
        return name
    return str(rule) if name == "random" else name


def read_policy(raw: Any, problems: Problems) -> dict[str, Any] | None:
    """Return the policy as a mapping with `type`; none and null are None."""
    path = "early_termination"
    if raw is None:
        return None
    settings = {"type": raw} if isinstance(raw, str) else raw
    if not isinstance(settings, Mapping):
        text = f"early_termination is {raw!r}; use null or {_one_of(POLICIES)}."
        problems.append(Problem(path, text))
        return None
    settings = dict(settings)
    name = settings.pop("type", None)
    where = path if isinstance(raw, str) else f"{path}.type"
    if not isinstance(name, str) or name.lower() not in POLICIES:
        problems.append(Problem(where, _unknown("early_termination", name, POLICIES)))
        return None
    problems += load_policy(name.lower()).check(settings, path)
    kept = {str(key): value for key, value in settings.items() if value is not None}
    return None if name.lower() == "none" else {"type": name.lower(), **kept}


def read_metric(raw: Any, problems: Problems) -> Any:
    """Return `{name, goal}` with the goal in lower case."""
    path = "primary_metric"
    if not isinstance(raw, Mapping):
        shown = "missing" if raw is None else repr(raw)
        text = f"primary_metric is {shown}; write {{name: accuracy, goal: maximize}}."
        problems.append(Problem(path, text))
        return raw
    problems += [
        Problem(f"{path}.{key}", f"{key!r} is no key of primary_metric; it has name and goal.")
        for key in raw
        if key not in ("name", "goal")
    ]
    name, goal = raw.get("name"), raw.get("goal")
    if not isinstance(name, str) or not name.strip() or len(name) > _MAX_METRIC:
        shown = "missing" if "name" not in raw else repr(name)
        text = f"name is {shown}; use the exact name that the script logs, up to 255 characters."
        problems.append(Problem(f"{path}.name", text))
    if not isinstance(goal, str) or goal.lower() not in GOALS:
        shown = "missing" if "goal" not in raw else repr(goal)
        problems.append(Problem(f"{path}.goal", f"goal is {shown}; use maximize or minimize."))
    return {"name": name, "goal": goal.lower() if isinstance(goal, str) else goal}


def read_arguments(raw: Any, problems: Problems) -> Any:
    """Return the fixed arguments as text, numbers and booleans as a script gets them."""
    if raw is None:
        return []
    if not isinstance(raw, list | tuple):
        text = f"arguments is {raw!r}; use a list such as [--epochs, 20]."
        problems.append(Problem("arguments", text))
        return []
    words = []
    for i, item in enumerate(raw):
        if isinstance(item, str | int | float):
            words.append(format_value(item))
        else:
            text = f"The argument is {item!r}; use text, a number or true / false."
            problems.append(Problem(f"arguments[{i}]", text))
    return words


def read_pairs(raw: Any, field: str, problems: Problems) -> Any:
    """Return `environment` or `tags` as a mapping of text to text."""
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        problems.append(Problem(field, f"{field} is {raw!r}; use a mapping of names to text."))
        return {}
    pairs = {}
    for key, value in raw.items():
        if not isinstance(value, str | int | float):
            text = f"{key} is {value!r}; use text or a number."
            problems.append(Problem(f"{field}.{key}", text))
        elif field == "environment" and (message := _variable_text(str(key), format_value(value))):
            problems.append(Problem(f"{field}.{key}", message))
        else:
            pairs[str(key)] = format_value(value)
    return pairs


def _variable_text(name: str, value: str) -> str:
    if not _VARIABLE.fullmatch(name):
        return f"{name!r} is no name of a variable; use letters, digits and underscores."
    if name.startswith(_RESERVED):
        return f"{name} is set by the studio itself; choose another name."
    return "The value has a null character; a variable cannot hold it." if "\0" in value else ""


def unknown_key(key: Any, known: list[str]) -> str:
    """Say that a key of the specification is unknown, and which was probably meant."""
    close = get_close_matches(str(key).lower(), known, n=1)
    advice = f"Did you mean {close[0]!r}?" if close else f"Known keys are {', '.join(known)}."
    return f"{key!r} is no key of a sweep. {advice}"


def _unknown(what: str, name: Any, known: Mapping[str, str]) -> str:
    shown = "missing" if name is None else repr(name)
    close = get_close_matches(str(name).lower(), known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close and name is not None else ""
    return f"{what} is {shown}; use {_one_of(known)}.{hint}"


def _one_of(known: Mapping[str, str]) -> str:
    *most, last = known
    return f"{', '.join(most)} or {last}"
