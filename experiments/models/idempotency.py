"""Requests of the REST API that must not take effect twice."""

from __future__ import annotations

from django.db import models


class IdempotentRequest(models.Model):
    """A request with an Idempotency-Key: being worked on (`status` null), or with its answer."""

    caller = models.CharField(max_length=80, help_text="Whose key it is: user:7, run:12.")
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64, help_text="SHA-256 of method, address and body.")
    claim = models.CharField(max_length=32, help_text="The attempt that works on it.")
    claimed_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "key"], name="idempotency_key_once"),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_age")]

    def __str__(self) -> str:
        return self.key
