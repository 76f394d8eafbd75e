"""The widget of a sweep in a notebook, and the thread that keeps it up to date.

Needs the package anywidget: import it where that may be missing. Everything goes through the
kernel, the browser never asks the studio. Python 3.8 syntax.
"""

import threading
from typing import Any, Dict, Tuple

from studio.sdk.client import StudioClient
from studio.sdk.following import ENDED, LIVE, Following, stop_when_interrupted
from studio.sdk.notebook_view import RunDetailsView
from studio.sdk.sweep_documents import SweepDocuments
from studio.sdk.widget_source import load

_TEXTS = {LIVE: "Live", ENDED: "This sweep has ended."}


class SweepWidget:
    """One widget with the thread that keeps it up to date."""

    def __init__(self, client: StudioClient, sweep_id: str) -> None:
        """Read the sweep and make the widget; raises StudioError when that cannot be."""
        self._client = StudioClient(client.connection, timeout=20.0, patience=0.0)
        self._documents = SweepDocuments(self._client, sweep_id)
        self._lock = threading.Lock()
        self._views: "set[str]" = set()
        found = self._documents.update({})
        self._following = Following(self._step, self._tell)
        script, style, icons = load()
        self.widget = RunDetailsView(
            script,
            self.stop,
            styles=style,
            icons=icons,
            connection={"state": LIVE, "text": _TEXTS[LIVE]},
            **found,
        )
        self.widget.on_msg(self._receive)
        self.widget.observe(lambda change: self._wish(), "wanted")

    def start(self, shell: Any = None) -> None:
        """Follow the sweep until it ends, the widget is closed or the kernel is interrupted."""
        if self._documents.has_ended:
            self._tell(ENDED, "")
            return
        if shell is not None:
            stop_when_interrupted(shell)
        self._following.start()

    def stop(self) -> None:
        """Follow no longer."""
        self._following.stop()

    def bundle(self) -> Tuple[Dict[str, Any], Dict[str, Any]]:
        """Return the MIME bundle that shows the widget, and its metadata."""
        data, metadata = self.widget._repr_mimebundle_() or ({}, {})
        return dict(data or {}), metadata

    def _step(self) -> Tuple[bool, bool]:
        with self._lock:
            found = self._documents.update(dict(self.widget.wanted))
            with self.widget.hold_sync():
                for name, document in found.items():
                    setattr(self.widget, name, document)
        return bool(found), self._documents.has_ended

    def _tell(self, state: str, text: str) -> None:
        self.widget.connection = {"state": state, "text": text or _TEXTS.get(state, "")}

    def _wish(self) -> None:
        if self._following.is_running:
            self._following.wake()
        else:
            # One step more, for what is asked; an ended sweep ends it again.
            self._following.start()

    def _receive(self, widget: Any, content: Any, buffers: Any) -> None:
        """Take a message of a view: it is shown, hidden, or wants the sweep to be followed."""
        kind = content.get("kind")
        if kind == "hidden":
            self._views.discard(content.get("view"))
            if not self._views:
                self._following.stop()
        elif kind in ("shown", "follow"):
            self._views.add(content.get("view", ""))
            if self.widget.connection["state"] != ENDED:
                self._following.start()
