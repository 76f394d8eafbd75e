"""Static files: hashed names with compression, and plotly.js out of the installed package."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from django.contrib.staticfiles.finders import BaseFinder, get_finders
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

PLOTLY_NAME: Final = "plotly/plotly.min.js"


class StudioStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped base
    """Hashed names, also inside the imports of ES modules."""

    support_js_module_import_aggregation = True
    # One pass resolves one step of a chain of imports, and modules import modules.
    max_post_process_passes = 30
    # Without collectstatic (development, tests) plain names are served by the finders.
    manifest_strict = False


class PlotlyFinder(BaseFinder):
    """Find plotly.js in the Python package, so that it is never vendored."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        spec = find_spec("plotly")
        locations = (spec.submodule_search_locations if spec else None) or []
        self.root = Path(next(iter(locations), "")) / "package_data"

    def check(self, **kwargs: Any) -> list[Any]:
        """Nothing can be configured wrongly."""
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """Return the file when `path` is plotly's."""
        found = str(self.root / "plotly.min.js") if path == PLOTLY_NAME else None
        if find_all:
            return [found] if found else []
        return found

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        """Yield plotly.js for collectstatic."""
        storage = FileSystemStorage(location=str(self.root))
        storage.prefix = "plotly"  # type: ignore[attr-defined]  # read by collectstatic
        yield "plotly.min.js", storage


def static_fingerprint() -> str:
    """Return a hash over names, sizes and times of all static sources: has anything changed?"""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            stat = Path(storage.path(path)).stat()
            digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
