"""Static files: hashed names with compression, and plotly.js out of the installed package."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from django.contrib.staticfiles.finders import BaseFinder, get_finders
from django.contrib.staticfiles.utils import matches_patterns
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

PLOTLY_NAME: Final = "plotly/plotly.min.js"


class StudioStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped base
    """Hashed names, also inside the imports of ES modules; every file is read and written once.

    Django goes over all files until no name changes any more, once for each step of the longest
    chain of imports. Here a file is finished after those that it names.
    """

    support_js_module_import_aggregation = True
    # Without collectstatic (development, tests) plain names are served by the finders.
    manifest_strict = False
    _sources: Mapping[str, tuple[FileSystemStorage, str]] = {}
    _begun: list[str]

    def post_process(
        self, paths: Mapping[str, tuple[FileSystemStorage, str]], dry_run: bool = False, **_: Any
    ) -> Iterator[tuple[str, str, bool]]:
        """Write the files under their hashed names, the manifest, and what compresses well.

        Raises:
            ValueError: a file names one that is not there, or modules import each other in a ring.
        """
        if dry_run:
            return
        self.hashed_files: dict[str, str] = {}
        self._sources, self._begun = paths, []
        for name in paths:
            yield name, self._finished(name), True
        self.save_manifest()
        # What a page asks for is hashed; plain names are there for people.
        for name, compressed in self.compress_files(set(self.hashed_files.values())):
            yield name, compressed, True

    def _stored_name(self, name: str, hashed_files: dict[str, str]) -> str:
        """Return the hashed name of a file that another one names."""
        name = self.clean_name(posixpath.normpath(name))
        if name in self._sources:
            return self._finished(name)
        return str(super()._stored_name(name, hashed_files))

    def _finished(self, name: str) -> str:
        if name in self.hashed_files:
            return self.hashed_files[name]
        if name in self._begun:
            ring = " -> ".join([*self._begun[self._begun.index(name) :], name])
            raise ValueError(f"These modules import each other, so none can be named: {ring}")
        self._begun.append(name)
        storage, path = self._sources[name]
        with storage.open(path) as source:
            content = source.read()
        # Somebody else's bundle imports nothing, and five megabytes are long to search.
        if name != PLOTLY_NAME:
            content = self._adjusted(name, content)
        hashed: str = self.clean_name(self.hashed_name(name, ContentFile(content)))
        if not self.exists(hashed):
            self._save(hashed, ContentFile(content))
        self._begun.pop()
        self.hashed_files[name] = hashed
        return hashed

    def _adjusted(self, name: str, content: bytes) -> bytes:
        for extension, patterns in self._patterns.items():
            if matches_patterns(name, (extension,)):
                text = content.decode()
                for pattern, template in patterns:
                    text = pattern.sub(self.url_converter(name, self.hashed_files, template), text)
                content = text.encode()
        return content


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
