"""The administration: every model of the product, its words on the pages around them.

Autodiscovered by Django; the pages themselves are in admin_<subject>.py.
"""

from __future__ import annotations

from django.contrib import admin

from experiments import (
    admin_access,
    admin_accounts,
    admin_audit,
    admin_checks,
    admin_compute,
    admin_drafts,
    admin_imports,
    admin_invitations,
    admin_models,
    admin_notifications,
    admin_people,
    admin_queues,
    admin_records,
    admin_runs,
    admin_site,
    admin_sweeps,
    admin_teamwork,
    admin_trash,
    admin_views,
    admin_warm_start,
)

__all__ = [
    "admin_access",
    "admin_accounts",
    "admin_audit",
    "admin_checks",
    "admin_compute",
    "admin_drafts",
    "admin_imports",
    "admin_invitations",
    "admin_models",
    "admin_notifications",
    "admin_people",
    "admin_queues",
    "admin_records",
    "admin_runs",
    "admin_site",
    "admin_sweeps",
    "admin_teamwork",
    "admin_trash",
    "admin_views",
    "admin_warm_start",
]

admin.site.site_header = "Sweep Studio administration"
admin.site.site_title = "Sweep Studio"
admin.site.index_title = "Everything the studio knows"
