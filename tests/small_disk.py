"""A disk that is full, or takes no writes, for what the program writes into a folder.

The system's own calls refuse, as they do on such a disk: opening, writing and growing a file in Python, and what SQLite
writes. What was removed makes room again.
"""

import builtins
import ctypes
import errno
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlcipher3._sqlite3

from tests.power import _OPEN, _TRUNCATE, _WRITE, _alive, _callback, _Methods, _Vfs

_CAPABILITIES_3 = 0x20080522
_PAST_ANY_MODE = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
FULL, BROKEN = 13, 10 | 3 << 8  # SQLITE_FULL and SQLITE_IOERR_WRITE


class SmallDisk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.room: float = float("inf")  # bytes that it takes
        self.full_at: int | str | None = None  # the growth, or the kind of file, at which somebody has taken the rest
        self.grown: list[str] = []  # which kind of file, each time that one wants to grow
        self.is_read_only = False
        self.used = self.most = 0  # since it was last fresh
        self.refused = 0

    def fresh(self) -> None:
        self.room, self.is_read_only, self.used, self.most, self.refused = float("inf"), False, 0, 0, 0
        self.full_at, self.grown = None, []

    def holds(self, path: Any, dir_fd: int | None = None) -> bool:
        beside = Path(f"/proc/self/fd/{dir_fd}").readlink() if dir_fd is not None else Path()
        try:
            where = Path(f"/proc/self/fd/{path}").readlink() if isinstance(path, int) else beside / os.fsdecode(path)
        except (OSError, TypeError):
            return False
        return os.path.abspath(where).startswith(f"{self.folder}/") and where.suffix != ".db-shm"  # noqa: PTH100

    def grow(self, size: int, path: Any = None) -> int:
        """Take the room, or answer with the error's number."""
        if self.is_read_only:
            self.refused += 1
            return errno.EROFS
        if size > 0:
            kind = re.sub(r"[0-9a-f]{8,}|[0-9]+", "#", Path(str(path)).name)
            if self.room == float("inf") and self.full_at in (len(self.grown), kind):
                self.room = self.used + size - 1
            self.grown.append(kind)
        if size > 0 and self.used + size > self.room:
            self.refused += 1
            return errno.ENOSPC
        self.used += max(0, size)
        self.most = max(self.most, self.used)
        return 0

    def insist(self, size: int, path: Any = None) -> None:
        if number := self.grow(size, path):
            raise OSError(number, os.strerror(number), path)


class _Raw(io.FileIO):
    """A file that asks the disk before it grows."""

    disk: SmallDisk

    def write(self, content: Any) -> int:
        self.disk.insist(self.tell() + memoryview(content).nbytes - os.fstat(self.fileno()).st_size, self.name)
        return super().write(content)


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    disk = SmallDisk(folder)
    with _python_asks(disk), _sqlite_asks(disk):
        yield disk


@contextmanager
def _python_asks(disk: SmallDisk) -> Iterator[None]:
    real = {(os, name): getattr(os, name) for name in ("unlink", "remove", "mkdir", "rename", "sendfile")}
    real |= {(os, "posix_fallocate"): os.posix_fallocate, (io, "open"): io.open, (builtins, "open"): open}
    system = _System(disk, {name: function for (_module, name), function in real.items()})
    for module, name in real:
        setattr(module, name, getattr(system, name))
    try:
        yield
    finally:
        for (module, name), function in real.items():
            setattr(module, name, function)


class _System:
    """The calls that Python makes."""

    def __init__(self, disk: SmallDisk, real: dict[str, Any]) -> None:
        self.disk, self.real = disk, real

    def open(self, path: Any, mode: str = "r", buffering: int = -1, *rest: Any, **how: Any) -> Any:
        if not set(mode) & set("wxa+") or not self.disk.holds(path):
            return self.real["open"](path, mode, buffering, *rest, **how)
        self.disk.insist(0, path)
        raw = _Raw(path, mode.replace("b", "").replace("t", ""))
        raw.disk = self.disk
        file = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return file if "b" in mode else io.TextIOWrapper(file, *rest, **how)

    def unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        if self.disk.holds(path, dir_fd):
            size = os.stat(path, dir_fd=dir_fd).st_size
            self.disk.insist(0, path)
            self.disk.used -= size
        self.real["unlink"](path, dir_fd=dir_fd)

    remove = unlink

    def mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        if self.disk.holds(path, dir_fd):
            self.disk.insist(0, path)
        self.real["mkdir"](path, mode, dir_fd=dir_fd)

    def rename(self, old: Any, new: Any, **how: Any) -> None:
        if self.disk.holds(new):
            self.disk.insist(0, new)
        self.real["rename"](old, new, **how)

    def sendfile(self, out: int, into: int, offset: int, count: int) -> int:
        if self.disk.holds(out):
            left = os.fstat(into).st_size - offset
            self.disk.insist(min(count, left), out)
        return int(self.real["sendfile"](out, into, offset, count))

    def posix_fallocate(self, file: int, offset: int, size: int) -> None:
        if self.disk.holds(file):
            self.disk.insist(size)
        self.real["posix_fallocate"](file, offset, size)


@contextmanager
def _sqlite_asks(disk: SmallDisk) -> Iterator[None]:
    library = ctypes.CDLL(sqlcipher3._sqlite3.__file__)
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    real = library.sqlite3_vfs_find(None)
    ours = _Vfs.from_buffer_copy(real.contents)
    ours.name = b"small-%d" % len(_alive)
    ours.open = _opening(disk, real.contents)
    _alive.append(ours)
    library.sqlite3_vfs_register(ctypes.byref(ours), 1)
    try:
        yield
    finally:
        library.sqlite3_vfs_unregister(ctypes.byref(ours))
        library.sqlite3_vfs_register(real, 1)


def _opening(disk: SmallDisk, real: _Vfs) -> int:
    passed_on = _OPEN(real.open)
    methods: dict[int, _Methods] = {}
    paths: dict[int, str] = {}

    def opened(vfs: Any, name: Any, file: Any, flags: int, out: Any) -> int:
        result = passed_on(vfs, name, file, flags, out)
        path = os.fsdecode(ctypes.string_at(name)) if name else ""
        if result == 0 and path and disk.holds(path):
            below = file.contents.methods.contents
            place = ctypes.addressof(below)
            if place not in methods:
                methods[place] = _asking(disk, below, paths)
                _alive.append(methods[place])
            paths[ctypes.addressof(file.contents)] = path
            file.contents.methods = ctypes.pointer(methods[place])
        return result

    return _callback(_OPEN, opened)


def _asking(disk: SmallDisk, below: _Methods, paths: dict[int, str]) -> _Methods:
    write_on, truncate_on = _WRITE(below.write), _TRUNCATE(below.truncate)

    def write(file: Any, content: int, size: int, offset: int) -> int:
        path = paths[ctypes.addressof(file.contents)]
        refusal = disk.grow(offset + size - os.stat(path).st_size, path)  # noqa: PTH116 - quick, and opens nothing
        if refusal:
            return FULL if refusal == errno.ENOSPC else BROKEN
        return write_on(file, content, size, offset)

    def truncate(file: Any, size: int) -> int:
        before = os.stat(paths[ctypes.addressof(file.contents)]).st_size  # noqa: PTH116 - quick, and opens nothing
        result = truncate_on(file, size)
        disk.used -= max(0, before - size)
        return result

    ours = _Methods.from_buffer_copy(below)
    ours.write, ours.truncate = _callback(_WRITE, write), _callback(_TRUNCATE, truncate)
    return ours


@contextmanager
def without_the_rights_of_root() -> Iterator[None]:
    """Whoever runs the tests: nobody reads or writes here what its mode forbids."""
    library = ctypes.CDLL(None, use_errno=True)
    who, had = (ctypes.c_uint32 * 2)(_CAPABILITIES_3, 0), (ctypes.c_uint32 * 6)()
    assert library.capget(who, had) == 0, os.strerror(ctypes.get_errno())
    less = (ctypes.c_uint32 * 6)(*had)
    less[0] &= ~_PAST_ANY_MODE  # those in effect; what is permitted comes back
    assert library.capset(who, less) == 0, os.strerror(ctypes.get_errno())
    try:
        yield
    finally:
        assert library.capset(who, had) == 0, os.strerror(ctypes.get_errno())
