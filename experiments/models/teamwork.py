"""What a team writes around its sweeps: notes with every version, stars, links to share."""

from __future__ import annotations

import secrets
from typing import Final

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import models
from django.db.models import Q
from django.urls import reverse

from experiments import clock
from experiments.models.registry import RegisteredModel
from experiments.models.run import Run
from experiments.models.sweep import Sweep

# A full stop stands in neither half of a token, and needs no escape in an address.
_SEPARATOR: Final = "."
_SALT: Final = "experiments.share"
_KEY_BYTES: Final = 16


def new_share_key() -> str:
    """Return what a link to share is found by; nobody guesses it."""
    return secrets.token_urlsafe(_KEY_BYTES)


class NoteVersion(models.Model):
    """The notes on a sweep, or on one of its runs, after one edit.

    Nothing is ever changed here: the newest counts.
    """

    sweep = models.ForeignKey(Sweep, on_delete=models.CASCADE, related_name="notes")
    run = models.ForeignKey(
        Run,
        on_delete=models.CASCADE,
        related_name="notes",
        null=True,
        blank=True,
        help_text="Of the same sweep; none: the notes are on the sweep.",
    )
    number = models.PositiveIntegerField(help_text="From 1; the next edit must name it.")
    text = models.TextField(blank=True, help_text="Markdown.")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    author_name = models.CharField(max_length=150, help_text="Stays when the person is gone.")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["sweep_id", "-number"]
        constraints = [
            # Of two edits of one version only one is stored.
            models.UniqueConstraint(
                fields=["sweep", "number"], condition=Q(run=None), name="note_version_once"
            ),
            models.UniqueConstraint(fields=["run", "number"], name="note_version_of_run_once"),
        ]

    def __str__(self) -> str:
        return f"notes, version {self.number}"


class Star(models.Model):
    """A mark of one person on a sweep or a model; nobody else sees it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="stars"
    )
    sweep = models.ForeignKey(
        Sweep, on_delete=models.CASCADE, null=True, blank=True, related_name="stars"
    )
    model = models.ForeignKey(
        RegisteredModel, on_delete=models.CASCADE, null=True, blank=True, related_name="stars"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "sweep"], name="star_of_sweep_once"),
            models.UniqueConstraint(fields=["user", "model"], name="star_of_model_once"),
            models.CheckConstraint(
                name="star_of_one_thing",
                condition=Q(sweep__isnull=False, model__isnull=True)
                | Q(sweep__isnull=True, model__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"star of {self.user}"


class ShareLink(models.Model):
    """An address that shows one sweep to whoever has it. queries.shared says what it opens.

    The secret part is `key` with a signature of the studio's secret key: rows alone open nothing.
    """

    sweep = models.ForeignKey(Sweep, on_delete=models.CASCADE, related_name="share_links")
    key = models.CharField(max_length=40, unique=True, default=new_share_key, editable=False)
    name = models.CharField(max_length=120, blank=True, help_text="Whom it is for.")
    with_reasons = models.BooleanField(
        default=False, help_text="Also why runs ended, which may quote their output, and their log."
    )
    with_files = models.BooleanField(default=False, help_text="Also the outputs of the best run.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="share_links"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    used_at = models.DateTimeField(null=True, blank=True, help_text="Last opened, to the minute.")

    class Meta:
        ordering = ["-pk"]
        verbose_name = "share link"

    def __str__(self) -> str:
        return self.name or "share link"

    def get_absolute_url(self) -> str:
        return reverse("shared", args=[self.token])

    @property
    def token(self) -> str:
        """The part of the address that opens the link."""
        return _signer().sign(self.key)


def share_key_of(token: str) -> str | None:
    """Return the key of a token that this studio signed; None for anything else."""
    try:
        return _signer().unsign(token)
    except BadSignature:
        return None


def _signer() -> Signer:
    return Signer(sep=_SEPARATOR, salt=_SALT)
