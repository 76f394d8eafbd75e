"""What the new-sweep form starts with: nothing, an earlier sweep, or one of the examples."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from experiments import queries
from experiments.forms.sweep_fields import SpaceRow, SweepFields, fields_from_raw
from experiments.models import ComputeTarget, Sweep
from experiments.models.compute import UNATTENDED
from experiments.problems import ProblemsError
from experiments.queries.site_settings import site
from experiments.spec_yaml import read_mapping

_SPEC_FILE = "sweep.yaml"
# What the form suggests where the administrator chose nothing.
_USUAL = {"max_total_runs": 20, "max_concurrent_runs": 4}


def blank_fields(user: User) -> SweepFields:
    """Return an empty form with usual limits, and the source of code that there is something in."""
    sweep = queries.sweeps_for(user).order_by("-pk").first()
    source = "snapshot" if sweep else "folder" if queries.is_administrator(user) else "upload"
    target = queries.compute_for(user).filter(is_enabled=True).order_by("pk").first()
    return SweepFields(
        texts={
            "code": source,
            "entry": "script",
            "sampling": "random",
            "goal": "maximize",
            "policy": "none",
            "compute": target.name if target else "",
            **_suggested_limits(),
        },
        rows=(SpaceRow(name="", type="uniform"),),
    )


def _suggested_limits() -> dict[str, str]:
    limits = site().spec_limits
    suggested = _USUAL | dict(limits.assumed)
    return {name: str(min(v, limits.most.get(name, v))) for name, v in suggested.items()}


def fields_of_sweep(sweep: Sweep) -> SweepFields:
    """Return the form that makes the same sweep again, with the code that it ran."""
    code = {"snapshot": sweep.snapshot.digest, "source_directory": None}
    return fields_from_raw({**sweep.spec, **code, "compute": _attended_target(sweep)})


def _attended_target(sweep: Sweep) -> str:
    """Return the sweep's own target; of one that was simulated or imported, where runs can run."""
    if sweep.compute.kind not in UNATTENDED:
        return sweep.compute.name
    usable = ComputeTarget.objects.filter(is_enabled=True).exclude(kind__in=UNATTENDED)
    shared = Q(workspace=None) | Q(workspace=sweep.experiment.workspace_id)
    return usable.filter(shared).order_by("pk").values_list("name", flat=True).first() or ""


def fields_of_check(sweep: Sweep) -> SweepFields:
    """Return the form that a check was started from, with the code that it ran."""
    check = sweep.check_run
    folder = str(check.spec.get("source_directory") or "")
    is_folder = Path(folder).is_absolute()
    code = {
        "snapshot": None if is_folder else sweep.snapshot.digest,
        "source_directory": folder if is_folder else None,
    }
    fields = fields_from_raw({**check.spec, **code})
    return fields.with_texts(check=sweep.public_id, check_seconds=f"{check.seconds:g}")


def fields_of_example(name: str) -> SweepFields | None:
    """Return the form filled with an example that lies beside the studio; None without it."""
    folder = next((f for f in example_folders() if f.name == name), None)
    if folder is None:
        return None
    try:
        raw = read_mapping((folder / _SPEC_FILE).read_text(encoding="utf-8"))
    except (OSError, ProblemsError):
        return None
    source = folder / str(raw.get("source_directory") or ".")
    return fields_from_raw({**raw, "source_directory": str(source.resolve())})


def example_folders() -> list[Path]:
    """Return the folders of the examples, by name."""
    return _folders_with_spec(Path(settings.BASE_DIR).glob("examples/*/"))


def _folders_with_spec(folders: Iterable[Path]) -> list[Path]:
    return sorted(folder for folder in folders if (folder / _SPEC_FILE).is_file())
