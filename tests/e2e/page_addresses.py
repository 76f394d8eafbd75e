"""Where every page of a studio is: an address for each route, and for each state of a sweep.

Routes are taken from the table of addresses: a new one is visited without being named here when its
parameters are known.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers import LiveStudio
from tests.state_world import LONG

METRIC = "validation_accuracy_after_calibration_on_the_held_out_part_of_the_data"
SCRIPT = f"""\
import argparse, pathlib, sys
from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--layers", type=int)
layers = parser.parse_known_args()[0].layers
run = Run.get_context()
for step in range(6):
    run.log("{METRIC}", layers / 4 * (1 - 0.8 ** (step + 1)))
    run.log("loss", 1 / (step + 1))
    print("step", step, "x" * 200)
if layers == 2:
    sys.exit("CUDA out of memory: tried to allocate 2.00 GiB")
pathlib.Path("outputs").mkdir(exist_ok=True)
pathlib.Path("outputs/model.txt").write_text("weights")
"""
# Goes on until a file is there: what a page shows of something that runs.
WAITING = """\
import pathlib, sys, time
from studio.sdk import Run

run = Run.get_context()
for step in range(3):
    run.log("accuracy", step / 10)
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.2)
"""
SPEC: dict[str, Any] = {
    "name": LONG,
    "experiment": LONG[:60],
    "script": "train.py",
    "search_space": {
        "layers": "choice(1, 2, 3)",
        "a_hyperparameter_with_a_name_that_nobody_would_type": "choice(0.1)",
    },
    "sampling": "grid",
    "primary_metric": {"name": METRIC, "goal": "maximize"},
    "max_total_runs": 3,
    "max_concurrent_runs": 2,
    "tags": {"a-tag-with-a-long-name": "and-with-a-value-that-is-longer-than-a-line-of-a-phone-is"},
    "description": "A description of some length. " * 8,
}
WEBHOOK = {"name": LONG[:100], "url": "https://hooks.example.org/a", "events": ["sweep.failed"]}
# Routes without a page to look at, each with its reason.
LEFT_OUT = {
    "sign_in": "seen by somebody who is not signed in",
    "sign_in_link": "seen by somebody who is not signed in",
    "sign_out": "ends the session of all others",
    "home": "leads on",
    "shared_file": "a file of the best run",
    "sweep_capsule": "a file; opened in test_capsule_browser",
    "check_run": "a fragment of the form of a sweep",
    "password_reset_link": "opened by a link of an e-mail; in test_password_reset",
    "sign_up_proven": "opened by a link of an e-mail; in test_sign_up",
    "notifications_stop": "asks whoever has the link of an e-mail, signed in or not",
}
# Where a parameter means something else.
OF_ROUTES = {
    "compute_settings": {"name": "local"},
    "chart_data": {"name": "metrics"},
    "shared_chart": {"name": "metrics"},
    "compare_chart": {"name": "compare_best"},
    "docs_example": {"path": "digits-mlp/sweep.yaml"},
    "docs_image": {"name": "new-sweep.webp"},
    "docs_page": {"name": "reference/cli"},
    "version_file": {"path": "model.txt"},
}
_STATES = "import django; django.setup(); from tests import state_world; state_world.main([])"
# Notes and a link to share: what only pages can make.
_SHARED = """
import django; django.setup()
from experiments.models import Sweep
from experiments.services import notes, setup, share_links
user, sweep = setup.first_administrator(), Sweep.objects.get(public_id="{sweep}")
for noted in (sweep, sweep.best_run):
    text = "# What we saw\\n\\n- a [link](/sweeps/)\\n- `code`"
    notes.write_notes(noted, text, base=0, user=user)
link = share_links.create_share_link(sweep, user=user, days=7, with_reasons=True, with_files=True)
print(link.token)
"""
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
# What is no route of ours, or looks different with a query.
OTHERS = (
    "/sweeps/?q=nothing+is+called+so",
    "/search/?q=a",
    "/search/?q=nothing+is+called+so",
    "/docs/search/?q=bandit",
    "/api/v1/docs",
    "/admin/",
    "/admin/experiments/sweep/",
    "/admin/experiments/run/",
    "/admin/django_rq/dashboard/",
    "/admin/django_rq/dashboard/queues/0/finished/",
)
# Which pages of a sweep look different in which state.
OF_STATES = {
    "queued": ("", "charts/"),
    "running": ("", "timeline/"),
    "paused": ("",),
    "one": ("charts/",),
    "mute": ("", "best/"),
    "failed": ("", "failures/"),
    "nan": ("runs/", "charts/"),
    "long": ("", "runs/", "charts/", "best/"),
    "rtl": ("", "runs/", "configuration/"),
}


@dataclass(frozen=True)
class Sample:
    """What stands for the parameters of routes, and what a studio holds for its pages."""

    parameters: dict[str, str]
    states: dict[str, str]
    runs: dict[str, str] = field(default_factory=dict)
    # Where a parameter means something else, as in OF_ROUTES.
    of_routes: dict[str, dict[str, str]] = field(default_factory=dict)


def make_sample(studio: LiveStudio, folder: Path) -> Sample:
    """Run one real sweep with files, register a model of it, simulate one in each state.

    Two more run and wait until there is a file `end` in the folder.
    """
    (folder / "train.py").write_text(SCRIPT)
    sweep = studio.api("/sweeps", {**SPEC, "source_directory": str(folder)})["id"]
    states = json.loads(studio.run_python(_STATES).splitlines()[-1])
    studio.wait_for_end(sweep)
    shown = {run["status"]: run["id"] for run in runs_of(studio, sweep)}
    version = studio.api("/models/a-model/versions", {"run": shown["Completed"]})
    parameters = {
        "token": studio.run_python(_SHARED.format(sweep=sweep)).splitlines()[-1],
        "ids": f"{states['nan']},{states['one']}",
        "sweep_id": sweep,
        "run_id": shown["Completed"],
        "path": "outputs/model.txt",
        "workspace": version["workspace"],
        "name": "a-model",
        "number": "1",
        "format_name": "yaml",
        "slug": version["workspace"],
        "webhook_id": studio.api("/webhooks", WEBHOOK)["id"],
    }
    of_routes = {"invitation": {"token": _invitation(studio, version["workspace"])}}
    return Sample(parameters, states | _waiting(studio, folder), shown, of_routes)


def _invitation(studio: LiveStudio, workspace: str) -> str:
    url: str = studio.api(f"/workspaces/{workspace}/invitations", {"role": "Reader"})["url"]
    return url.rstrip("/").rpartition("/")[2]


def runs_of(studio: LiveStudio, sweep: str) -> list[dict[str, Any]]:
    """Return the runs of a sweep as REST shows them."""
    items: list[dict[str, Any]] = json.loads(studio.download(f"/sweeps/{sweep}/runs"))["items"]
    return items


def _waiting(studio: LiveStudio, folder: Path) -> dict[str, str]:
    (folder / "wait.py").write_text(WAITING)
    spec = {
        "experiment": "states",
        "source_directory": str(folder),
        "script": "wait.py",
        "arguments": [str(folder / "end")],
        "search_space": {"learning_rate": "loguniform(-9, -1)", "layers": "choice(1, 2, 3)"},
        "primary_metric": {"name": "accuracy", "goal": "maximize"},
        "max_total_runs": 12,
        "max_concurrent_runs": 3,
    }
    running = str(studio.api("/sweeps", {**spec, "name": "goes on"})["id"])
    deadline = time.monotonic() + 120
    # Both slots, before another sweep could take a turn.
    while [run["status"] for run in runs_of(studio, running)].count("Running") < 2:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    queued = str(studio.api("/sweeps", {**spec, "name": "not begun yet"})["id"])
    return {"running": running, "queued": queued}


def route_addresses(sample: Sample) -> dict[str, str]:
    """Return an address for each route by name; what is not known of it becomes 0."""
    from experiments.urls import urlpatterns

    found = {}
    for route in urlpatterns:
        name = str(route.name)
        known = sample.parameters | OF_ROUTES.get(name, {}) | sample.of_routes.get(name, {})
        if route.name not in LEFT_OUT:
            pattern = str(route.pattern)
            found[str(route.name)] = "/" + _PARAMETER.sub(
                lambda match, known=known: known.get(match[1], "0"), pattern
            )
    return found


def state_addresses(sample: Sample) -> list[str]:
    """Return the pages that look different in the states of a sweep and of its runs."""
    return [
        *OTHERS,
        f"/compare/?sweeps={sample.parameters['ids']}",
        *(
            f"/sweeps/{sample.states[state]}/{part}"
            for state, parts in OF_STATES.items()
            for part in parts
        ),
        *(f"/runs/{sample.states[state]}_0/" for state in ("nan", "long", "rtl")),
        f"/runs/{sample.runs['Failed']}/",
        f"/sweeps/new/?from={sample.states['long']}",
    ]
