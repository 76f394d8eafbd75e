"""The new-sweep form: filling it, checking it while one types, submitting it."""

from __future__ import annotations

from typing import Any, Final, cast

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from experiments import queries
from experiments.forms.draft_texts import fields_of_draft
from experiments.forms.policy_replay import replay_json
from experiments.forms.quick_fixes import apply_fix, quick_fixes
from experiments.forms.row_actions import apply_row_action
from experiments.forms.row_fixes import apply_row_fix, row_fixes
from experiments.forms.script_facts import add_found_row, advise_on_script
from experiments.forms.space_draws import draw_runs, page_of
from experiments.forms.space_preview import preview_space
from experiments.forms.sweep_around import (
    fields_around,
    form_beyond,
    form_delayed,
    form_within,
    form_without,
    read_kept,
    read_region,
    read_sides,
)
from experiments.forms.sweep_check import (
    CheckedFields,
    check_fields,
    check_json,
    check_yaml_json,
    read_yaml,
    scripts_of,
    yaml_of,
)
from experiments.forms.sweep_choices import form_choices
from experiments.forms.sweep_estimate import estimate_of
from experiments.forms.sweep_fields import SweepFields
from experiments.forms.sweep_problems import (
    PlacedProblem,
    errors_by_field,
    list_sections,
    place_problems,
)
from experiments.forms.sweep_start import (
    blank_fields,
    fields_of_check,
    fields_of_example,
    fields_of_sweep,
)
from experiments.forms.sweep_submit import check_first, submit_fields
from experiments.forms.sweep_summary import summarize
from experiments.forms.warm_start import (
    apply_toggle,
    fields_after,
    fields_resuming,
    warm_start_offers,
)
from experiments.models import Run, Sweep, SweepDraft
from experiments.problems import ProblemsError
from experiments.queries.drafts import get_draft
from experiments.queries.workspaces import workspaces_to_submit
from experiments.services.drafts import finish_draft
from experiments.services.refused import Refused
from experiments.views.check_run import check_context, follow_json
from experiments.views.form_request import is_script, person_who_may_write, posted_fields
from experiments.views.sweep_drafts import draft_context, store_posted

_SHOWN_WORKSPACES: Final = 200


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Show the form; POST submits it, or does what a button without scripts asks for."""
    user = person_who_may_write(request)
    if request.method != "POST":
        return _opened(request, user)
    fields = posted_fields(request)
    if found := request.POST.get("add_found"):
        return _page(request, CheckedFields(add_found_row(fields, user, found)))
    changed = _changed(fields, request)
    if changed is not None:
        return _page(request, CheckedFields(changed))
    if metric := request.POST.get("use_metric"):
        return _page(request, check_fields(fields.with_texts(metric=metric), user))
    if request.POST.get("action") == "load_yaml":
        return _load_yaml(request, fields, user)
    if request.POST.get("action") == "check_run":
        return _check_first(request, fields, user)
    if request.POST.get("action") == "save_draft":
        return _save_draft(request, fields, user)
    if request.POST.get("action") == "use_workspace":
        # The draft stays where it is: a form in another workspace gets one of its own.
        return _page(request, check_fields(fields.with_texts(draft="", draft_version=""), user))
    return _create(request, fields, user)


@require_POST
def check(request: HttpRequest) -> JsonResponse:
    """Answer what is wrong with the posted fields, or with the posted YAML; creates nothing."""
    user = person_who_may_write(request)
    fields = posted_fields(request)
    has_upload = bool(request.POST.get("upload_name"))
    if request.POST.get("action") == "load_yaml":
        text = request.POST.get("yaml", "")
        return JsonResponse(check_yaml_json(text, fields, user, has_upload=has_upload))
    return JsonResponse(check_json(fields, user, has_upload=has_upload))


@require_POST
def preview(request: HttpRequest) -> JsonResponse:
    """Answer pictures of the posted search space, one-click changes and five draws from it."""
    person_who_may_write(request)
    fields = posted_fields(request)
    found = preview_space(fields.expressions())
    draws = draw_runs(fields, found.space, page_of(fields.get("draw_page")))
    fixes = [[fix.as_json() for fix in row] for row in row_fixes(fields)]
    return JsonResponse(found.as_json() | {"fixes": fixes, "draws": draws.as_json()})


@require_POST
def replay(request: HttpRequest) -> JsonResponse:
    """Answer what the posted early termination would have done to the curves of a sweep."""
    user = person_who_may_write(request)
    return JsonResponse(replay_json(posted_fields(request), user))


@require_POST
def script(request: HttpRequest) -> JsonResponse:
    """Answer what the chosen script declares; the browser may send its text as `script_file`."""
    user = person_who_may_write(request)
    fields = posted_fields(request)
    sent = request.FILES.get("script_file")
    return JsonResponse(advise_on_script(fields, user, sent=sent).as_json())


def _create(request: HttpRequest, fields: SweepFields, user: User) -> HttpResponse:
    try:
        sweep = submit_fields(fields, user, upload=request.FILES.get("upload"))
    except ProblemsError as error:
        return _refusal(request, fields, error)
    finish_draft(fields.get("draft"), owner=user)
    url = sweep.get_absolute_url()
    return JsonResponse({"url": url}, status=201) if is_script(request) else redirect(url)


def _check_first(request: HttpRequest, fields: SweepFields, user: User) -> HttpResponse:
    try:
        sweep = check_first(fields, user, upload=request.FILES.get("upload"))
    except ProblemsError as error:
        return _refusal(request, fields, error)
    if is_script(request):
        return JsonResponse(follow_json(sweep, fields), status=201)
    return redirect(sweep)


def _refusal(request: HttpRequest, fields: SweepFields, error: ProblemsError) -> HttpResponse:
    problems = place_problems(error.problems, fields)
    if is_script(request):
        # Not a failed request to a script: browsers would report one in their console.
        return JsonResponse({"problems": [p.as_json() for p in problems]})
    lost_file = "upload" in request.FILES
    return _page(request, CheckedFields(fields, problems), status=422, lost_file=lost_file)


def _load_yaml(request: HttpRequest, fields: SweepFields, user: User) -> HttpResponse:
    text = request.POST.get("yaml", "")
    read = read_yaml(text, fields, user)
    if not read.problems:
        return _page(request, check_fields(read.fields, user))
    words = _unread_yaml(text, fields, user)
    return _page(request, CheckedFields(fields), status=422, **words)


def _unread_yaml(text: str, fields: SweepFields, user: User) -> dict[str, Any]:
    """Return a text that cannot be taken over into the form, and why."""
    problems = read_yaml(text, fields, user).problems
    messages = [f"Line {p.line}: {p.message}" if p.line else p.message for p in problems]
    return {"yaml": text, "yaml_problems": messages}


def _page(
    request: HttpRequest, checked: CheckedFields, *, status: int = 200, **more: Any
) -> HttpResponse:
    user = cast(User, request.user)
    fields = checked.fields
    advice = advise_on_script(fields, user)
    context = {
        "fields": fields,
        "goes_to": queries.current_workspace(user),
        "may_go_to": list(workspaces_to_submit(user)[:_SHOWN_WORKSPACES]),
        "problems": checked.problems,
        "warnings": checked.warnings,
        "errors": errors_by_field(checked.problems),
        "sections": list_sections(checked.problems),
        "has_details": any(map(fields.get, ("environment", "python", "description", "tags"))),
        "scripts": scripts_of(fields, user),
        "advice": advice,
        "yaml": yaml_of(fields),
        "summary": summarize(fields),
        "estimate": estimate_of(fields, user),
        "offers": warm_start_offers(fields, user),
        "fixes": quick_fixes(fields),
        "row_fixes": dict(enumerate(row_fixes(fields))),
    }
    context |= draft_context(request, user, fields.get("draft"))
    choices = form_choices(fields, user)
    choices["metrics"] = list(dict.fromkeys([*advice.metrics, *choices["metrics"]]))
    context |= choices | more | check_context(fields, user)
    return render(request, "experiments/sweep_form.html", context, status=status)


def _save_draft(request: HttpRequest, fields: SweepFields, user: User) -> HttpResponse:
    """Store a draft for a browser without scripts and go on with it."""
    try:
        return redirect(store_posted(request, user))
    except ProblemsError as error:
        problems = place_problems(error.problems, fields)
    except Refused as error:
        problems = [PlacedProblem("", str(error), "")]
    return _page(request, CheckedFields(fields, problems), status=422)


def _changed(fields: SweepFields, request: HttpRequest) -> SweepFields | None:
    """Return the fields after a button that changes them; None when none was pressed."""
    fix = request.POST.get("fix", "")
    return (
        apply_row_action(fields, request.POST)
        or apply_fix(fields, fix)
        or apply_row_fix(fields, fix)
        or apply_toggle(fields, request.POST)
    )


def _opened(request: HttpRequest, user: User) -> HttpResponse:
    """Show a draft where the address names one, else the form that it asks for."""
    public_id = request.GET.get("draft", "")
    if not public_id:
        fields, origin = _start(request, user)
        return _page(request, CheckedFields(fields.with_texts(origin=origin)))
    try:
        draft = get_draft(user, public_id)
    except SweepDraft.DoesNotExist:
        # Back from the sweep that was started with it, for example.
        return _page(request, CheckedFields(blank_fields(user)), is_draft_gone=True)
    fields = fields_of_draft(draft.texts, draft.public_id, draft.version)
    if text := str(draft.texts.get("yaml", "")):
        return _page(request, CheckedFields(fields), **_unread_yaml(text, fields, user))
    return _page(request, CheckedFields(fields))


def _warm_start(request: HttpRequest, user: User) -> tuple[SweepFields, str] | None:
    """Return the form that goes on from a sweep or a run, where the address names one."""
    try:
        if public_id := request.GET.get("continue"):
            sweep = queries.get_sweep(user, public_id)
            return fields_after(sweep), f"Goes on from “{sweep.name}”, with the code that it ran."
        if public_id := request.GET.get("resume"):
            run = queries.get_run(user, public_id)
            origin = f"Resumes run {run.number} of “{run.sweep.name}”, with the code that it ran."
            return fields_resuming(run), origin
    except (Sweep.DoesNotExist, Run.DoesNotExist) as error:
        raise Http404 from error
    return None


def _changed_sweep(request: HttpRequest, user: User) -> tuple[SweepFields, str] | None:
    """Return the form of a sweep with what its pages advise to change, where the address says."""
    beyond, without = request.GET.get("beyond"), request.GET.get("without")
    delayed = request.GET.get("delayed")
    source = beyond or without or delayed or request.GET.get("within")
    if not source:
        return None
    try:
        sweep = queries.get_sweep(user, source)
    except Sweep.DoesNotExist as error:
        raise Http404 from error
    if beyond:
        form = form_beyond(sweep, read_sides(request.GET.getlist("edge")))
    elif without:
        region = read_region(request.GET)
        form = form_without(sweep, region) if region else None
    elif delayed:
        form = form_delayed(sweep, request.GET.get("delay", ""))
    else:
        kept = read_kept(request.GET.get("keep", ""))
        form = form_within(sweep, kept) if kept else None
    if form is None:
        raise Http404
    return form.fields, form.origin


def _start(request: HttpRequest, user: User) -> tuple[SweepFields, str]:
    if found := _warm_start(request, user) or _changed_sweep(request, user):
        return found
    if public_id := request.GET.get("from"):
        try:
            sweep = queries.get_sweep(user, public_id)
        except Sweep.DoesNotExist as error:
            raise Http404 from error
        return fields_of_sweep(sweep), f"Filled from “{sweep.name}”, with the code that it ran."
    if public_id := request.GET.get("around"):
        try:
            run = queries.get_run(user, public_id)
        except Run.DoesNotExist as error:
            raise Http404 from error
        origin = f"Filled from “{run.sweep.name}”, with a search space around run {run.number}."
        return fields_around(run), origin
    if public_id := request.GET.get("check"):
        try:
            sweep = queries.find_check(user, public_id)
        except Sweep.DoesNotExist as error:
            raise Http404 from error
        return fields_of_check(sweep), ""
    if (name := request.GET.get("example")) and queries.is_administrator(user):
        fields = fields_of_example(name)
        if fields is None:
            raise Http404
        return fields, f"Filled from the example {name}."
    return blank_fields(user), ""
