"""Who may do what in a workspace: one table of roles and actions, and what each action means.

Pure: knows neither people nor rows. `experiments/queries/visible.py` asks it about a person, and
everything that shows a button or refuses a request asks there.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a member of a workspace is, from the least to the most."""

    READER = "Reader"
    CONTRIBUTOR = "Contributor"
    OWNER = "Owner"


class Action(StrEnum):
    """Something that a role may allow in a workspace."""

    VIEW = "view"
    SUBMIT = "submit"
    CHANGE_ANY_SWEEP = "change_any_sweep"
    SHARE = "share"
    TRASH = "trash"
    DELETE_FOR_GOOD = "delete_for_good"
    REGISTER_MODELS = "register_models"
    DELETE_MODELS = "delete_models"
    CHANGE_ANY_VIEW = "change_any_view"
    MANAGE_WEBHOOKS = "manage_webhooks"
    MANAGE_COMPUTE = "manage_compute"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_WORKSPACE = "manage_workspace"


_READER: Final = frozenset({Action.VIEW})
_CONTRIBUTOR: Final = _READER | {
    Action.SUBMIT,
    Action.CHANGE_ANY_SWEEP,
    Action.SHARE,
    Action.TRASH,
    Action.DELETE_FOR_GOOD,
    Action.REGISTER_MODELS,
    Action.DELETE_MODELS,
}
_OWNER: Final = _CONTRIBUTOR | {
    Action.CHANGE_ANY_VIEW,
    Action.MANAGE_WEBHOOKS,
    Action.MANAGE_COMPUTE,
    Action.MANAGE_MEMBERS,
    Action.MANAGE_WORKSPACE,
}

# The one table. Administrators of the studio may do everything in every workspace.
ALLOWED: Final[Mapping[str, frozenset[Action]]] = {
    Role.READER: _READER,
    Role.CONTRIBUTOR: _CONTRIBUTOR,
    Role.OWNER: _OWNER,
}
EVERYTHING: Final = frozenset(Action)
NOTHING: Final[frozenset[Action]] = frozenset()

# What an action is, as the beginning of a sentence ("Starting sweeps needs the role ...").
MEANINGS: Final[Mapping[Action, str]] = {
    Action.VIEW: "Looking at sweeps, runs, files, models and members",
    Action.SUBMIT: "Starting sweeps and checks, importing runs, keeping drafts",
    Action.CHANGE_ANY_SWEEP: "Changing sweeps and runs: pausing, canceling, limits, notes, tags",
    Action.SHARE: "Making and revoking links that share a sweep",
    Action.TRASH: "Moving sweeps to the trash and bringing them back",
    Action.DELETE_FOR_GOOD: "Deleting sweeps of the trash and outputs of runs for good",
    Action.REGISTER_MODELS: "Registering models, describing and marking them",
    Action.DELETE_MODELS: "Deleting models and versions of them",
    Action.CHANGE_ANY_VIEW: "Changing the saved views of others",
    Action.MANAGE_WEBHOOKS: "Managing the webhooks of the workspace",
    Action.MANAGE_COMPUTE: "Draining, turning off and testing compute targets of the workspace",
    Action.MANAGE_MEMBERS: "Inviting and removing members, changing their roles",
    Action.MANAGE_WORKSPACE: "Renaming, handing over and deleting the workspace",
}
# What a role is for, in one sentence.
ROLE_MEANINGS: Final[Mapping[Role, str]] = {
    Role.READER: "looks at everything and changes nothing",
    Role.CONTRIBUTOR: "starts sweeps and changes what is in the workspace",
    Role.OWNER: "also manages members, webhooks and the workspace itself",
}


def actions_of(role: str | None) -> frozenset[Action]:
    """Return what a role allows; nothing for one that is unknown, or for nobody's."""
    return ALLOWED.get(role or "", NOTHING)


def roles_with(action: Action) -> tuple[Role, ...]:
    """Return the roles that allow an action, the least of them first."""
    return tuple(role for role in Role if action in ALLOWED[role])


def needed_for(action: Action) -> str:
    """Return the roles that an action needs, in words: "Contributor or Owner"."""
    return " or ".join(roles_with(action))


def refusal(role: str | None, workspace: str, action: Action) -> str:
    """Return why somebody with this role (None: no member) may not do this in a workspace."""
    is_what = f"a {role}" if role != Role.OWNER else "an Owner"
    who = f"You are {is_what} of" if role else "You are no member of"
    return (
        f"{who} the workspace '{workspace}'. {MEANINGS[action]} needs the role "
        f"{needed_for(action)} there."
    )
