"""What `tests.fuzz_api` sends requests at: a live and an ended sweep, a model, the trash, a check.

Puts their ids into the requests, and makes new ones where requests have used them up.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode

from experiments.models import ComputeTarget, Removal, Run, ShareLink, Sweep
from experiments.services.access import make_api_token
from experiments.services.models import register_model
from experiments.services.trash import trash_sweep
from experiments.states import RunState, SweepState
from tests.factories import make_check, make_user
from tests.fuzz_api import coin
from tests.services.ended_sweeps import ended_sweep
from tests.web.api_world import make_world, submittable

_SPEC_OPERATIONS = frozenset({"submit_sweep", "check_sweep", "start_check_run"})
_TRASH = "/api/v1/trash/{sweep_id}"


class FuzzWorld:
    """The objects behind the ids, and tokens by role: read, write, admin, run."""

    def __init__(self, directory: Path) -> None:
        self.world = make_world(directory)
        root = make_user("root", is_superuser=True)
        self.owner = self.world.alice
        self.spec = submittable()
        self.run = self.world.run
        Sweep.objects.filter(pk=self.world.sweep.pk).update(max_total_runs=1000)
        register_model(self.run, name="digits", user=self.owner)
        self.tokens = {
            "read": self.world.tokens["alice_read"],
            "write": self.world.tokens["alice_write"],
            "admin": make_api_token(root, name="root", scope="admin")[1],
            "run": self.world.run_token,
        }
        self.ids: dict[str, list[Any]] = {}
        self.renew()

    def renew(self) -> None:
        """Bring back what the last requests ended, trashed or deleted."""
        Run.objects.filter(pk=self.run.pk).update(
            state=RunState.RUNNING, end_reason="", reason="", ended_at=None
        )
        Sweep.objects.filter(pk=self.run.sweep_id).update(
            state=SweepState.RUNNING, end_reason="", reason="", ended_at=None, max_total_runs=1000
        )
        ComputeTarget.objects.filter(name="local").update(is_enabled=True, is_draining=False)
        versions = self._versions()
        self.ids = {
            "sweep_id": [self.run.sweep.public_id, self._ended().public_id],
            "trashed": [self._trashed().public_id],
            "run_id": [self.run.public_id, self.run.public_id, self.world.other_run.public_id],
            "check_id": [self._check().public_id],
            "removal_id": list(Removal.objects.values_list("pk", flat=True)[:3]) or [1],
            "link_id": list(ShareLink.objects.values_list("pk", flat=True)[:3]) or [1],
            "number": versions,
        }

    def change(self, case: Any) -> None:
        """Put real ids into the right parts of a case; every fifth time leave it as it is."""
        if coin(case, "as it is", 5):
            if _is_positive(case, ParameterLocation.PATH):
                self._change_path(case)
            if _is_positive(case, ParameterLocation.QUERY):
                self._change_query(case)
            if _is_positive(case, ParameterLocation.BODY):
                self._change_body(case)
        # Nothing happens by itself here, so waiting would only take time.
        if isinstance(case.query, dict) and isinstance(case.query.get("wait"), int | float):
            case.query["wait"] = min(case.query["wait"], 0)

    def _change_path(self, case: Any) -> None:
        for name in case.path_parameters or {}:
            known = self.ids.get("trashed" if case.path.startswith(_TRASH) else name)
            if known:
                case.path_parameters[name] = known[coin(case, name, len(known))]
            elif name == "name":
                case.path_parameters[name] = _names(case.path)
            elif name == "path":
                case.path_parameters[name] = (
                    "model.txt" if "/models/" in case.path else "outputs/model.txt"
                )

    def _change_query(self, case: Any) -> None:
        query = case.query
        if "sweeps" in query:
            query["sweeps"] = ",".join(self.ids["sweep_id"])
        if query.get("sort") and "/runs" in case.path:
            query["sort"] = ("best", "lr", "number", "duration")[coin(case, "sort", 4)]
        if query.get("filter"):
            query["filter"] = ("lr<0.5", "status:running", "-tag:a", "best>0")[coin(case, "f", 4)]
        if query.get("reading"):
            query["reading"] = ("best", "last", "step:1")[coin(case, "reading", 3)]
        if query.get("workspace"):
            query["workspace"] = "team"
        if query.get("cursor"):
            query["cursor"] = "WzFd"

    def _change_body(self, case: Any) -> None:
        name = case.operation.definition.raw.get("operationId")
        body = case.body
        if name in _SPEC_OPERATIONS and isinstance(body, dict):
            # Of what was made up one part at a time, so that the others are reached as well.
            keys = sorted(body)
            kept = {keys[coin(case, "key", len(keys))]} if keys else set()
            case.body = {**deepcopy(self.spec), **{key: body[key] for key in kept}}
        elif name == "register_model" and isinstance(body, dict):
            case.body = {**body, "run": self.run.public_id, "path": "outputs"}
        elif name == "queue_run" and isinstance(body, dict) and coin(case, "params", 2):
            case.body = {**body, "params": {"lr": 0.5, "layers": 2}}

    def _ended(self) -> Sweep:
        found = Sweep.objects.filter(
            name="ended", trashed_at=None, ended_at__isnull=False, purging_at=None
        ).first()
        return found or ended_sweep(0.5, 0.75, name="ended")

    def _trashed(self) -> Sweep:
        found = (
            Sweep.objects.filter(name="trashed", purging_at=None).exclude(trashed_at=None).first()
        )
        if found is not None:
            return found
        sweep = ended_sweep(0.5, name="trashed")
        trash_sweep(sweep, user=self.owner)
        return sweep

    def _check(self) -> Sweep:
        found = Sweep.objects.filter(kind=Sweep.Kind.CHECK).order_by("-pk").first()
        return found or make_check(owner=self.owner)

    def _versions(self) -> list[int]:
        from experiments.models import ModelVersion

        found = ModelVersion.objects.filter(model__name="digits").order_by("-number")
        numbers = found.values_list("number", flat=True)
        if known := list(numbers[:3]):
            return known
        register_model(self.run, name="digits", user=self.owner)
        return list(numbers[:3])


def _names(path: str) -> str:
    return "digits" if "/models/" in path else "metrics" if "/charts/" in path else "local"


def _is_positive(case: Any, place: ParameterLocation) -> bool:
    """Whether this part of a case is meant to be right; a wrong one stays wrong."""
    part = case.meta.components.get(place) if case.meta else None
    return part is None or part.mode == GenerationMode.POSITIVE
