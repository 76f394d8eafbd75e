"""Lets Django's administration use the studio's own site, with its dashboard."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class StudioAdminConfig(AdminConfig):
    """Stands for `django.contrib.admin` in the list of applications."""

    default_site = "experiments.admin_studio.StudioAdminSite"
