"""Django application `runner`: lets Django find the worker and watchdog commands; has no models."""

from __future__ import annotations

from django.apps import AppConfig


class RunnerConfig(AppConfig):
    """Commands only."""

    name = "runner"
    verbose_name = "Runner"
