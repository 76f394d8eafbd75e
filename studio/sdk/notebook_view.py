"""The model that browser and kernel share of a sweep's widget: which documents, and nothing else.

The only module that imports anywidget: import it where that may be missing. Python 3.8 syntax.
"""

from typing import Any, Callable

import anywidget
import traitlets


def _document() -> Any:
    return traitlets.Dict(allow_none=True).tag(sync=True)


class RunDetailsView(anywidget.AnyWidget):
    """What the browser draws; `wanted` and `ui` come from there, everything else goes there."""

    styles = traitlets.Unicode().tag(sync=True)
    icons = traitlets.Unicode().tag(sync=True)
    sweep = _document()
    runs = _document()
    figure = _document()
    curves = _document()
    parallel = _document()
    log = _document()
    connection = _document()
    wanted = _document()
    ui = _document()

    def __init__(self, script: str, on_close: Callable[[], None], **documents: Any) -> None:
        self._on_close = on_close
        super().__init__(_esm=script, **documents)

    def close(self) -> None:
        """Close the widget everywhere, and stop to follow the sweep."""
        self._on_close()
        super().close()
