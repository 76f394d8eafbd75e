"""A row of every model of the administration, and what is typed in to add one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from tests.authorisation.routes import models as registered
from tests.authorisation.world import World

# What the form of a new row is filled with; models that are not here are not added by hand.
NEW_ROWS: Final[Mapping[str, Mapping[str, Any]]] = {
    "auth.group": {"name": "others"},
    "auth.user": {
        "username": "new",
        "usable_password": "true",
        "password1": "a-long-pass-phrase-7",
        "password2": "a-long-pass-phrase-7",
    },
    "experiments.computetarget": {"name": "box"},
    "experiments.experiment": {"name": "other", "workspace": "{team_pk}"},
    "experiments.membership": {
        "user": "{stranger_pk}",
        "workspace": "{team_pk}",
        "role": "Reader",
    },
    "experiments.workspace": {"name": "New", "slug": "new"},
}
_BY_KIND: Final[Mapping[type[models.Field[Any, Any]], Any]] = {
    models.JSONField: {},
    models.BinaryField: b"x",
    models.FloatField: 0.5,
    models.BooleanField: False,
    models.GenericIPAddressField: "192.0.2.1",
}


def make_rows(world: World) -> None:
    """Make a row of every registered model that has none yet."""
    world.ids["stranger_pk"] = world.people["stranger"].pk
    for page in registered().values():
        if page.model._meta.managed:
            _any_row(page.model)


def _any_row(model: type[models.Model]) -> models.Model:
    found = model._default_manager.order_by("pk").first()
    if found is not None:
        return found
    values = _values(model)
    # Some are about one of several things, and say so with a constraint.
    optional = [field for field in model._meta.concrete_fields if field.is_relation and field.null]
    for more in ({}, *({field.name: field} for field in optional)):
        try:
            with transaction.atomic():
                chosen = {name: _value(field) for name, field in more.items()}
                return model._default_manager.create(**values, **chosen)
        except IntegrityError:
            continue
    raise AssertionError(f"there is no {model.__name__}: make one in world.py")


def _values(model: type[models.Model]) -> dict[str, Any]:
    values = {}
    for field in model._meta.concrete_fields:
        if isinstance(field, models.AutoField) or field.has_default():
            continue
        if field.null or getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            continue
        values[field.name] = _value(field)
    return values


def _value(field: models.Field[Any, Any]) -> Any:
    if field.is_relation and field.related_model is not None:
        return _any_row(field.related_model)  # type: ignore[arg-type] # no name by now
    if field.choices:
        return next(value for value, _ in field.flatchoices)
    if isinstance(field, models.DateTimeField):
        return timezone.now()
    if isinstance(field, models.IntegerField):
        return 1
    known = next((value for kind, value in _BY_KIND.items() if isinstance(field, kind)), None)
    return "x" if known is None else known
