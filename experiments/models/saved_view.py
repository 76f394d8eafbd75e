"""How people look at runs: named views of an experiment, and the columns that each one chose."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from experiments.models.experiment import Experiment


class SavedView(models.Model):
    """A filter, columns and an order under a name, for everybody who sees the experiment."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="views")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="views"
    )
    name = models.CharField(max_length=80)
    filter = models.TextField(blank=True, help_text="In the filter language of runs.")
    state = models.CharField(max_length=20, blank=True, help_text="Key of a group of states.")
    columns = models.JSONField(default=list, help_text="Keys in order; empty: the usual ones.")
    sort = models.CharField(max_length=300, blank=True, help_text="Key of a column.")
    descending = models.BooleanField(default=False)
    is_default = models.BooleanField(
        default=False, help_text="What the table of runs opens with, as long as nothing is chosen."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "name"], name="view_name_once_per_experiment"
            ),
            models.UniqueConstraint(
                fields=["experiment"],
                condition=Q(is_default=True),
                name="view_default_once_per_experiment",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ColumnChoice(models.Model):
    """The columns that a person chose last in an experiment."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="column_choices"
    )
    columns = models.JSONField(default=list, help_text="Keys in order.")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["experiment", "user"], name="column_choice_once"),
        ]

    def __str__(self) -> str:
        return f"columns of {self.user} in {self.experiment}"
