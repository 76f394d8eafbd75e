"""What one administrator decides for the whole studio, what is announced, and who did what.

`AuditEntry` is append-only: here for the ORM, by triggers of the database for everything else.
"""

from __future__ import annotations

import re
from typing import Any, Final, NoReturn

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from experiments import clock
from experiments.models.workspace import Workspace

SITE_ROW: Final = 1
DEFAULT_NAME: Final = "Sweep Studio"
_DOMAIN: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))+")
# What a specification allows at most (contract).
MOST_RUNS, MOST_AT_ONCE, MOST_MINUTES = 1000, 100, 43200


def domains_of(text: str) -> list[str]:
    """Return the domains in a text, in small letters: one a line, or with commas or blanks."""
    return [word.lstrip("@").lower() for word in text.replace(",", " ").split()]


def _whole(most: int, help_text: str) -> models.PositiveIntegerField[Any, Any]:
    return models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(most)],
        help_text=help_text,
    )


class SiteSettings(models.Model):
    """The one row of what an administrator decides for the studio; read through services.site."""

    class SignUp(models.TextChoices):
        CLOSED = "closed", "Nobody: an administrator makes every account"
        INVITED = "invited", "Only with an invitation to a workspace"
        DOMAINS = "domains", "With an invitation, or an e-mail address of the domains below"
        OPEN = "open", "Everybody who can reach the studio"

    id = models.PositiveSmallIntegerField(primary_key=True, default=SITE_ROW, editable=False)
    name = models.CharField(
        max_length=40, default=DEFAULT_NAME, help_text="In the top bar and in every page's title."
    )
    banner = models.CharField(
        max_length=300,
        blank=True,
        help_text="One line below the top bar of every page, for everybody; empty: none.",
    )
    sign_up = models.CharField(
        "who may sign up", max_length=8, choices=SignUp.choices, default=SignUp.INVITED
    )
    sign_up_domains = models.TextField(
        "domains",
        blank=True,
        help_text="Domains of e-mail addresses, one a line or with commas: example.org, uni.edu.",
    )
    maintenance = models.BooleanField(
        "maintenance mode",
        default=False,
        help_text="No new runs start; running ones finish, and sweeps that are submitted wait.",
    )
    maintenance_message = models.CharField(
        "message",
        max_length=300,
        blank=True,
        help_text="What people read about it on every page, such as the reason.",
    )
    maintenance_from = models.DateTimeField(
        "planned for",
        null=True,
        blank=True,
        help_text="Announced on every page from now on, and turned on by itself then (UTC).",
    )
    maintenance_until = models.DateTimeField(
        "expected end",
        null=True,
        blank=True,
        help_text="Only shown (UTC): maintenance ends when somebody turns it off.",
    )
    default_max_total_runs = _whole(
        MOST_RUNS,
        "Where a specification does not say; empty: the form suggests 20, files must say.",
    )
    default_max_concurrent_runs = _whole(
        MOST_AT_ONCE, "Empty: the form suggests 4; a file that does not say gets as many as fit."
    )
    default_max_duration_minutes = _whole(MOST_MINUTES, "Empty: 10080 minutes, which is a week.")
    limit_total_runs = _whole(MOST_RUNS, f"Empty: {MOST_RUNS}.")
    limit_concurrent_runs = _whole(MOST_AT_ONCE, f"Empty: {MOST_AT_ONCE}.")
    limit_duration_minutes = _whole(MOST_MINUTES, f"Empty: {MOST_MINUTES} minutes, thirty days.")
    trash_days = models.PositiveIntegerField(
        "days in the trash",
        null=True,
        blank=True,
        validators=[MaxValueValidator(36500)],
        help_text="Then a sweep is deleted for good; 0: only people delete. "
        "Empty: STUDIO_TRASH_DAYS of the environment.",
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "site settings"
        verbose_name_plural = "site settings"
        constraints = [
            models.CheckConstraint(name="site_settings_once", condition=Q(id=SITE_ROW)),
        ]

    def __str__(self) -> str:
        return "Site settings"

    def clean(self) -> None:
        """Check what one field means for another.

        Raises:
            ValidationError: by field, what is wrong and what is allowed.
        """
        wrong = {**self._defaults_above_limits(), **self._domains_that_are_none()}
        begins, ends = self.maintenance_from, self.maintenance_until
        if begins and ends and ends <= begins:
            wrong["maintenance_until"] = "Maintenance would end before it begins; use a later time."
        if wrong:
            raise ValidationError(wrong)

    def _defaults_above_limits(self) -> dict[str, str]:
        wrong = {}
        for name in ("total_runs", "concurrent_runs", "duration_minutes"):
            value, most = getattr(self, f"default_max_{name}"), getattr(self, f"limit_{name}")
            if value is not None and most is not None and value > most:
                text = f"{value} is above the limit {most}; use {most} or less, or raise the limit."
                wrong[f"default_max_{name}"] = text
        return wrong

    def _domains_that_are_none(self) -> dict[str, str]:
        domains = domains_of(self.sign_up_domains)
        bad = [domain for domain in domains if not _DOMAIN.fullmatch(domain)]
        if bad:
            text = f"“{bad[0]}” is no domain; use names such as example.org, one a line."
            return {"sign_up_domains": text}
        if self.sign_up == self.SignUp.DOMAINS and not domains:
            return {"sign_up_domains": "Name at least one domain, such as example.org."}
        return {}


class Announcement(models.Model):
    """Something that everybody is told for a while, under the top bar of every page."""

    class Level(models.TextChoices):
        INFO = "info", "Information"
        WARNING = "warning", "Warning"
        URGENT = "urgent", "Urgent: also on the sign-in page"

    text = models.TextField(
        max_length=1000, help_text="Markdown: **bold**, `code`, [links](https://example.org)."
    )
    level = models.CharField(max_length=8, choices=Level.choices, default=Level.INFO)
    starts_at = models.DateTimeField("from", default=clock.now, help_text="UTC.")
    ends_at = models.DateTimeField(
        "until", null=True, blank=True, help_text="UTC; empty: until somebody ends it."
    )
    is_dismissible = models.BooleanField(
        "can be dismissed", default=True, help_text="Each person may put it away for themselves."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-starts_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="announcement_ends_after_start",
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                violation_error_message="The announcement would end before it starts.",
            ),
        ]

    def __str__(self) -> str:
        line = " ".join(self.text.split())
        return line if len(line) <= 80 else f"{line[:79]}…"


class AnnouncementDismissal(models.Model):
    """Somebody has read an announcement and put it away."""

    announcement = models.ForeignKey(
        Announcement, on_delete=models.CASCADE, related_name="dismissals"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    dismissed_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["announcement", "user"], name="dismissal_once"),
        ]

    def __str__(self) -> str:
        return f"announcement {self.announcement_id} dismissed by {self.user_id}"


class AppendOnlyError(Exception):
    """Somebody tried to change or remove what must stay as it was written."""

    def __init__(self) -> None:
        super().__init__("The audit log is append-only: entries are neither changed nor removed.")


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Reads and adds; refuses the rest."""

    def update(self, **_: Any) -> NoReturn:
        raise AppendOnlyError

    def delete(self) -> NoReturn:
        raise AppendOnlyError


class AuditEntry(models.Model):
    """Who did what, when, from where; written by services.audit, never changed.

    Names are kept as they were, and its references are no constraints: what it tells of may be
    deleted without touching it.
    """

    at = models.DateTimeField("time", default=clock.now, editable=False)
    act = models.CharField(max_length=60)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
    )
    by_name = models.CharField(max_length=150, blank=True, help_text="Empty: the studio itself.")
    workspace = models.ForeignKey(
        Workspace,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
    )
    workspace_name = models.CharField("workspace", max_length=120, blank=True)
    about = models.CharField(max_length=255, blank=True, help_text="What it was done to.")
    about_id = models.CharField(max_length=120, blank=True)
    details = models.JSONField(default=dict)
    address = models.CharField(
        "from", max_length=64, blank=True, help_text="Where the request came from."
    )
    request_id = models.CharField(max_length=64, blank=True, help_text="As in the log.")

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        indexes = [
            # queries.audit: the newest of all, of one act, one person, one workspace.
            models.Index(fields=["act", "-id"], name="audit_of_act"),
            models.Index(fields=["by", "-id"], name="audit_of_person"),
            models.Index(fields=["workspace", "-id"], name="audit_of_workspace"),
            models.Index(fields=["at"], name="audit_time"),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.about}".strip()

    def save(self, *args: Any, **options: Any) -> None:
        """Write a new entry.

        Raises:
            AppendOnlyError: the entry is there already.
        """
        if not self._state.adding:
            raise AppendOnlyError
        super().save(*args, **{**options, "force_insert": True})

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse.

        Raises:
            AppendOnlyError: always.
        """
        raise AppendOnlyError
