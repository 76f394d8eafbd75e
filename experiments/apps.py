"""Django application `experiments`: the product's data, pages and API."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.backends.signals import connection_created


class ExperimentsConfig(AppConfig):
    """The one application that has models."""

    name = "experiments"
    label = "experiments"
    verbose_name = "Sweep Studio"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Take the time of every query; listen for who signs in."""
        from experiments.services import account_signals  # noqa: PLC0415 -- needs the models
        from experiments.services.slow_queries import watch  # noqa: PLC0415
        from experiments.services.workspaces import settle_at_sign_in  # noqa: PLC0415 -- as above

        account_signals.connect()
        connection_created.connect(watch, dispatch_uid="experiments.slow_queries")
        user_logged_in.connect(settle_at_sign_in, dispatch_uid="experiments.workspaces")
