"""Admin of RQ: django-rq's dashboard, shown with the studio's own queues.

django-rq lists the queues named in RQ_QUEUES; those of compute targets come and go.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern
from django_rq.admin import QueueAdmin
from django_rq.models import Dashboard
from django_rq.settings import get_queues_map
from rq.exceptions import InvalidJobOperation, NoSuchJobError

from experiments.models import ComputeTarget
from experiments.services.dispatch import CONTROL_QUEUE

View = Callable[..., HttpResponseBase]


class QueueDashboardAdmin(QueueAdmin):
    """Queues, jobs and workers of RQ."""

    def get_urls(self) -> list[URLPattern]:
        patterns: list[URLPattern] = super().get_urls()  # type: ignore[no-untyped-call] # theirs
        for pattern in patterns:
            pattern.callback = _with_all_queues(pattern.callback)
        return patterns


def queue_indexes() -> dict[str, int]:
    """Return the number by which django-rq's addresses know each queue."""
    _name_queues()
    found: dict[str, int] = get_queues_map()
    return found


def _with_all_queues(view: View) -> View:
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        _name_queues()
        # Some of them let all of the staff in.
        if getattr(request.user, "is_staff", False) and not request.user.is_superuser:
            raise PermissionDenied
        try:
            return view(request, *args, **kwargs)
        except (ImproperlyConfigured, InvalidJobOperation, NoSuchJobError, ValueError) as error:
            # A key of nothing, a job that is gone, a scheduler that is not installed.
            raise Http404(str(error)) from error

    return wrapped


def _name_queues() -> None:
    """Add the queues of the controller and of every compute target to django-rq's list.

    Additions only, and the same in every process: the list's order is what its addresses count by.
    """
    known = settings.RQ_QUEUES
    names = [CONTROL_QUEUE, *(compute.queue_name for compute in ComputeTarget.objects.all())]
    for name in names:
        known.setdefault(name, known["default"])


if admin.site.is_registered(Dashboard):
    admin.site.unregister(Dashboard)
admin.site.register(Dashboard, QueueDashboardAdmin)
