"""What an account has beside Django's own row: its sessions by browser, and how it was made."""

from __future__ import annotations

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import models

from experiments import clock


class SignedInSession(models.Model):
    """Where and with what somebody is signed in; goes with Django's session, whoever ends it."""

    class Way(models.TextChoices):
        PASSWORD = "password", "password"
        LINK = "link", "one-time link"
        SIGN_UP = "sign_up", "signing up"
        RESET = "reset", "a new password"
        SINGLE_SIGN_ON = "single_sign_on", "single sign-on"
        UNKNOWN = "", "unknown"

    session = models.OneToOneField(Session, on_delete=models.CASCADE, related_name="signed_in")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="signed_in_sessions"
    )
    way = models.CharField(max_length=16, choices=Way.choices, default=Way.UNKNOWN, blank=True)
    address = models.CharField(max_length=64, blank=True, help_text="Where it was seen last.")
    agent = models.CharField(max_length=400, blank=True, help_text="What the browser says it is.")
    began_at = models.DateTimeField(default=clock.now, editable=False)
    seen_at = models.DateTimeField(default=clock.now, help_text="Noted every few minutes.")

    class Meta:
        ordering = ["-seen_at", "-pk"]
        verbose_name = "session"
        indexes = [
            # services.sign_in: has this person been here from this address before?
            models.Index(fields=["user", "address"], name="session_of_address"),
        ]

    def __str__(self) -> str:
        return f"session of {self.user_id} since {self.began_at:%Y-%m-%d %H:%M}"


class SignUp(models.Model):
    """An account that a person made without an administrator; absent for all others."""

    class Way(models.TextChoices):
        INVITED = "invited", "with an invitation"
        DOMAINS = "domains", "with an address of a domain"
        OPEN = "open", "open sign-up"
        SINGLE_SIGN_ON = "single_sign_on", "single sign-on"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="signed_up"
    )
    way = models.CharField(max_length=16, choices=Way.choices)
    unproven_email = models.CharField(
        max_length=254,
        blank=True,
        help_text="The e-mail address as typed, while nobody has shown that it is theirs.",
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-pk"]
        verbose_name = "sign-up"

    def __str__(self) -> str:
        return f"{self.user_id} signed up {self.get_way_display()}"


class Identity(models.Model):
    """Somebody at a provider of single sign-on, by what never changes hands: issuer and subject."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identities"
    )
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    linked_at = models.DateTimeField(default=clock.now, editable=False)
    used_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-pk"]
        verbose_name = "single sign-on"
        verbose_name_plural = "single sign-on"
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="identity_once"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"
