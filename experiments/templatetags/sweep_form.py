"""Fields of the new-sweep form: a label, a control, and below it errors or a hint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.template import Context

register = template.Library()


@register.inclusion_tag("experiments/_field.html", takes_context=True)
def text_field(
    context: Context,
    field_id: str,
    label: str,
    *,
    key: str = "",
    hint: str = "",
    css: str = "",
    placeholder: str = "",
    inputmode: str = "",
    options: Sequence[str] = (),
) -> dict[str, Any]:
    """Show a one-line field with its text and its errors."""
    return _field(context, field_id, label, key, hint) | {
        "css": css,
        "placeholder": placeholder,
        "inputmode": inputmode,
        "options": options,
    }


@register.inclusion_tag("experiments/_field.html", takes_context=True)
def area_field(
    context: Context, field_id: str, label: str, *, key: str = "", hint: str = "", css: str = ""
) -> dict[str, Any]:
    """Show a field of several lines."""
    return _field(context, field_id, label, key, hint) | {"css": css, "is_area": True}


@register.inclusion_tag("experiments/_field_notes.html", takes_context=True)
def field_notes(context: Context, field_id: str, hint: str) -> dict[str, Any]:
    """Show the errors of a control that the template writes itself, or its hint."""
    return {"id": field_id, "errors": _errors(context).get(field_id, ()), "hint": hint}


@register.inclusion_tag("experiments/_field_notes.html", takes_context=True)
def row_notes(context: Context, number: int | str) -> dict[str, Any]:
    """Show every error of one row of the search space."""
    row = f"search_space-{number}"
    found = [
        message
        for field_id, messages in _errors(context).items()
        if field_id == row or field_id.startswith(f"{row}-")
        for message in messages
    ]
    return {"id": row, "errors": found, "hint": ""}


def _field(context: Context, field_id: str, label: str, key: str, hint: str) -> dict[str, Any]:
    return {
        "id": field_id,
        "label": label,
        "key": key,
        "hint": hint,
        "value": context["fields"].get(field_id),
        "errors": _errors(context).get(field_id, ()),
    }


def _errors(context: Context) -> Mapping[str, Sequence[str]]:
    errors: Mapping[str, Sequence[str]] = context.get("errors") or {}
    return errors
