"""Members in the administration, on the page of their workspace and in a list of their own.

What may be edited here freely keeps the rule that a workspace with an Owner always has one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet, BaseModelFormSet
from django.http import HttpRequest, HttpResponse

from experiments.admin_asking import person_of
from experiments.admin_base import NamedCells, RowAdmin, RowsInline
from experiments.models import Membership, Workspace
from experiments.permissions import Role
from experiments.services.members import check_keeps_owner, note_edit, note_removal
from experiments.services.refused import Refused

if TYPE_CHECKING:
    _MemberForm = forms.ModelForm[Membership]
    _MemberSet = BaseInlineFormSet[Membership, Workspace, _MemberForm]
    _MemberList = BaseModelFormSet[Membership, _MemberForm]
else:
    _MemberForm, _MemberSet, _MemberList = forms.ModelForm, BaseInlineFormSet, BaseModelFormSet


class MemberForm(_MemberForm):
    """One member, on a page of their own."""

    def clean(self) -> dict[str, Any]:
        """Refuse to take the last Owner away."""
        cleaned = super().clean() or self.cleaned_data
        if self.instance.pk and self.changed_data and not self.errors:
            before = Membership.objects.get(pk=self.instance.pk)
            stays = [cleaned["user"]] if cleaned["role"] == Role.OWNER else []
            if cleaned["workspace"] != before.workspace:
                stays = []
            _check(before.workspace, [before.pk], stays)
        return cleaned


class MemberSet(NamedCells, _MemberSet):
    """The members of one workspace, stored with what follows of each change."""

    by: User

    def clean(self) -> None:
        """Refuse to leave the workspace without an Owner, whichever rows do it together."""
        super().clean()
        if self.instance.pk and not any(self.errors):
            rows = [form for form in self.forms if form.has_changed()]
            owners = [
                form.cleaned_data["user"]
                for form in rows
                if form.cleaned_data.get("role") == Role.OWNER
                and not form.cleaned_data.get("DELETE")
            ]
            _check(self.instance, [form.instance.pk for form in rows if form.instance.pk], owners)

    def save_new(self, form: Any, commit: bool = True) -> Membership:
        """Store a new member."""
        member: Membership = super().save_new(form, commit=commit)
        note_edit(member, None, by=self.by)
        return member

    def save_existing(self, form: Any, obj: Any, commit: bool = True) -> Membership:
        """Store a member that was changed."""
        was = Membership.objects.get(pk=obj.pk)
        member: Membership = super().save_existing(form, obj, commit=commit)
        note_edit(member, was, by=self.by)
        return member

    def delete_existing(self, obj: Membership, commit: bool = True) -> None:
        """Take a member out."""
        note_removal(obj, by=self.by)
        super().delete_existing(obj, commit=commit)


class MembershipInline(RowsInline[Membership, Workspace]):
    """Members of a workspace and their roles."""

    model = Membership
    formset = MemberSet
    extra = 1
    autocomplete_fields = ["user"]

    def get_formset(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        made: Any = super().get_formset(request, obj, **options)
        made.by = request.user
        return made


class MemberList(NamedCells, _MemberList):
    """Roles as they are edited in the list, of several workspaces at once."""

    def clean(self) -> None:
        """Refuse to leave a workspace without an Owner."""
        super().clean()
        if any(self.errors):
            return
        edited: dict[Workspace, list[_MemberForm]] = {}
        for form in self.forms:
            if form.has_changed():
                edited.setdefault(form.instance.workspace, []).append(form)
        for workspace, rows in edited.items():
            owners = [r.instance.user for r in rows if r.cleaned_data["role"] == Role.OWNER]
            _check(workspace, [row.instance.pk for row in rows], owners)


@admin.register(Membership)
class MembershipAdmin(RowAdmin[Membership]):
    """Who may do what where."""

    form = MemberForm
    list_display = ["user", "workspace", "role", "created_at"]
    list_editable = ["role"]
    list_filter = ["role", "workspace"]
    list_select_related = ["user", "workspace"]
    search_fields = ["user__username", "user__email", "workspace__name"]
    autocomplete_fields = ["user", "workspace"]
    readonly_fields = ["created_at"]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        # What was checked holds until it is stored.
        with transaction.atomic():
            return super().changelist_view(request, extra_context)

    def get_changelist_formset(self, request: HttpRequest, **options: Any) -> Any:
        return super().get_changelist_formset(request, **{"formset": MemberList, **options})

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        was = Membership.objects.get(pk=obj.pk) if change else None
        super().save_model(request, obj, form, change)
        note_edit(obj, was, by=person_of(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        gone, counts, forbidden, protected = super().get_deleted_objects(objs, request)
        return gone, counts, forbidden, [*protected, *_owners_missed(objs)]

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        self.delete_queryset(request, Membership.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for member in queryset.select_related("user", "workspace"):
            note_removal(member, by=person_of(request))
            member.delete()


def _check(workspace: Workspace, touched: Collection[int], owners: Iterable[User]) -> None:
    try:
        check_keeps_owner(workspace, touched, owners)
    except Refused as refused:
        raise ValidationError(str(refused)) from None


def _owners_missed(members: Iterable[Membership]) -> list[str]:
    """Return why members cannot be removed together."""
    by_workspace: dict[Workspace, list[int]] = {}
    for member in members:
        by_workspace.setdefault(member.workspace, []).append(member.pk)
    found = []
    for workspace, keys in by_workspace.items():
        try:
            check_keeps_owner(workspace, keys, [])
        except Refused as refused:
            found.append(str(refused))
    return found
