"""Whether this studio can do its work: what a load balancer or a monitor asks for."""

from __future__ import annotations

from typing import Final

import django_rq
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils.crypto import salted_hmac
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from experiments.queries.site_settings import site

# By which `studio doctor` knows that an address leads to this studio.
KEY_HEADER: Final = "X-Studio-Key"


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database and Redis answer, 503 and the part that does not otherwise."""
    parts = {"database": _database_answers(), "redis": _redis_answers()}
    is_well = all(parts.values())
    # No failure: pages work and running runs go on.
    body = {"status": "ok" if is_well else "failing", **parts, "maintenance": site().maintenance}
    response = JsonResponse(body, status=200 if is_well else 503)
    response.headers["Cache-Control"] = "no-store"
    response.headers[KEY_HEADER] = key_mark()
    return response


def key_mark() -> str:
    """Return a mark of the secret key: the same for all servers of one studio, of use to nobody."""
    return salted_hmac("studio.health", "key").hexdigest()[:12]


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _redis_answers() -> bool:
    try:
        return bool(django_rq.get_connection("default").ping())
    except (RedisError, OSError):
        return False
