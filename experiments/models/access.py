"""Ways in beside the password: API tokens and one-time sign-in links, kept as hashes."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from experiments.models.compute import ComputeTarget


class ApiToken(models.Model):
    """A bearer token of a person; shown once, stored as its SHA-256."""

    class Scope(models.TextChoices):
        READ = "read"
        WRITE = "write"
        ADMIN = "admin"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=120)
    scope = models.CharField(max_length=8, choices=Scope.choices, default=Scope.WRITE)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return self.name


class ComputeToken(models.Model):
    """A bearer token of the workers on other machines of one compute target."""

    compute = models.ForeignKey(
        ComputeTarget, on_delete=models.CASCADE, related_name="compute_tokens"
    )
    name = models.CharField(max_length=120)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = "compute token"

    def __str__(self) -> str:
        return self.name


class SignInLink(models.Model):
    """A link that signs its person in once; what `studio up` prints."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_in_links"
    )
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = "sign-in link"

    def __str__(self) -> str:
        return f"sign-in link of {self.user}"
