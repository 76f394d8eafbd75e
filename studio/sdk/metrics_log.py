"""The logging methods of a run, all made of single reports and of files.

A table is one series of reports per column, named `<table> → <column>`; a picture or a document is
a file whose name is reported. Standard library only; Python 3.8 syntax.
"""

import io
import json
import math
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from studio.sdk.errors import UserErrorException
from studio.sdk.journal import Value, plain_value

SEPARATOR = " → "

Series = Dict[str, List[Value]]


class MetricsLog:
    """Needs `_report` and `_add_file` of the run it belongs to."""

    def log(
        self, name: str, value: Any, description: str = "", step: Optional[float] = None
    ) -> None:
        """Report one value of a metric; reporting the same name again grows its curve.

        Numbers, single elements of numpy, torch and their like, booleans and text are taken; NaN
        and infinity are kept as they are, None counts as NaN.
        A fault of the studio or of its disk never reaches the script: it is one warning on stderr.

        Raises:
            UserErrorException: `name` is no text, or `value` is a collection.
        """
        self._report(name, plain_value(name, value), step)

    def log_list(self, name: str, value: Iterable[Any], description: str = "") -> None:
        """Report many values of a metric at once; each counts as a report. None of them is fine.

        Raises:
            UserErrorException: `value` is no collection, or one of collections.
        """
        if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
            raise UserErrorException(
                "The value of %r is %r; log_list takes a list, log one value." % (name, value)
            )
        for plain in [plain_value(name, item) for item in value]:
            self._report(name, plain, None)

    def log_row(self, name: str, description: Optional[str] = None, **columns: Any) -> None:
        """Add one row to a table: a report for each column.

        Raises:
            UserErrorException: no column is given, or a cell is a collection.
        """
        if not columns:
            raise UserErrorException("The row of %r has no columns; give name=value." % (name,))
        cells = [(_column(name, key), plain_value(name, item)) for key, item in columns.items()]
        for column, plain in cells:
            self._report(column, plain, None)

    def log_table(self, name: str, value: Mapping[str, Any], description: str = "") -> None:
        """Add rows to a table, given by columns: a mapping of names to values or lists.

        Raises:
            UserErrorException: `value` is no mapping, or has no columns.
        """
        if not isinstance(value, Mapping) or not value:
            raise UserErrorException(
                "The table %r is %r; use a mapping of columns." % (name, value)
            )
        for key, items in value.items():
            cells = items if hasattr(items, "__iter__") and not isinstance(items, str) else [items]
            self.log_list(_column(name, key), cells)

    def log_image(
        self,
        name: str,
        path: Any = None,
        plot: Any = None,
        description: str = "",
    ) -> None:
        """Keep a picture: a file, or a figure of matplotlib (or its `pyplot`).

        Raises:
            UserErrorException: not exactly one of `path` and `plot`, or no such file.
        """
        if (path is None) == (plot is None):
            raise UserErrorException("log_image(%r): give either path or plot." % (name,))
        if path is not None:
            ending = Path(str(path)).suffix or ".png"
            self._keep("images", name, ending, path)
            return
        if not callable(getattr(plot, "savefig", None)):
            raise UserErrorException("log_image(%r): plot is %r, no figure." % (name, plot))
        picture = io.BytesIO()
        plot.savefig(picture, format="png")
        picture.seek(0)
        self._keep("images", name, ".png", picture)

    def log_confusion_matrix(self, name: str, value: Any, description: str = "") -> None:
        """Keep a confusion matrix: a mapping, or its JSON, with schema_type and data."""
        self._keep_document(name, value, "confusion_matrix")

    def log_accuracy_table(self, name: str, value: Any, description: str = "") -> None:
        """Keep an accuracy table: a mapping, or its JSON, with schema_type and data."""
        self._keep_document(name, value, "accuracy_table")

    def log_residuals(self, name: str, value: Any, description: str = "") -> None:
        """Keep a residuals histogram: a mapping, or its JSON, with schema_type and data."""
        self._keep_document(name, value, "residuals")

    def log_predictions(self, name: str, value: Any, description: str = "") -> None:
        """Keep a predictions chart: a mapping, or its JSON, with schema_type and data."""
        self._keep_document(name, value, "predictions")

    def _keep_document(self, name: str, value: Any, kind: str) -> None:
        try:
            document = json.loads(value) if isinstance(value, str) else value
            text = json.dumps(document)
        except (ValueError, TypeError) as error:
            raise UserErrorException("%s %r is no JSON: %s" % (kind, name, error)) from error
        if not isinstance(document, dict) or "data" not in document:
            raise UserErrorException("%s %r has no 'data'; use a mapping with it." % (kind, name))
        self._keep("documents", name, ".json", io.BytesIO(text.encode("utf-8")))

    def _keep(self, folder: str, name: str, ending: str, source: Any) -> None:
        """Keep a file under a name that is still free, and report that name."""
        plain_value(name, 0.0)  # the name of a metric must be text
        stem = "%s/%s" % (
            folder,
            name.replace("/", "_").replace("\\", "_").strip(". ") or "unnamed",
        )
        taken = set(self._file_names())
        number = 1
        target = stem + ending
        while target in taken:
            number += 1
            target = "%s-%d%s" % (stem, number, ending)
        self._add_file(target, source)
        self._report(name, target, None)

    def _report(self, name: str, value: Value, step: Optional[float]) -> None:
        raise NotImplementedError

    def _add_file(self, name: str, source: Any) -> None:
        raise NotImplementedError

    def _file_names(self) -> List[str]:
        raise NotImplementedError


def metrics_of(series: Mapping[str, List[Value]]) -> Dict[str, Any]:
    """Return what `get_metrics` gives: one value alone, many as a list, tables by column."""
    found: Dict[str, Any] = {}
    for name, values in series.items():
        table, separator, column = name.rpartition(SEPARATOR)
        value: Any = values[0] if len(values) == 1 else list(values)
        if separator:
            rows = found.setdefault(table, {})
            if isinstance(rows, dict):
                rows[column] = value
                continue
        found[name] = value
    return found


def number_of(value: Any) -> Value:
    """Return a value of the REST API: the names of numbers that JSON lacks become numbers."""
    if value is None:
        return math.nan
    return float(value) if value in ("NaN", "Infinity", "-Infinity") else value


def collect(reports: Iterable[Tuple[str, Value, Any, float]]) -> Series:
    """Return the values of each name in the order they were reported."""
    series: Series = {}
    for name, value, _, _ in reports:
        series.setdefault(name, []).append(value)
    return series


def _column(name: str, column: Any) -> str:
    if not isinstance(name, str) or not name:
        raise UserErrorException("The name of a table is %r; use text." % (name,))
    return "%s%s%s" % (name, SEPARATOR, column)
