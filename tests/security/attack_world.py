"""A studio in which every text is an attack: what people, scripts and machines may write anywhere.

In the environment of a studio `attack_world.main()` plants it and prints the ids as JSON.
"""

from __future__ import annotations

import json
from typing import Any

# Would run where a text becomes markup, ends an attribute or a script, is taken for a template or
# for an address. The number says where it was written.
_SCRIPT = (
    "'\"></textarea></title></script><img src=x onerror=ran({0})><svg onload=ran({0})>{{{{7*7}}}}"
)
_SHORT = "<img src=x onerror=ran({0})>"
# Without blanks, "=" and line ends: for names of hyperparameters.
_WORD = "'\"><script>ran({0})</script>${{7*7}}"
# For names of files: without a slash.
_FILE = "a'\"><img src=x onerror=ran({0})>.txt"
MARKDOWN = """\
# <img src=x onerror=ran(60)>

<script>ran(61)</script> <svg/onload=ran(62)> <iframe srcdoc="<script>parent.ran(63)</script>">

[link](javascript:ran(64)) [data](data:text/html,<script>ran(65)</script>)
[upper](JaVaScRiPt:ran(66)) [split](java&#10;script:ran(67)) <javascript:ran(68)>
![picture](x" onerror="ran(69)) [title](/sweeps/ "onmouseover=ran(70)")
[vb](vbscript:ran(71)) [ref]: javascript:ran(72)

| <img src=x onerror=ran(73)> | b |
|---|---|
| `<img src=x onerror=ran(74)>` | ~~<svg onload=ran(75)>~~ |
"""
LOG = "\x1b]0;title\x07\x1b[31m<img src=x onerror=ran(80)>\r</pre><script>ran(81)</script>\n" * 3


def evil(place: int, most: int = 1000) -> str:
    """Return a text that says where it ran, if it ever does; a short one where few letters fit."""
    text = _SCRIPT.format(place)
    return text if len(text) <= most else _SHORT.format(place)


def main() -> None:
    """Plant everything and print the ids."""
    from django.contrib.auth.models import User
    from django.db import transaction

    from experiments.models import Membership, Workspace
    from experiments.services.setup import ensure_defaults

    ensure_defaults()
    mallory = User.objects.create_user(
        username=evil(1, 150), first_name=evil(2, 150), last_name=evil(3, 150),
        email="mallory@example.org", is_staff=True, is_superuser=True,
    )  # fmt: skip
    workspace = Workspace.objects.create(name=evil(4, 100), slug="evil")
    Membership.objects.create(workspace=workspace, user=mallory, role=Membership.Role.OWNER)
    # At once: a studio that saw the sweeps before their end would start runs of its own.
    with transaction.atomic():
        ids = _plant_sweep(mallory, workspace)
    ids |= _plant_around(mallory, workspace)
    print(json.dumps(ids | {"slug": workspace.slug, "workspace": workspace.slug}))


def _plant_sweep(mallory: Any, workspace: Any) -> dict[str, str]:
    from experiments.models import ComputeTarget, Experiment, Sweep
    from experiments.services.compute import register_worker
    from experiments.services.run_marks import tag_runs
    from experiments.services.sweep_tags import change_sweep_tags
    from tests.factories import make_sweep

    box = ComputeTarget.objects.create(
        name="box", labels={"room": evil(5, 60)}, environment={"EVIL": evil(6)}
    )
    register_worker(
        box,
        name=evil(7, 120),
        host=evil(8, 200),
        pid=1,
        process_started=1.0,
        version=evil(9, 60),
    )
    spec: dict[str, Any] = {
        "name": evil(10, 255),
        "experiment": "evil",
        "description": evil(12),
        "compute": "box",
        "tags": {evil(13, 100): evil(14)},
        "arguments": [evil(15)],
        "environment": {"EVIL": evil(16)},
        "script": _FILE.format(17).replace(".txt", ".py"),
        "search_space": {
            _WORD.format(18): {"type": "choice", "values": [evil(19), "plain"]},
            "lr": {"type": "uniform", "min_value": 0, "max_value": 1},
        },
        "primary_metric": {"name": evil(20, 200), "goal": "maximize"},
        "max_total_runs": 2,
    }
    sweeps = [make_sweep(owner=mallory, workspace=workspace, **spec) for _ in range(2)]
    # A specification allows plain names only; this one came before that rule.
    Experiment.objects.filter(name="evil").update(name=evil(11, 255))
    runs = [run for sweep in sweeps for run in _plant_runs(sweep)]
    for sweep in sweeps:
        change_sweep_tags(sweep, added={evil(21, 100): evil(22, 500)}, removed=[], user=mallory)
        keys = [run.pk for run in runs if run.sweep_id == sweep.pk]
        tag_runs(sweep, keys, added={evil(23, 100): evil(24, 500)}, removed=[])
        # What is said of the end of a sweep may quote a script.
        Sweep.objects.filter(pk=sweep.pk).update(reason=evil(25))
    return {
        "sweep_id": sweeps[0].public_id,
        "run_id": runs[1].public_id,
        "failed": runs[0].public_id,
        "ids": ",".join(sweep.public_id for sweep in sweeps),
        "path": f"outputs/{_FILE.format(30)}",
    }


def _plant_runs(sweep: Any) -> list[Any]:
    from tests.factories import claim, make_run

    # Both first: the end of a run lets the controller make the next.
    values = (evil(19), "plain")
    made = [make_run(sweep, **{_WORD.format(18): value, "lr": 0.5}) for value in values]
    claimed = [claim(run) for run in made]
    return [_plant_run(sweep, one, i == 1) for i, one in enumerate(claimed)]


def _plant_run(sweep: Any, claimed: Any, is_good: bool) -> Any:
    from experiments.models import Run
    from experiments.services.outcome import RunOutcome
    from experiments.services.runs import (
        add_artifacts,
        begin_finalizing,
        finish_run,
        start_run,
    )
    from experiments.services.storage import run_directory
    from tests.factories import report

    directory = run_directory(sweep.public_id, claimed.number, claimed.fence)
    for name, text in {f"outputs/{_FILE.format(30)}": "x", "logs/std_log.txt": LOG}.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    run = start_run(
        claimed.run_id, claimed.fence, arguments=[evil(31)], directory=str(directory), guard_pid=2
    )
    report(run, [0.1, 0.9], name=sweep.metric_name)
    report(run, [0.3, 0.2], name=evil(32, 200))
    add_artifacts(run.pk, [(f"outputs/{_FILE.format(30)}", 1, "0" * 64)])
    if is_good:
        begin_finalizing(run.pk, run.fence)
    outcome = RunOutcome(exit_code=0) if is_good else RunOutcome(exit_code=1, error_line=evil(33))
    finish_run(run.pk, run.fence, outcome)
    return Run.objects.select_related("sweep__experiment__workspace").get(pk=run.pk)


def _plant_around(mallory: Any, workspace: Any) -> dict[str, str]:
    from experiments.models import Announcement, NotificationChannel, Run, Sweep
    from experiments.services.access import make_api_token, make_sign_in_link
    from experiments.services.announcements import publish
    from experiments.services.drafts import DraftPlace, save_draft
    from experiments.services.invitations import InvitationTerms, create_invitation
    from experiments.services.models import change_version, register_model
    from experiments.services.notes import write_notes
    from experiments.services.notification_channels import (
        ChannelFields,
        create_webhook,
        test_channel,
    )
    from experiments.services.saved_views import ViewContent, save_view
    from experiments.services.share_links import create_share_link
    from experiments.services.site import change_site

    sweep = Sweep.objects.filter(owner=mallory).order_by("pk").first()
    assert sweep is not None
    run = Run.objects.filter(sweep=sweep, state="Completed").first()
    assert run is not None
    for number in (0, 1):
        write_notes(sweep, f"{MARKDOWN}\n{number}", base=number, user=mallory)
        write_notes(run, f"{MARKDOWN}\n{number}", base=number, user=mallory)
    version = register_model(run, name="evil", user=mallory, description=evil(40))
    change_version(version, tags={evil(41, 100): evil(42, 500)}, properties={"p": evil(43, 500)})
    save_view(sweep.experiment, evil(44, 80), ViewContent(), user=mallory)
    fields = ChannelFields(
        name=evil(45, 100), url="https://hooks.example.org/'><svg/onload=ran(46)>",
        events=["sweep.failed"],
    )  # fmt: skip
    hook, _ = create_webhook("webhook", fields, user=mallory, workspace=workspace)
    delivery = test_channel(hook)
    delivery.attempts.create(
        number=1,
        began_at=delivery.created_at,
        duration=1.0,
        status=500,
        answer=evil(47),
        error=evil(48),
    )
    NotificationChannel.objects.filter(pk=hook.pk).update(off_reason=evil(49, 300))
    link = create_share_link(
        sweep, user=mallory, days=7, name=evil(50, 120), with_files=True, with_reasons=True
    )
    save_draft({"name": evil(51), "description": evil(52), "notes": evil(53)}, DraftPlace(),
               owner=mallory, workspace=workspace)  # fmt: skip
    make_api_token(mallory, name=evil(54, 100))
    create_invitation(workspace, InvitationTerms(), user=mallory)
    publish(Announcement(text=evil(55), starts_at=sweep.created_at), by=mallory)
    change_site(by=mallory, name=evil(56, 40), banner=evil(57, 300))
    return {
        "token": link.token,
        "webhook_id": hook.public_id,
        "name": "evil",
        "number": str(version.number),
        "format_name": "yaml",
        "sign_in": make_sign_in_link(mallory),
    }
