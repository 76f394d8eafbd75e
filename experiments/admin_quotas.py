"""The quota of a workspace in the administration: a part of the page of the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib.auth.models import User
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest

from experiments.admin_base import NamedCells, RowsInline
from experiments.models import Workspace, WorkspaceQuota
from experiments.services.quotas import LIMITS, settle_quota

_FIELDS: Final[list[Any]] = [*LIMITS, "priority"]

if TYPE_CHECKING:
    _QuotaSet = BaseInlineFormSet[WorkspaceQuota, Workspace, forms.ModelForm[WorkspaceQuota]]
else:
    _QuotaSet = BaseInlineFormSet


def _settle(form: forms.ModelForm[WorkspaceQuota], quota: WorkspaceQuota, by: User | None) -> None:
    edits = {
        name: {"from": form.initial.get(name), "to": form.cleaned_data[name]}
        for name in form.changed_data
        if name in _FIELDS
    }
    settle_quota(quota, edits, by=by)


class QuotaFormSet(NamedCells, _QuotaSet):
    """The quota on the page of its workspace, stored as the service does."""

    by: User | None = None

    def save_new(self, form: Any, commit: bool = True) -> WorkspaceQuota:
        """Store a quota for a workspace that had none."""
        quota: WorkspaceQuota = super().save_new(form, commit=False)
        _settle(form, quota, self.by)
        return quota

    def save_existing(self, form: Any, obj: Any, commit: bool = True) -> WorkspaceQuota:
        """Store a quota that was changed."""
        quota: WorkspaceQuota = super().save_existing(form, obj, commit=False)
        _settle(form, quota, self.by)
        return quota


class QuotaInline(RowsInline[WorkspaceQuota, Workspace]):
    """The quota of a workspace, on its page."""

    model = WorkspaceQuota
    formset = QuotaFormSet
    fields = _FIELDS
    max_num = 1
    extra = 1
    can_delete = False  # limits are emptied: that is written down
    verbose_name = "quota"

    def get_formset(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        made: Any = super().get_formset(request, obj, **options)
        made.by = request.user
        return made
