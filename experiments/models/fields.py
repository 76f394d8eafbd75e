"""Column types of our own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:
    _TextField = models.TextField  # not generic at run time


class OrderedJSONField(_TextField):
    """JSON that keeps the order of its keys; PostgreSQL's own type sorts them.

    The declared order of a search space decides the order of arguments and of the samples.
    """

    if TYPE_CHECKING:  # what the type checker takes from and gives to attributes
        _pyi_private_set_type: Any
        _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, *_: Any) -> Any:
        """Return the value of a stored text."""
        return None if value is None else json.loads(value)

    def to_python(self, value: Any) -> Any:
        """Return the value of what a form or a fixture gives."""
        return json.loads(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> str | None:
        """Return the text to store."""
        return None if value is None else json.dumps(value, ensure_ascii=False)

    def value_to_string(self, obj: models.Model) -> str:
        """Return the text for a fixture."""
        return json.dumps(self.value_from_object(obj), ensure_ascii=False)
