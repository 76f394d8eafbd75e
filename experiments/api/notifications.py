"""REST: webhooks of workspaces and of the caller, their tests and their log."""

from __future__ import annotations

from typing import Annotated, Any, Final

from django.http import HttpRequest
from ninja import Path, Query, Router, Status
from ninja.errors import AuthorizationError

from experiments import queries
from experiments.api.auth import ADMIN, READ, person_of
from experiments.api.notification_schemas import (
    DeliveryOut,
    DeliveryPage,
    WebhookChanges,
    WebhookIn,
    WebhookMade,
    WebhookOut,
    WebhookPage,
)
from experiments.api.paging import Cursor, Limit, decode_cursor, encode_cursor
from experiments.models import Delivery, DeliveryAttempt, NotificationChannel, Workspace
from experiments.notify.addresses import mask_url
from experiments.queries.json_forms import time_json
from experiments.queries.notifications import delivery_log, owned_workspaces, webhooks_for
from experiments.services.notification_channels import (
    ChannelFields,
    change_channel,
    create_webhook,
    delete_channel,
    redeliver,
    rotate_secret,
    test_channel,
)

router = Router(tags=["Webhooks"])

_CONFLICT: Final = {"x-errors": [409]}
DeliveryId = Annotated[int, Path(ge=1, le=2**63 - 1)]
InWorkspace = Annotated[
    str, Query(max_length=60, description="Short name of a workspace; empty: all you may see.")
]


@router.get("", auth=READ, response=WebhookPage, openapi_extra={"x-errors": [404]})
def list_webhooks(
    request: HttpRequest, workspace: InWorkspace = "", cursor: Cursor = "", limit: Limit = 50
) -> dict[str, Any]:
    """List your own webhooks and those of the workspaces that you own."""
    rows = webhooks_for(person_of(request)).order_by("pk")
    if workspace:
        rows = rows.filter(workspace=_owned(request, workspace))
    after = decode_cursor(cursor)
    if after is not None:
        rows = rows.filter(pk__gt=after)
    found = list(rows[: limit + 1])
    page = found[:limit]
    return {
        "items": [_webhook_json(channel) for channel in page],
        "next_cursor": encode_cursor(page[-1].pk) if len(found) > limit else None,
    }


@router.post("", auth=ADMIN, response={201: WebhookMade}, openapi_extra={"x-errors": [404, 409]})
def make_webhook(request: HttpRequest, body: WebhookIn) -> Status[Any]:
    """Make a webhook. Its secret is in this answer and nowhere else."""
    workspace = _owned(request, body.workspace) if body.workspace else None
    fields = ChannelFields(
        name=body.name, url=body.url, events=body.events, scopes=_scopes(body, workspace)
    )
    user = person_of(request)
    channel, secret = create_webhook(body.kind, fields, user=user, workspace=workspace)
    return Status(201, {**_webhook_json(channel), "secret": secret})


@router.get("/{webhook_id}", auth=READ, response=WebhookOut)
def get_webhook(request: HttpRequest, webhook_id: str) -> dict[str, Any]:
    """Read a webhook."""
    return _webhook_json(_find(request, webhook_id))


@router.patch("/{webhook_id}", auth=ADMIN, response=WebhookOut)
def change_webhook(request: HttpRequest, webhook_id: str, body: WebhookChanges) -> dict[str, Any]:
    """Change a webhook, or turn it on or off."""
    channel = _find(request, webhook_id)
    fields = ChannelFields(
        name=body.name, url=body.url, events=body.events, scopes=body.sweeps, is_on=body.on
    )
    change_channel(channel, fields, user=person_of(request))
    return _webhook_json(_find(request, webhook_id))


@router.delete("/{webhook_id}", auth=ADMIN, response={204: None})
def delete_webhook(request: HttpRequest, webhook_id: str) -> Status[None]:
    """Delete a webhook with its log."""
    delete_channel(_find(request, webhook_id), user=person_of(request))
    return Status(204, None)


@router.post("/{webhook_id}/secret", auth=ADMIN, response=WebhookMade, openapi_extra=_CONFLICT)
def rotate_webhook_secret(request: HttpRequest, webhook_id: str) -> dict[str, Any]:
    """Give a signed webhook another secret; the old one signs as well for a day."""
    channel = _find(request, webhook_id)
    secret = rotate_secret(channel, user=person_of(request))
    return {**_webhook_json(channel), "secret": secret}


@router.post("/{webhook_id}/test", auth=ADMIN, response={202: DeliveryOut}, openapi_extra=_CONFLICT)
def test_webhook(request: HttpRequest, webhook_id: str) -> Status[Any]:
    """Send a test message; read the deliveries to see what became of it."""
    return Status(202, _delivery_json(test_channel(_find(request, webhook_id))))


@router.get("/{webhook_id}/deliveries", auth=READ, response=DeliveryPage)
def list_deliveries(
    request: HttpRequest, webhook_id: str, cursor: Cursor = "", limit: Limit = 50
) -> dict[str, Any]:
    """Read the log of a webhook with every attempt, newest first."""
    channel = _find(request, webhook_id)
    page = delivery_log(channel, before=decode_cursor(cursor), limit=limit)
    more = page.next_before
    return {
        "items": [_delivery_json(row) for row in page.items],
        "next_cursor": None if more is None else encode_cursor(more),
    }


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    auth=ADMIN,
    response={202: DeliveryOut},
    openapi_extra=_CONFLICT,
)
def redeliver_message(
    request: HttpRequest, webhook_id: str, delivery_id: DeliveryId
) -> Status[Any]:
    """Send a message once more, with the same id and the same body."""
    delivery = Delivery.objects.get(channel=_find(request, webhook_id), pk=delivery_id)
    redeliver(delivery)
    delivery.refresh_from_db()
    return Status(202, _delivery_json(delivery))


def _find(request: HttpRequest, webhook_id: str) -> NotificationChannel:
    return webhooks_for(person_of(request)).get(public_id=webhook_id)


def _owned(request: HttpRequest, slug: str) -> Workspace:
    user = person_of(request)
    workspace = queries.workspaces_for(user).get(slug=slug)
    if not owned_workspaces(user).filter(pk=workspace.pk).exists():
        raise AuthorizationError(
            message=f"Webhooks of '{workspace.name}' are managed by its Owners; you are none."
        )
    return workspace


def _scopes(body: WebhookIn, workspace: Workspace | None) -> list[str] | None:
    return ["mine"] if body.sweeps is None and workspace is None else body.sweeps  # type: ignore[return-value]


def _webhook_json(channel: NotificationChannel) -> dict[str, Any]:
    return {
        "id": channel.public_id,
        "workspace": channel.workspace.slug if channel.workspace else None,
        "kind": channel.kind,
        "name": channel.name,
        "address": mask_url(channel.url),
        "events": channel.events,
        "sweeps": channel.scopes,
        "on": channel.is_on,
        "off_reason": channel.off_reason,
        "created": time_json(channel.created_at),
    }


def _attempts(row: Delivery) -> list[DeliveryAttempt]:
    known: list[DeliveryAttempt] | None = getattr(row, "made", None)
    return list(row.attempts.order_by("number")) if known is None else known


def _delivery_json(row: Delivery) -> dict[str, Any]:
    told, is_waiting = row.notification, row.outcome == Delivery.Outcome.WAITING
    return {
        "id": row.pk,
        "message": told.public_id,
        "event": told.kind,
        "sweep": told.sweep.public_id if told.sweep else None,
        "status": row.outcome,
        "error": row.error,
        "created": time_json(row.created_at),
        "due": time_json(row.due_at) if is_waiting else None,
        "attempts": [
            {
                "number": one.number,
                "began": time_json(one.began_at),
                "duration": one.duration,
                "status": one.status,
                "answer": one.answer,
                "error": one.error,
            }
            for one in _attempts(row)
        ],
    }
