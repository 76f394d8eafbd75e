"""Django application `runner`: lets Django find the worker and watchdog commands; has no models.

With it every process of the studio keeps its secrets from the scripts beside it.
"""

from __future__ import annotations

from django.apps import AppConfig

from runner.process import hide_from_scripts


class RunnerConfig(AppConfig):
    """Commands only."""

    name = "runner"
    verbose_name = "Runner"

    def ready(self) -> None:
        """Hide this process, and those that it forks."""
        hide_from_scripts()
