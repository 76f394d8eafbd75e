"""The page on which administrators set labels, interpreter and variables of a compute target.

Rows of variables arrive as three lists: name, value, kind. The value of a secret is never sent to
the browser: an empty field keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from experiments.compute_settings import label_text, read_changes
from experiments.models import ComputeTarget
from experiments.problems import Problem, ProblemsError
from experiments.services.compute import change_target
from experiments.views.compute_admin import administrators_only

# What a row of the form says about its variable.
PLAIN, SECRET, REMOVE = "plain", "secret", "remove"
_EMPTY_ROWS: Final = 3


@dataclass(frozen=True, slots=True)
class Variable:
    """One row of the form; `is_kept`: a secret that is stored, whose value is not shown."""

    name: str = ""
    value: str = ""
    kind: str = PLAIN
    is_kept: bool = False
    error: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@administrators_only
def settings(request: HttpRequest, name: str) -> HttpResponse:
    """Show and change the settings of one target."""
    target = get_object_or_404(ComputeTarget, name=name)
    if request.method != "POST":
        labels = ", ".join(label_text(key, value) for key, value in target.labels.items())
        return _page(request, target, labels, target.python, _stored(target))
    labels, python = request.POST.get("labels", ""), request.POST.get("python", "")
    rows = _posted(request, target)
    problems = _kind_problems(rows, target)
    try:
        changes = read_changes({"labels": labels, "python": python, **_variables(rows, target)})
        if problems:
            raise ProblemsError([])
        assert isinstance(request.user, User)  # noqa: S101 - administrators_only has seen to it
        warnings = change_target(target, changes, user=request.user)
    except ProblemsError as error:
        problems += error.problems
        return _page(request, target, labels, python, rows, problems)
    messages.success(request, f"{target.name} is changed. Runs that start from now on have it.")
    for warning in warnings:
        messages.warning(request, warning)
    return redirect(reverse("compute"))


def _page(
    request: HttpRequest,
    target: ComputeTarget,
    labels: str,
    python: str,
    rows: list[Variable],
    problems: list[Problem] | None = None,
) -> HttpResponse:
    problems = problems or []
    rows = [_with_error(row, problems) for row in rows]
    # What was typed as a secret does not come back.
    rows = [replace(row, value="") if row.kind == SECRET else row for row in rows]
    shown = {row.error for row in rows}
    context = {
        "target": target,
        "labels": labels,
        "labels_error": " ".join(p.message for p in problems if p.path.startswith("labels")),
        "python": python,
        "python_error": " ".join(p.message for p in problems if p.path == "python"),
        "rows": rows + [Variable()] * _EMPTY_ROWS,
        "rows_error": " ".join(
            problem.message
            for problem in problems
            if problem.path.startswith(("environment", "secrets")) and problem.message not in shown
        ),
        "count": len(problems),
    }
    template = "experiments/compute_settings.html"
    return render(request, template, context, status=422 if problems else 200)


def _with_error(row: Variable, problems: list[Problem]) -> Variable:
    paths = (f"environment.{row.name}", f"secrets.{row.name}")
    found = [problem.message for problem in problems if problem.path in paths]
    return replace(row, error=found[0]) if found else row


def _stored(target: ComputeTarget) -> list[Variable]:
    plain = [Variable(name, value) for name, value in sorted(target.environment.items())]
    return plain + [Variable(n, kind=SECRET, is_kept=True) for n in sorted(target.secrets)]


def _posted(request: HttpRequest, target: ComputeTarget) -> list[Variable]:
    lists = (request.POST.getlist(field) for field in ("name", "value", "kind"))
    rows = []
    for name, value, kind in zip(*lists, strict=False):
        if name.strip() or value:
            is_kept = kind == SECRET and not value and name.strip() in target.secrets
            rows.append(Variable(name.strip(), value, kind, is_kept))
    return rows


def _kind_problems(rows: list[Variable], target: ComputeTarget) -> list[Problem]:
    problems = []
    names = [row.name for row in rows if row.kind != REMOVE]
    for row in rows:
        path = f"environment.{row.name}"
        if row.kind not in (PLAIN, SECRET, REMOVE):
            problems.append(Problem(path, f"{row.name} is {row.kind!r}; use plain or secret."))
        elif names.count(row.name) > 1:
            problems.append(Problem(path, f"{row.name} is given twice; keep one of them."))
        elif row.kind == PLAIN and not row.value and row.name in target.secrets:
            text = f"{row.name} was a secret; type its value again to show it from now on."
            problems.append(Problem(path, text))
    return problems


def _variables(rows: list[Variable], target: ComputeTarget) -> Mapping[str, Any]:
    plain = {row.name: row.value for row in rows if row.kind == PLAIN}
    secret = {row.name: row.value for row in rows if row.kind == SECRET and not row.is_kept}
    kept = {row.name for row in rows if row.is_kept}
    gone = dict.fromkeys(target.secrets.keys() - kept - secret.keys())
    return {"environment": plain, "secrets": {**secret, **gone}}
