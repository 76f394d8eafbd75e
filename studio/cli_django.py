"""Sets Django up for the few commands that work on this machine's studio without its server."""

from __future__ import annotations

import os

import click


def set_up_django() -> None:
    """Load the settings of this machine's studio; a wrong one ends the command in a sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured

    from studio.env import EnvironmentProblem

    try:
        django.setup()
    except (ImproperlyConfigured, EnvironmentProblem) as error:
        raise click.ClickException(str(error)) from error
