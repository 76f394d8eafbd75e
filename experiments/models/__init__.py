"""Rows of the product: fields, constraints, indexes; reads are in queries, writes in services."""

from experiments.models.access import ApiToken, ComputeToken, SignInLink
from experiments.models.account import Identity, SignedInSession, SignUp
from experiments.models.artifact import Artifact, Snapshot
from experiments.models.check_run import CheckRun
from experiments.models.compute import ComputeTarget, Worker
from experiments.models.decision import Decision
from experiments.models.draft import SweepDraft
from experiments.models.event import Event
from experiments.models.experiment import Experiment
from experiments.models.idempotency import IdempotentRequest
from experiments.models.imported import SweepImport
from experiments.models.invitation import Invitation, InvitationUse
from experiments.models.metric import MetricChunk, MetricSeries
from experiments.models.notification import (
    Delivery,
    DeliveryAttempt,
    Notification,
    NotificationChannel,
)
from experiments.models.quota import SlotShares, WorkspaceQuota
from experiments.models.registry import ModelFile, ModelVersion, RegisteredModel
from experiments.models.removal import Removal
from experiments.models.run import Run
from experiments.models.saved_view import ColumnChoice, SavedView
from experiments.models.site import (
    Announcement,
    AnnouncementDismissal,
    AuditEntry,
    SiteSettings,
)
from experiments.models.sweep import Sweep, SweepVersion
from experiments.models.teamwork import NoteVersion, ShareLink, Star
from experiments.models.warm_start import Resumption, WarmStart
from experiments.models.workspace import Membership, Workspace, WorkspaceSeat

__all__ = [
    "Announcement",
    "AnnouncementDismissal",
    "ApiToken",
    "Artifact",
    "AuditEntry",
    "CheckRun",
    "ColumnChoice",
    "ComputeTarget",
    "ComputeToken",
    "Decision",
    "Delivery",
    "DeliveryAttempt",
    "Event",
    "Experiment",
    "IdempotentRequest",
    "Identity",
    "Invitation",
    "InvitationUse",
    "Membership",
    "MetricChunk",
    "MetricSeries",
    "ModelFile",
    "ModelVersion",
    "NoteVersion",
    "Notification",
    "NotificationChannel",
    "RegisteredModel",
    "Removal",
    "Resumption",
    "Run",
    "SavedView",
    "ShareLink",
    "SignInLink",
    "SignUp",
    "SignedInSession",
    "SiteSettings",
    "SlotShares",
    "Snapshot",
    "Star",
    "Sweep",
    "SweepDraft",
    "SweepImport",
    "SweepVersion",
    "WarmStart",
    "Worker",
    "Workspace",
    "WorkspaceQuota",
    "WorkspaceSeat",
]
