"""Who calls, and which run or experiment of theirs is meant.

A run's token opens that run and its experiment; anybody else's is "not there".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from django.contrib.auth.models import User
from django.db.models import QuerySet

from experiments import log_context, queries
from experiments.api.auth import Caller, Scope
from experiments.api.mlflow.fields import Fields
from experiments.api.mlflow.wire import MlflowError
from experiments.models import Experiment, Run
from experiments.permissions import Action, refusal
from experiments.queries.reporting import run_of_token
from experiments.services import access

Handler: TypeAlias = Callable[[Caller, Fields], dict[str, object]]

# Between the id of a run and the name of a part of it (a nested run).
PART_SIGN: Final = "__"
_RUN_PREFIX: Final = "run_"


@dataclass(frozen=True, slots=True)
class Target:
    """A run, or a part of it: everything of a part is named `<part>/...` within the run."""

    run: Run
    part: str = ""

    @property
    def prefix(self) -> str:
        """What the names of its metrics, parameters, tags and files begin with."""
        return f"{self.part}/" if self.part else ""

    @property
    def run_id(self) -> str:
        """Its id for clients."""
        return f"{self.run.public_id}{PART_SIGN}{self.part}" if self.part else self.run.public_id


def caller_of(token: str) -> Caller:
    """Return who a token stands for.

    Raises:
        MlflowError: it is missing, unknown, expired or revoked, or its run has ended.
    """
    if not token:
        raise MlflowError(
            "UNAUTHENTICATED",
            "No token came with the request. In a run of the studio MLFLOW_TRACKING_TOKEN is set; "
            "elsewhere `studio token create NAME` makes one.",
        )
    if token.startswith(_RUN_PREFIX):
        run = run_of_token(access.digest_of(token))
        if run is not None:
            log_context.note(run_id=run.public_id, sweep_id=run.public_id.rpartition("_")[0])
            return Caller(user=None, scope=Scope.WRITE, run=run)
    else:
        found = access.find_api_token(token)
        if found is not None:
            return Caller(user=found.user, scope=Scope(found.scope))
    raise MlflowError(
        "UNAUTHENTICATED", "The token is unknown, expired or revoked, or its run has ended."
    )


def person(caller: Caller) -> User:
    """Return the person behind a call that no run's token makes."""
    if caller.user is None:
        raise MlflowError("PERMISSION_DENIED", "The owner of this run is gone.")
    return caller.user


def target_of(caller: Caller, run_id: str) -> Target:
    """Return the run or part of a run with this id, with what reading it needs.

    Raises:
        MlflowError: there is none, or it is not the caller's.
    """
    public_id, _, part = run_id.partition(PART_SIGN)
    rows = runs_of(caller).select_related("sweep__experiment__workspace", "sweep__owner")
    run = rows.filter(public_id=public_id).first()
    if run is None:
        raise _unknown(run_id)
    return Target(run, part)


def _unknown(run_id: str) -> MlflowError:
    return MlflowError("RESOURCE_DOES_NOT_EXIST", f"No run of yours has the id '{run_id}'.")


def writable(caller: Caller, run_id: str) -> Target:
    """Return the run with this id for changing it.

    Raises:
        MlflowError: there is none, or the caller may only read.
    """
    if caller.run is not None:
        public_id, _, part = run_id.partition(PART_SIGN)
        if caller.run.public_id != public_id:
            raise _unknown(run_id)
        return Target(caller.run, part)
    target = target_of(caller, run_id)
    if caller.scope == Scope.READ:
        raise MlflowError(
            "PERMISSION_DENIED", "The token has the scope read; changing a run needs write."
        )
    workspace = target.run.sweep.experiment.workspace
    user = person(caller)
    if not queries.may(user, workspace, Action.CHANGE_ANY_SWEEP):
        role = queries.role_in(user, workspace.pk)
        text = refusal(role, workspace.name, Action.CHANGE_ANY_SWEEP)
        raise MlflowError("PERMISSION_DENIED", text)
    return target


def experiments_of(caller: Caller) -> QuerySet[Experiment]:
    """Return the experiments that the caller may look at, oldest first."""
    if caller.run is not None:
        found = Experiment.objects.filter(pk=caller.run.sweep.experiment_id)
    else:
        found = queries.experiments_for(person(caller))
    return found.order_by("pk")


def runs_of(caller: Caller) -> QuerySet[Run]:
    """Return the runs that the caller may look at."""
    if caller.run is not None:
        return Run.objects.filter(pk=caller.run.pk)
    return queries.runs_for(person(caller))
