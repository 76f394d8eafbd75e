"""CheckRun: what a check before the launch was asked for; its one run belongs to a hidden sweep."""

from __future__ import annotations

from django.db import models

from experiments.models.fields import OrderedJSONField
from experiments.models.sweep import Sweep


class CheckRun(models.Model):
    """One configuration of a specification, tried for real before anything is launched.

    The sweep (`kind` check) has the limits of a check; `spec` is the specification as it was given.
    """

    sweep = models.OneToOneField(
        Sweep, on_delete=models.CASCADE, primary_key=True, related_name="check_run"
    )
    seconds = models.FloatField(help_text="The run is stopped after this time.")
    spec = OrderedJSONField(help_text="As given, with the limits of the whole sweep.")

    def __str__(self) -> str:
        return f"check of {self.sweep_id}"
