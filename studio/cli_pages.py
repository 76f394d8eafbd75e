"""Texts of the manual, by command: what stands under the options of each `--help`."""

from __future__ import annotations

from typing import Final

from studio.cli_page import Page
from studio.cli_pages_local import HOME, LOCAL, LOCAL_PAGES

_SWEEP: Final = {"SWEEP": "id of a sweep, HD_<id>"}
_SWEEPS: Final = {"SWEEP...": "ids of sweeps, HD_<id>"}
_SWEEP_OR_RUN: Final = {"SWEEP_OR_RUN": "id of a sweep, HD_<id>, or of a run, HD_<id>_<number>"}
_WORKSPACE: Final = {"WORKSPACE": "short name of a workspace"}
_NAME: Final = {"NAME": "name of a compute target"}
_SUBMIT: Final = {
    0: "submitted; with --wait: Completed",
    1: "with --wait: Failed or Canceled; or --check-first did not pass",
    2: "the specification is wrong: every problem is listed, nothing was created",
    3: "the studio cannot be reached",
}
_FOUND: Final = {
    0: "imported, or it is here already",
    1: "refused",
    2: "the source is wrong: every problem is listed, nothing was stored",
    3: "the studio cannot be reached",
}
_SOURCES: Final = tuple(
    f"import {name}" for name in ("csv", "json", "capsule", "optuna", "wandb", "mlflow")
)

PAGES: Final[dict[str, Page]] = {
    "up": Page(
        examples=[
            ("studio up", "start on port 8000, or say which port to choose instead"),
            ("studio up --port 9000 --workers 4", "four runs at the same time"),
        ],
        exits={0: "stopped in order", 1: "it could not start"},
        variables={
            **HOME,
            "STUDIO_PORT": "port; --port comes first",
            "STUDIO_WEB_PROCESSES": "processes that answer requests; --web comes first",
            "STUDIO_ALLOWED_HOSTS": "names under which it answers",
            "STUDIO_BASE_PATH": "path it is served below",
            "STUDIO_STORAGE_URL": "folder or bucket of snapshots and outputs",
        },
        see_also=["worker", "doctor", "token"],
    ),
    "submit": Page(
        arguments={"SPECIFICATION": "a YAML or JSON file; Azure ML v2 sweep jobs are read too"},
        examples=[
            ("studio submit sweep.yaml", "print the id and the page of the new sweep"),
            ("studio submit sweep.yaml --wait --json", "wait, end with one line of JSON"),
            ("studio submit sweep.yaml --check-first", "try one configuration first"),
        ],
        exits=_SUBMIT,
        see_also=["show", "runs", "logs"],
    ),
    "list": Page(
        examples=[
            ("studio list --state Running", "sweeps that go on"),
            ("studio list --json | jq -r '.[0].id'", "id of the newest"),
        ],
        see_also=["show", "runs"],
    ),
    "show": Page(
        arguments=_SWEEP,
        examples=[("studio show HD_5cf1a9d2-...", "status, reason, counts and best run")],
        see_also=["runs", "best", "logs"],
    ),
    "runs": Page(
        arguments=_SWEEP,
        examples=[
            ("studio runs HD_5cf1a9d2-...", "all runs in sampling order"),
            ("studio runs HD_5cf1a9d2-... --filter 'lr<0.01 -status:failed'", "some of them"),
        ],
        see_also=["export", "best"],
    ),
    "best": Page(
        arguments=_SWEEP,
        examples=[
            ("studio best HD_5cf1a9d2-... --json", "value, hyperparameters and arguments"),
            ("studio best HD_5cf1a9d2-... --register digits", "keep its outputs as a model"),
        ],
        exits={0: "found", 1: "no run has a value yet", 3: "the studio cannot be reached"},
        see_also=["runs", "show"],
    ),
    "logs": Page(
        arguments={"RUN_OR_SWEEP": "id of a run, HD_<id>_<number>, or of a sweep"},
        examples=[
            ("studio logs HD_5cf1a9d2-..._3 -f", "what run 3 prints, until it ends"),
            ("studio logs HD_5cf1a9d2-...", "what happened to the sweep"),
        ],
        see_also=["show", "runs"],
    ),
    "cancel": Page(
        arguments=_SWEEP_OR_RUN,
        examples=[("studio cancel HD_5cf1a9d2-...", "stop a sweep with all its runs")],
        see_also=["pause", "retry"],
    ),
    "pause": Page(
        arguments=_SWEEP,
        examples=[("studio pause HD_5cf1a9d2-...", "live runs go on, no new ones start")],
        see_also=["resume", "cancel"],
    ),
    "resume": Page(
        arguments=_SWEEP,
        examples=[("studio resume HD_5cf1a9d2-...", "go on after a pause")],
        see_also=["pause"],
    ),
    "retry": Page(
        arguments=_SWEEP_OR_RUN,
        examples=[
            ("studio retry HD_5cf1a9d2-...", "repeat every failed run"),
            ("studio retry HD_5cf1a9d2-..._7", "repeat run 7"),
        ],
        see_also=["runs", "cancel"],
    ),
    "export": Page(
        arguments=_SWEEP,
        examples=[
            ("studio export HD_5cf1a9d2-... > runs.csv", "a row for each run"),
            (
                "studio export HD_5cf1a9d2-... --what metrics --format parquet -o reports.parquet",
                "a row for each report of each metric",
            ),
            (
                "studio export HD_5cf1a9d2-... --format json -o sweep.json",
                "everything, for studio import json",
            ),
        ],
        see_also=["import json", "runs"],
    ),
    "import": Page(
        examples=[
            (
                "studio import csv trials.csv --metric accuracy --goal maximize --dry-run",
                "what would be imported",
            ),
            ("studio import optuna sqlite:///study.db --study digits", "an Optuna study"),
        ],
        exits=_FOUND,
        see_also=[*_SOURCES, "export"],
    ),
    "import csv": Page(
        arguments={"FILE": "CSV with a header; - is the standard input"},
        examples=[
            (
                "studio import csv trials.csv --metric accuracy --goal maximize",
                "all other columns are hyperparameters",
            ),
            (
                "studio import csv steps.csv --metric loss --goal minimize --param lr",
                "with columns run and step: a row for each report",
            ),
        ],
        exits=_FOUND,
        see_also=["import json", "export"],
    ),
    "import capsule": Page(
        arguments={"FILE": "a capsule (HTML), or - for the standard input"},
        examples=[
            ("studio import capsule HD_1.capsule.html", "bring a sweep of another studio here")
        ],
        exits=_FOUND,
        see_also=["import json", "export"],
    ),
    "import json": Page(
        arguments={"FILE": "a file of `studio export --format json`; - is the standard input"},
        examples=[("studio import json sweep.json", "bring a sweep of another studio here")],
        exits=_FOUND,
        see_also=["export"],
    ),
    "import optuna": Page(
        arguments={"STORAGE": "a database address, a SQLite file, or a journal file"},
        examples=[
            ("studio import optuna sqlite:///study.db", "the only study in it"),
            (
                "studio import optuna journal.log --study digits --metric accuracy",
                "one of several, its value called accuracy",
            ),
        ],
        exits=_FOUND,
        see_also=["import csv"],
    ),
    "import wandb": Page(
        arguments={"FILE": "CSV of the table of runs, or CSV or JSON of a program"},
        examples=[
            (
                "studio import wandb runs.json --metric val_acc --goal maximize",
                "config, summary and history of the public API",
            ),
            (
                "studio import wandb table.csv --metric val_acc --goal maximize --param lr",
                "the table as the site exports it",
            ),
        ],
        exits=_FOUND,
        see_also=["import csv"],
    ),
    "import mlflow": Page(
        arguments={"URI": "a folder mlruns, or the address of a tracking server"},
        examples=[
            (
                "studio import mlflow ./mlruns --metric accuracy --goal maximize",
                "a folder; nothing else is needed",
            ),
            (
                "studio import mlflow http://host:5000 --source-experiment digits --metric loss "
                "--goal minimize",
                "through MLflow's client",
            ),
        ],
        exits=_FOUND,
        variables={
            "STUDIO_URL": "address of the studio; default: that of this machine",
            "STUDIO_TOKEN": "token for that studio",
            "MLFLOW_TRACKING_TOKEN": "and the other variables of MLflow's client",
        },
        see_also=["import csv"],
    ),
    "trash": Page(
        examples=[("studio trash add HD_5cf1a9d2-...", "out of every list, not yet deleted")],
        see_also=["trash add", "trash list", "trash restore", "purge"],
    ),
    "trash add": Page(
        arguments=_SWEEPS,
        examples=[("studio trash add HD_5cf1a9d2-...", "move an ended sweep to the trash")],
        see_also=["trash restore", "purge sweep"],
    ),
    "trash list": Page(
        examples=[("studio trash list --json", "what is in the trash")], see_also=["trash restore"]
    ),
    "trash restore": Page(
        arguments=_SWEEPS,
        examples=[("studio trash restore HD_5cf1a9d2-...", "bring a sweep back")],
        see_also=["trash list"],
    ),
    "purge": Page(
        examples=[("studio purge trash --yes", "delete everything in the trash for good")],
        see_also=["purge sweep", "purge trash", "purge outputs", "purge leftovers"],
    ),
    "purge sweep": Page(
        arguments=_SWEEPS,
        examples=[("studio purge sweep HD_5cf1a9d2-... --yes", "delete one from the trash")],
        see_also=["trash add", "purge trash"],
    ),
    "purge trash": Page(
        examples=[("studio purge trash", "delete everything in it, after a question")],
        see_also=["trash list"],
    ),
    "purge outputs": Page(
        arguments=_SWEEP_OR_RUN,
        examples=[
            ("studio purge outputs HD_5cf1a9d2-... --keep-best 3 --dry-run", "what would go"),
        ],
        see_also=["purge leftovers"],
    ),
    "purge leftovers": Page(
        examples=[("studio purge leftovers", "list files that belong to nothing")],
        exits=LOCAL,
        variables=HOME,
        see_also=["doctor"],
    ),
    "compute": Page(
        examples=[
            ("studio compute", "slots, busy ones and queued runs of every target"),
            ("studio compute --label gpu=a100 --json", "some of them"),
        ],
        see_also=["compute add", "compute set", "compute test", "worker"],
    ),
    "compute add": Page(
        arguments=_NAME,
        examples=[("studio compute add gpu --labels 'gpu=a100'", "a target to attach to")],
        see_also=["worker", "token create"],
    ),
    "compute set": Page(
        arguments=_NAME,
        examples=[
            ("studio compute set gpu --python /opt/venv/bin/python", "interpreter of scripts"),
            ("studio compute set gpu --drain", "start no new runs for now"),
        ],
        see_also=["compute test"],
    ),
    "compute test": Page(
        arguments=_NAME,
        examples=[("studio compute test gpu", "start the interpreter on every machine")],
        see_also=["compute set", "doctor"],
    ),
    "worker": Page(
        examples=[
            ("studio worker --compute local --slots 2", "two more runs at once on this machine"),
            ("studio worker --compute gpu --gpus 0,1", "a slot for each GPU"),
        ],
        exits={0: "stopped in order", 1: "it could not start", 2: "the command is wrong"},
        variables={
            **HOME,
            "STUDIO_URL": "address of the studio, from another machine",
            "STUDIO_COMPUTE_TOKEN": "token of `studio token create --compute`",
        },
        see_also=["compute", "token create"],
    ),
    "maintenance": Page(
        examples=[
            ("studio maintenance on --message 'New disks.' --until 2h", "runs that work finish"),
            ("studio maintenance on --at 2027-05-01T18:00", "announce it, begin then"),
            ("studio maintenance status", "how many runs still work"),
        ],
        exits=LOCAL,
        variables=HOME,
        see_also=["maintenance on", "maintenance off", "maintenance status", "compute set"],
    ),
    "maintenance on": Page(
        examples=[("studio maintenance on --until 2h", "no new runs start; sweeps wait")],
        exits=LOCAL,
        variables=HOME,
        see_also=["maintenance off", "maintenance status"],
    ),
    "maintenance off": Page(
        examples=[("studio maintenance off", "waiting runs start within seconds")],
        exits=LOCAL,
        variables=HOME,
        see_also=["maintenance on"],
    ),
    "maintenance status": Page(
        examples=[("studio maintenance status --json", "on, planned or off, for programs")],
        exits=LOCAL,
        variables=HOME,
        see_also=["maintenance on", "maintenance off"],
    ),
    "quota": Page(
        examples=[("studio quota", "what your workspaces may use, and what they use")],
        see_also=["quota show", "quota set"],
    ),
    "quota show": Page(
        arguments=_WORKSPACE,
        examples=[("studio quota show vision --json", "used and limit of each, for programs")],
        see_also=["quota set"],
    ),
    "quota set": Page(
        arguments=_WORKSPACE,
        examples=[("studio quota set vision --running 4 --storage none", "the rest stays")],
        see_also=["quota show"],
    ),
    **LOCAL_PAGES,
}
