"""Zips that somebody who means harm would upload; each is small here and would be large there."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Iterable

_END = struct.Struct("<4s4H2LH")


def zip_of(
    names: Iterable[str], content: bytes = b"x", *, mode: int = 0, how: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """Return a zip with a file of each name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = how
            archive.writestr(info, content)
    return buffer.getvalue()


def with_name(written: str, name: bytes) -> bytes:
    """Return a zip whose file has a name that the library would not write."""
    placeholder = written.encode()
    assert len(placeholder) == len(name)
    return zip_of([written]).replace(placeholder, name)


def with_long_list(size: int) -> bytes:
    """Return a zip whose list of files is so many bytes long."""
    return bytes(size) + _END.pack(b"PK\5\6", 0, 0, 1, 1, size, 0, 0)


def with_declared_size(size: int, content: bytes) -> bytes:
    """Return a zip whose file says of itself that it has another size."""
    raw = bytearray(zip_of(["a"], content))
    for mark, at in ((b"PK\1\2", 24), (b"PK\3\4", 22)):
        place = raw.find(mark) + at
        raw[place : place + 4] = struct.pack("<L", size)
    return bytes(raw)


def with_flag(flag: int) -> bytes:
    """Return a zip whose file has a flag set, such as 1 for encrypted."""
    raw = bytearray(zip_of(["a"]))
    for mark, at in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        raw[raw.find(mark) + at] |= flag
    return bytes(raw)


def with_shared_content(copies: int, content: bytes) -> bytes:
    """Return a zip in which many names of the list lead to the content of one file."""
    raw = zip_of(["a"], content)
    start = raw.find(b"PK\1\2")
    end = raw.find(b"PK\5\6")
    entry = raw[start:end]
    size = len(entry) * copies
    return raw[:start] + entry * copies + _END.pack(b"PK\5\6", 0, 0, copies, copies, size, start, 0)


# What a zip holds -> what is said about it.
REFUSED: dict[str, tuple[bytes, str]] = {
    "parent": (zip_of(["../up.py"]), "leads out"),
    "parent inside": (zip_of(["a/../../up.py"]), "leads out"),
    "parent in a folder": (zip_of(["a/../b/"]), "leads out"),
    "absolute": (zip_of(["/etc/cron.d/evil"]), "leads out"),
    "absolute twice": (zip_of(["//host/share/evil"]), "leads out"),
    "drive": (zip_of(["C:/evil.py"]), "leads out"),
    "drive without a slash": (zip_of(["c:evil.py"]), "leads out"),
    "backslashes": (with_name("..x..xup.py", b"..\\..\\up.py"), "leads out"),
    "null character": (with_name("a.pyxx.txt", b"a.py\0x.txt"), "leads out"),
    "long name": (zip_of(["a/" * 30_000 + "b"]), "leads out"),
    "long part": (zip_of(["a" * 300]), "leads out"),
    "link": (zip_of(["link"], b"/etc/passwd", mode=stat.S_IFLNK | 0o777), "link or a device"),
    "link to a folder": (zip_of(["link/"], b"/etc", mode=stat.S_IFLNK), "link or a device"),
    "device": (zip_of(["null"], mode=stat.S_IFCHR | 0o666), "link or a device"),
    "pipe": (zip_of(["pipe"], mode=stat.S_IFIFO | 0o666), "link or a device"),
    "socket": (zip_of(["socket"], mode=stat.S_IFSOCK | 0o666), "link or a device"),
    "twice": (zip_of(["a", "./a"]), "twice"),
    "file and folder": (zip_of(["a", "a/b"]), "both a file and a folder"),
    "encrypted": (with_flag(1), "encrypted"),
    "memory by declaration": (zip_of(["a"], how=zipfile.ZIP_LZMA), "unusual way"),
    "many files": (zip_of(map(str, range(2001))), "2001 files"),
    "many folders": (zip_of(["a", *(f"{n}/" for n in range(20_001))]), "20001 folders"),
    "endless list": (with_long_list(4 * 1024 * 1024 + 1), "list of its files"),
    "shared content": (with_shared_content(50, bytes(10_000)), "zip"),
    "says it is small": (with_declared_size(10, bytes(100_000)), "cannot|not a zip"),
    "says it is huge": (with_declared_size(0xFFFFFFFE, b"x"), "not the size"),
    "empty": (zip_of([]), "no files"),
    "no zip": (b"MZ" + bytes(100), "not a zip"),
    "cut off": (zip_of(["a"], bytes(5000))[:60], "not a zip"),
}
