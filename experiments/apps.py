"""Django application `experiments`: the product's data, pages and API."""

from __future__ import annotations

from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    """The one application that has models."""

    name = "experiments"
    label = "experiments"
    verbose_name = "Sweep Studio"
    default_auto_field = "django.db.models.BigAutoField"
