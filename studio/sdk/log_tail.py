"""The end of a run's log, read over REST piece by piece.

Standard library only; Python 3.8 syntax.
"""

from typing import Any, Dict
from urllib.parse import quote

_BYTES = 48 * 1024
# One that prints so much between two looks has its middle left out.
_MOST_PIECES = 8


class LogTail:
    """Keeps the last 48 kB of what one run has printed."""

    def __init__(self, client: Any, run_id: str, number: int) -> None:
        self.number = number
        self._client = client
        self._address = "runs/%s/logs" % quote(run_id)
        self._offset = -1
        self._text = ""
        self._is_cut = False
        # The first line is only the end of one.
        self._is_within = False

    def read(self) -> Dict[str, Any]:
        """Read what is new; return {"run", "text", "note"}."""
        if self._offset < 0:
            self._go_to_the_end()
        size = 0
        for _ in range(_MOST_PIECES):
            piece = self._client.get(self._address, offset=self._offset, limit=_BYTES)
            size = piece["size"]
            self._text += piece["text"]
            if piece["next_offset"] == self._offset:
                break
            self._offset = piece["next_offset"]
        else:
            self._go_to_the_end()
        if len(self._text) > _BYTES:
            self._text = self._text[-_BYTES:]
            self._is_within = self._is_cut = True
        if self._is_within and self._text:
            self._text = self._text.partition("\n")[2]
            self._is_within = False
        return {"run": self.number, "text": self._text, "note": self._note(size)}

    def _go_to_the_end(self) -> None:
        size = self._client.get(self._address, limit=1)["size"]
        self._offset = max(0, size - _BYTES)
        self._is_within = self._offset > 0
        self._is_cut = self._is_cut or self._is_within
        self._text = ""

    def _note(self, size: int) -> str:
        if not size:
            return "Nothing was printed yet."
        if not self._is_cut:
            return ""
        return "the last %d kB of %d kB" % (max(1, len(self._text) // 1000), size // 1000)
