"""Files that a script adds to its run: copied into the run's own folder, so nothing is sent.

    outputs/... logs/...   names that start so are kept in these trees
    uploads/...            every other name, without this folder in it
    failed.json            the script's own word that it has failed

Standard library only; Python 3.8 syntax.
"""

import json
import os
import shutil
from pathlib import Path, PurePosixPath
from typing import IO, Any, Dict, Iterator, List, Tuple, Union

from studio.sdk.errors import UserErrorException

UPLOADS = "uploads"
FAILURE = "failed.json"
_KEPT = ("outputs", "logs")
_MAX_NAME = 1000

Source = Union[str, "os.PathLike[str]", IO[bytes]]


class FileStore:
    """The files of one run, in its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, name: str, source: Source) -> None:
        """Keep a copy of a file or of what a stream gives under `name`.

        Raises:
            UserErrorException: the name leads out of the run or is taken; there is no such file.
        """
        target = self._place(name)
        if target.exists():
            raise UserErrorException("The run has a file '%s' already; use another name." % name)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        try:
            with part.open("wb") as file:
                _copy(source, file)
            part.replace(target)
        finally:
            if part.exists():
                part.unlink()

    def names(self) -> List[str]:
        """Return the names of all files of the run so far, sorted."""
        found = set()
        for folder, prefix in self._trees():
            for path in folder.rglob("*"):
                if path.is_file():
                    found.add(prefix + path.relative_to(folder).as_posix())
        return sorted(found)

    def path_of(self, name: str) -> Path:
        """Return where a file of the run is.

        Raises:
            UserErrorException: there is none of this name.
        """
        for folder, prefix in self._trees():
            path = folder / name[len(prefix) :]
            if name.startswith(prefix) and path.is_file():
                return path
        raise UserErrorException("The run has no file '%s'." % name)

    def fail(self, message: str) -> None:
        """Note that the script says it has failed; the studio reads it at the end."""
        text = json.dumps({"message": message})
        (self._folder / FAILURE).write_text(text, encoding="utf-8")

    def _trees(self) -> Iterator[Tuple[Path, str]]:
        yield self._folder / UPLOADS, ""
        for kept in _KEPT:
            for folder in (self._folder / kept, self._folder / "code" / kept):
                yield folder, kept + "/"

    def _place(self, name: str) -> Path:
        pure = PurePosixPath(name) if isinstance(name, str) and name else PurePosixPath("/")
        is_odd = pure.is_absolute() or ".." in pure.parts or "\\" in str(name)
        if is_odd or not pure.parts or len(str(name)) > _MAX_NAME or min(str(name)) < " ":
            text = "The name of a file is %r; use a relative path such as plots/loss.png."
            raise UserErrorException(text % (name,))
        if pure.parts[0] in _KEPT and len(pure.parts) > 1:
            return self._folder.joinpath(*pure.parts)
        return self._folder.joinpath(UPLOADS, *pure.parts)


def read_failure(path: Path) -> str:
    """Return what a script said with `Run.fail`; "" when it said nothing."""
    try:
        document: Dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return str(document["message"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def folder_files(path: Source) -> Dict[str, Path]:
    """Return the files below a folder by their names from there on.

    Raises:
        UserErrorException: it is no folder.
    """
    root = Path(str(path))
    if not root.is_dir():
        raise UserErrorException("'%s' is no folder." % root)
    return {
        found.relative_to(root).as_posix(): found
        for found in sorted(root.rglob("*"))
        if found.is_file()
    }


def _copy(source: Source, target: IO[bytes]) -> None:
    if hasattr(source, "read"):
        data = source.read()
        target.write(data.encode("utf-8") if isinstance(data, str) else data)
        return
    try:
        with Path(source).open("rb") as file:
            shutil.copyfileobj(file, target)
    except OSError as error:
        raise UserErrorException("'%s' cannot be read: %s" % (source, error)) from error
