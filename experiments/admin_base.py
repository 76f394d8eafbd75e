"""What the admin pages share: rows that only the studio writes, links, chips of states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from experiments.states import badge

M = TypeVar("M", bound=Model)
P = TypeVar("P", bound=Model)


class NamedValues(admin.AllValuesFieldListFilter):
    """Filter by the values of a field; the empty one has a name, too."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Yield the choices of Django's own filter."""
        for choice in super().choices(changelist):
            yield choice if choice["display"] else {**choice, "display": "none"}


if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline
else:
    # Django's own are generic in the type stubs alone.
    class ModelAdmin(admin.ModelAdmin, Generic[M]):
        """Django's, with the model as a type parameter."""

    class TabularInline(admin.TabularInline, Generic[M, P]):
        """Django's, with child and parent as type parameters."""


class RowAdmin(ModelAdmin[M]):
    """The admin page of one model, named as its type parameter."""

    show_full_result_count = False


class RowsInline(TabularInline[M, P]):
    """Rows of one model on the page of another."""

    extra = 0


class OwnedByStudioAdmin(RowAdmin[M]):
    """Rows that services write: seen, searched and acted on, never typed in or thrown away.

    Fields named in `editable` are the exception; what may be seen is `show`, in that order.
    """

    show: Sequence[str] = ()
    editable: Sequence[str] = ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return list(self.show)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for name in self.show if name not in self.editable]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def admin_link(target: Model | None, text: str = "") -> str | SafeString:
    """Return a link to the admin page of a row."""
    if target is None:
        return "-"
    meta = target._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[target.pk])
    return format_html('<a href="{}">{}</a>', address, text or str(target))


def page_link(address: str, text: str) -> SafeString:
    """Return a link to a page of the product."""
    return format_html('<a href="{}">{}</a>', address, text)


def list_link(model: type[Model], text: str, **filters: Any) -> SafeString:
    """Return a link to the filtered list of a model."""
    meta = model._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return format_html('<a href="{}?{}">{}</a>', address, query, text)


def state_word(state: str, end_reason: str) -> str:
    """Return the word that the product shows for a state."""
    return badge(state, end_reason).label
