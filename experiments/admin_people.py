"""Admin of people: who belongs where, who was here when; deactivating, sessions, sign-in links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group, User
from django.db.models import Max, QuerySet, prefetch_related_objects
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from experiments.admin_asking import asking, person_of, tell
from experiments.admin_base import RowAdmin, admin_link
from experiments.models import SignedInSession
from experiments.services.access import make_sign_in_link
from experiments.services.accounts import ERASED, deactivate_account, erase_account, reason_to_stay
from experiments.services.people import activate_account, check_stays_administrated
from experiments.services.refused import Refused
from experiments.services.sessions import end_sessions
from experiments.templatetags.studio import ago

# What each switch of a person is called, and what it does.
_SWITCHES: Final = {
    "is_active": (
        "Active",
        "Whether this person may sign in. To keep what is theirs, switch it off.",
    ),
    "is_superuser": (
        "Administrator",
        "Sees these pages, and may do everything in every workspace.",
    ),
}


class StudioUserForm(UserChangeForm):  # type: ignore[type-arg] # generic in the stubs alone
    """Django's form of a person, that keeps the studio administrated."""

    def clean(self) -> dict[str, Any]:
        """Refuse to take the last administrator away."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        before = User.objects.filter(pk=self.instance.pk, is_superuser=True, is_active=True)
        stays = cleaned.get("is_superuser") and cleaned.get("is_active")
        if not stays and before.exists():
            try:
                check_stays_administrated(before[0])
            except Refused as refused:
                self.add_error(None, str(refused))
        return cleaned


class StudioUserAdmin(RowAdmin[User], UserAdmin):  # type: ignore[type-arg] # generic in stubs
    """People: where they belong, when they were here; one-time links instead of passwords."""

    form = StudioUserForm
    list_display = [
        "username",
        "full_name",
        "last_seen",
        "is_active",
        "administrator",
        "roles",
        "email",
        "date_joined",
    ]
    list_filter = ["is_active", "is_superuser", "workspaces", "last_login"]
    actions = ["make_links", "end_all_sessions", "deactivate", "activate", "erase"]
    fieldsets = [
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Permissions", {"fields": ("is_active", "is_superuser")}),
        ("Known", {"fields": ("roles", "last_seen", "last_login", "date_joined")}),
    ]
    readonly_fields = ["roles", "last_seen", "last_login", "date_joined"]
    filter_horizontal = ()

    def add_facts(self, rows: list[User]) -> None:
        """Take memberships and the last time of each person: two queries."""
        prefetch_related_objects(rows, "memberships__workspace")
        sessions = SignedInSession.objects.filter(user__in=rows).order_by()
        seen = dict(sessions.values_list("user").annotate(seen=Max("seen_at")))
        for person in rows:
            person.seen_at = seen.get(person.pk) or person.last_login  # type: ignore[attr-defined]

    def fits(self, action: str, row: User) -> bool:
        is_erased = row.username.startswith(ERASED)
        if is_erased:
            return False
        fitting = {"deactivate": row.is_active, "activate": not row.is_active, "erase": True}
        return fitting.get(action, row.is_active)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Keep the row: what an account leaves behind is settled by `erase`."""
        return False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Say in the words of the product what its two switches do."""
        label, help_text = _SWITCHES.get(db_field.name, ("", ""))
        own = {"label": label, "help_text": help_text} if label else {}
        return super().formfield_for_dbfield(db_field, request, **options, **own)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Let administrators in here, and nobody else."""
        obj.is_staff = obj.is_superuser
        super().save_model(request, obj, form, change)

    @admin.display(description="name", ordering="last_name")
    def full_name(self, person: User) -> str:
        return person.get_full_name()

    @admin.display(description="workspaces")
    def roles(self, person: User) -> str | SafeString:
        rows = person.memberships.all() if person.pk else []
        links = [(admin_link(row.workspace), row.role) for row in rows]
        return format_html_join(", ", "{} ({})", links) or "–"

    @admin.display(description="last seen", ordering="last_login")
    def last_seen(self, person: User) -> str:
        return ago(getattr(person, "seen_at", person.last_login))

    @admin.display(description="administrator", boolean=True, ordering="is_superuser")
    def administrator(self, person: User) -> bool:
        return person.is_superuser

    @admin.action(description="Make a one-time sign-in link", permissions=["change"])
    @asking("Make a sign-in link", "The link is shown once, signs in once, and lasts for a day.")
    def make_links(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        for person in chosen.filter(is_active=True):
            path = reverse("sign_in_link", args=[make_sign_in_link(person)])
            text = f"Sign-in link of {person}, works once: {request.build_absolute_uri(path)}"
            self.message_user(request, text, messages.SUCCESS)

    @admin.action(description="End all sessions", permissions=["change"])
    @asking("End all sessions", "They are signed out everywhere at once; API tokens stay.")
    def end_all_sessions(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        count = sum(end_sessions(person, by=person_of(request)) for person in chosen)
        tell(self, request, "session", "Ended", count, 0, "")
        if not count:
            self.message_user(request, "Nobody of them was signed in.", messages.WARNING)

    @admin.action(description="Deactivate", permissions=["change"])
    @asking(
        "Deactivate",
        "They are signed out, cannot sign in, and their API tokens and sign-in links are gone. "
        "Their sweeps go on and stay, and they can be activated again.",
        is_danger=True,
    )
    def deactivate(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        done = self._close(request, chosen.filter(is_active=True), deactivate_account)
        tell(self, request, "account", "Deactivated", done, 0, "")

    @admin.action(description="Activate", permissions=["change"])
    @asking("Activate", "They can sign in again; they need new API tokens.")
    def activate(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        done = sum(activate_account(person, by=person_of(request)) for person in chosen)
        left = len(chosen) - done
        tell(self, request, "account", "Activated", done, left, "were active already")

    @admin.action(description="Delete for good", permissions=["change"])
    @asking(
        "Delete for good",
        "Name, address, sessions, tokens and memberships are removed and do not come back. Sweeps, "
        "models and notes stay with their workspaces, by a former member.",
        is_danger=True,
    )
    def erase(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        done = self._close(request, chosen, erase_account)
        tell(self, request, "account", "Deleted", done, 0, "")

    def _close(
        self, request: HttpRequest, chosen: QuerySet[User], close: Callable[..., None]
    ) -> int:
        """Close accounts but those without which nobody would administrate; return how many."""
        done = 0
        for person in chosen:
            try:
                close(person, by=person_of(request))
                done += 1
            except Refused:
                text = "The last active administrator stays active"
                if not person.is_superuser or not reason_to_stay(person, erase=False):
                    text = "The only Owner of a shared workspace stays"
                self.message_user(request, f"{text}: {person}.", messages.ERROR)
        return done


admin.site.unregister(User)
admin.site.register(User, StudioUserAdmin)
# Roles are those of workspaces; groups of Django's permissions would only seem to do something.
admin.site.unregister(Group)
