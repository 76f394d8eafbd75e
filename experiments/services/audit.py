"""Writes the audit log: one entry for an act, in the transaction of the act.

Each piece of the studio adds its acts to `Act`. Entries are never changed and never removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser, User

from experiments import log_context
from experiments.client_address import client_address
from experiments.models import AuditEntry, Workspace
from experiments.services.text import clean_text

_NAME, _ABOUT, _ID, _TEXT = 120, 255, 120, 1000
_MOST_ITEMS: Final = 50


class Act(StrEnum):
    """What is written down, as a dotted name: what it was done to, and what."""

    # Accounts
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_IN_PAUSED = "sign_in_paused"
    ACCOUNT_CREATED = "account.created"
    ACCOUNT_CHANGED = "account.changed"
    ACCOUNT_CLOSED = "account.closed"
    ACCOUNT_OPENED = "account.opened"
    ACCOUNT_LINKED = "account.linked"
    SESSION_ENDED = "session.ended"
    PASSWORD_CHANGED = "password.changed"
    PASSWORD_RESET_ASKED = "password.reset_asked"
    TOKEN_CREATED = "token.created"
    TOKEN_REVOKED = "token.revoked"
    # Workspaces
    WORKSPACE_CREATED = "workspace.created"
    WORKSPACE_RENAMED = "workspace.renamed"
    WORKSPACE_HANDED_OVER = "workspace.handed_over"
    WORKSPACE_DELETED = "workspace.deleted"
    MEMBER_ADDED = "member.added"
    MEMBER_ROLE_CHANGED = "member.role_changed"
    MEMBER_REMOVED = "member.removed"
    MEMBER_LEFT = "member.left"
    INVITATION_MADE = "invitation.made"
    INVITATION_REVOKED = "invitation.revoked"
    INVITATION_USED = "invitation.used"
    QUOTA_CHANGED = "quota.changed"
    # Compute
    COMPUTE_ADDED = "compute.added"
    COMPUTE_CHANGED = "compute.changed"
    COMPUTE_DRAINED = "compute.drained"
    COMPUTE_ATTACHED = "compute.attached"
    COMPUTE_TOKEN_REVOKED = "compute_token.revoked"
    # Sweeps, runs, models
    SWEEP_TRASHED = "sweep.trashed"
    SWEEP_RESTORED = "sweep.restored"
    SWEEP_DELETED = "sweep.deleted"
    OUTPUTS_REMOVED = "outputs.removed"
    MODEL_DELETED = "model.deleted"
    MODEL_VERSION_DELETED = "model_version.deleted"
    # What leaves the studio
    SHARE_LINK_MADE = "share_link.made"
    SHARE_LINK_REVOKED = "share_link.revoked"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_SECRET_CHANGED = "webhook.secret_changed"
    WEBHOOK_DELETED = "webhook.deleted"
    # The site
    SITE_CHANGED = "site.changed"
    MAINTENANCE_PLANNED = "maintenance.planned"
    MAINTENANCE_ON = "maintenance.on"
    MAINTENANCE_OFF = "maintenance.off"
    ANNOUNCEMENT_PUBLISHED = "announcement.published"
    ANNOUNCEMENT_CHANGED = "announcement.changed"
    ANNOUNCEMENT_DELETED = "announcement.deleted"
    AUDIT_EXPORTED = "audit.exported"
    # Rows typed in the administration
    ADMIN_ADDED = "admin.added"
    ADMIN_CHANGED = "admin.changed"
    ADMIN_DELETED = "admin.deleted"
    ADMIN_ACTION = "admin.action"


def record(
    act: Act,
    *,
    by: User | AnonymousUser | None,
    workspace: Workspace | None = None,
    about: str = "",
    about_id: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write down that somebody did something; call it in the transaction of the act.

    `by` None stands for the studio itself, or for a stranger whose address says more. `about` and
    `about_id` name what it was done to in words that outlive it. Secrets never go into `details`.
    """
    AuditEntry.objects.create(
        act=act,
        by_id=by.pk if by is not None else None,
        by_name=by.get_username() if by is not None else "",
        workspace_id=workspace.pk if workspace is not None else None,
        workspace_name=clean_text(workspace.name, _NAME) if workspace is not None else "",
        about=clean_text(about, _ABOUT),
        about_id=clean_text(about_id, _ID),
        details=_storable(details or {}),
        address=clean_text(client_address(), 64),
        request_id=log_context.request_id(),
    )


def _storable(value: Any) -> Any:
    """Return a value of details as JSON that both databases take, cut where it is long."""
    if isinstance(value, Mapping):
        items = list(value.items())[:_MOST_ITEMS]
        return {clean_text(str(key), _NAME): _storable(item) for key, item in items}
    if isinstance(value, list | tuple | set | frozenset):
        return [_storable(item) for item in list(value)[:_MOST_ITEMS]]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and value - value == 0:
        return value
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return clean_text(str(value), _TEXT)
