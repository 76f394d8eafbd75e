"""What the admin pages share: rows that only the studio writes, links, chips of states.

Lists take what stands beside their rows with one query for a page (`add_facts`), never one a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, Model, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from experiments.admin_asking import Ask, ask_of
from experiments.templatetags.studio import chip

M = TypeVar("M", bound=Model)
P = TypeVar("P", bound=Model)


class EndReasons(admin.SimpleListFilter):
    """Filter by why something ended; all reasons there are, without asking the rows."""

    title = "end reason"
    parameter_name = "end_reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the reasons that the page of the model names in `reasons`."""
        names = {str(reason) for reasons in model_admin.reasons.values() for reason in reasons}
        return [(name, name.replace("_", " ")) for name in sorted(names - {""})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Take the rows with the chosen reason."""
        return queryset.filter(end_reason=self.value()) if self.value() else queryset


if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline
else:
    # Django's own are generic in the type stubs alone.
    class ModelAdmin(admin.ModelAdmin, Generic[M]):
        """Django's, with the model as a type parameter."""

    class TabularInline(admin.TabularInline, Generic[M, P]):
        """Django's, with child and parent as type parameters."""


class FactsChangeList(ChangeList):
    """Django's list, with what is asked once for all rows of a page."""

    def get_results(self, request: HttpRequest) -> None:
        """Take the rows of the page, and what their columns show beside them."""
        super().get_results(request)
        # Taken now, so that the same rows are shown.
        page: Any = self.model_admin
        page.add_facts(list(self.result_list))


class RowAdmin(ModelAdmin[M]):
    """The admin page of one model, named as its type parameter."""

    show_full_result_count = False
    list_per_page = 50
    change_form_template = "admin/studio_change_form.html"

    def add_facts(self, rows: list[M]) -> None:
        """Put what the columns show beside the rows of one page: a query for all of them."""

    def fits(self, action: str, row: M) -> bool:
        """Tell whether an action makes sense for this row, to offer it on its page."""
        return True

    def title_of(self, row: M) -> str:
        """Return what a row is called on its page, where no column says what it belongs to."""
        return str(row)

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return FactsChangeList

    def get_fields(self, request: HttpRequest, obj: M | None = None) -> Any:
        """Leave out of the form of a new row what nobody types in: it has no value yet."""
        names = super().get_fields(request, obj)
        left_out = self.get_readonly_fields(request, obj) if obj is None else ()
        return [name for name in names if name not in left_out]

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> M | None:
        row: M | None = super().get_object(request, object_id, from_field)
        if row is not None:
            self.add_facts([row])
        return row

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        title = str(self.opts.verbose_name_plural)
        context = {"title": title[:1].upper() + title[1:], **(extra_context or {})}
        return super().changelist_view(request, context)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> HttpResponse:
        row = context.get("original")
        if row is not None:
            noun = str(self.opts.verbose_name)
            kind = noun[:1].upper() + noun[1:]
            title = self.title_of(row)
            # The only row of its kind is called as its kind.
            context.update(title=title, subtitle="" if kind == title else kind)
            context["row_actions"] = self._row_actions(request, row)
        return super().render_change_form(request, context, *args, **options)

    def _row_actions(self, request: HttpRequest, row: M) -> list[tuple[str, Ask]]:
        actions: Any = self.get_actions(request)
        asks = ((name, ask_of(call)) for name, (call, _, _) in actions.items())
        return [(name, ask) for name, ask in asks if ask is not None and self.fits(name, row)]


class NamedCells:
    """Forms in the rows of a table: a field has no label there, so it says its column and row."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)  # type: ignore[misc] # of a formset
        row = f": {form.instance}" if form.instance.pk else ""
        for name, field in form.fields.items():
            # Django wraps what leads to other rows.
            widget = getattr(field.widget, "widget", field.widget)
            widget.attrs.setdefault("aria-label", f"{field.label or name}{row}")


class NamedRows(NamedCells, BaseInlineFormSet):  # type: ignore[type-arg] # of any two models
    """The rows of an inline."""


class RowsInline(TabularInline[M, P]):
    """Rows of one model on the page of another."""

    extra = 0
    formset: Any = NamedRows
    template = "admin/edit_inline/rows.html"


class OwnedByStudioAdmin(RowAdmin[M]):
    """Rows that services write: seen, searched and acted on, never typed in or thrown away.

    Fields named in `editable` are the exception; what may be seen is `show`, in that order.
    """

    show: Sequence[str] = ()
    editable: Sequence[str] = ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return list(self.show)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> HttpResponse:
        can_save = bool(self.editable)
        context.update(show_save=can_save, show_save_and_continue=can_save)
        return super().render_change_form(request, context, *args, **options)

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


def state_chip(state: str, end_reason: str) -> SafeString:
    """Return a state as the product shows it: icon, word and colour."""
    return chip(state, end_reason)


def count_of(row: Model, name: str) -> int:
    """Return a number that `add_facts` put beside a row."""
    return int(getattr(row, name, 0))


def add_counts(rows: Sequence[Model], name: str, others: type[Model], field: str) -> None:
    """Put beside each row how many rows of another model refer to it by `field`: one query."""
    found = others._default_manager.filter(**{f"{field}__in": [row.pk for row in rows]})
    counts = dict(found.order_by().values_list(field).annotate(n=Count("pk")))
    for row in rows:
        setattr(row, name, counts.get(row.pk, 0))
