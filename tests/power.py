"""A disk that tells what a power cut would have left on it.

`recording(folder)` writes down, in order, what the program does to the files in a folder: SQLite's own writes, through
its interface to the operating system, and what Python does to names and to whole files. `Disk` plays that back up to
any moment and then loses the power: what was waited for with fsync is there; of the rest every write is there, or not,
or in pieces of a sector, and every name that was given, taken or changed is there or not. That is less than a real disk
with a journal keeps, so nothing that survives here depends on a certain one.
"""

import ctypes
import io
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import sqlcipher3._sqlite3

SECTOR = 512
READ_WRITE = 0x2
WITH_ITS_NAME = 0x800 | 0x4000 | 0x80000  # kinds of files whose first fsync SQLite follows with one of their folder


class Write(NamedTuple):
    file: int
    offset: int
    content: bytes


class Truncate(NamedTuple):
    file: int
    size: int


class Sync(NamedTuple):
    file: int
    by_python: bool = False  # else by SQLite


class Names(NamedTuple):
    """What happens to names at once: {(folder, name): what bears it then, None when nothing does}."""

    changes: dict[tuple[int, str], int | None]


class SyncFolder(NamedTuple):
    folder: int


class Mark(NamedTuple):
    """What the program was told by then."""

    told: Any


Event = Write | Truncate | Sync | Names | SyncFolder | Mark


@dataclass
class Tape:
    """What happened below `folder`, from the moment on when it looked like `found`."""

    folder: Path
    found: dict[str, bytes | None] = field(default_factory=dict)  # None: a folder
    events: list[Event] = field(default_factory=list)
    nodes: dict[str, int] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)
    folders: set[int] = field(default_factory=set)
    sqlites: set[int] = field(default_factory=set)  # written by SQLite: nobody else may open them meanwhile
    known: dict[int, bytes] = field(default_factory=dict)
    problems: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder = self.folder.resolve()
        self.node("")
        for path in sorted(self.folder.rglob("*")):
            if not path.name.endswith("-shm"):  # shared memory, and made anew by whoever comes first
                name = self.inside(path)
                self.found[name] = path.read_bytes() if path.is_file() else None
                self.known[self.node(name)] = self.found[name] or b""

    def mark(self, told: Any) -> None:
        self.events.append(Mark(told))

    def inside(self, path: str | Path) -> str:
        """The name below the folder; "?" for one that is none of ours."""
        whole = os.path.abspath(path)  # noqa: PTH100 - a link is not followed
        if whole == str(self.folder):
            return ""
        ours = whole.startswith(f"{self.folder}/") and not whole.endswith("-shm")
        return whole[len(str(self.folder)) + 1 :] if ours else "?"

    def node(self, name: str) -> int:
        if name not in self.nodes:
            self.nodes[name] = next(self.numbers)
            if (self.folder / name).is_dir():
                self.folders.add(self.nodes[name])
        return self.nodes[name]

    def key(self, name: str) -> tuple[int, str]:
        folder, _, last = name.rpartition("/")
        return self.nodes[folder], last

    def appear(self, name: str) -> int:
        """The file of that name; when it is new, its name is not yet safe."""
        if name not in self.nodes:
            self.node(name)
            self.events.append(Names({self.key(name): self.nodes[name]}))
        return self.nodes[name]

    def take(self, name: str) -> int:
        """What Python wrote into a file since somebody looked, as one write."""
        node = self.appear(name)
        path = self.folder / name
        if node not in self.sqlites and path.is_file():
            content = path.read_bytes()
            if content != self.known.get(node, b""):
                self.events += [Truncate(node, 0), Write(node, 0, content)]
                self.known[node] = content
        return node

    def rename(self, old: str, new: str) -> None:
        node = self.take(old)
        self.events.append(Names({self.key(old): None, self.key(new): node}))
        for name in [each for each in self.nodes if each == old or each.startswith(f"{old}/")]:
            self.nodes[new + name[len(old) :]] = self.nodes.pop(name)

    def remove(self, name: str) -> None:
        if name in self.nodes:
            self.events.append(Names({self.key(name): None}))
            del self.nodes[name]

    def synced(self, name: str) -> None:
        if (self.folder / name).is_dir():
            self.events.append(SyncFolder(self.nodes[name]))
        else:
            self.events.append(Sync(self.take(name), by_python=True))

    def on_a_disk_that_lies(self) -> "Tape":
        """The same day, but Python's fsync of a file did nothing."""
        tape = copy(self)
        tape.events = [each for each in self.events if not (isinstance(each, Sync) and each.by_python)]
        return tape

    def take_the_rest(self) -> None:
        for path in sorted(self.folder.rglob("*")):
            if (name := self.inside(path)) != "?":
                self.take(name)


@contextmanager
def recording(folder: Path) -> Iterator[Tape]:
    """No database in the folder is open when it begins, nor when it ends."""
    tape = Tape(folder)
    with _python_watched(tape), _sqlite_watched(tape):
        yield tape
    tape.take_the_rest()
    assert not tape.problems, tape.problems


@contextmanager
def _python_watched(tape: Tape) -> Iterator[None]:
    watch = _Watch(tape)
    for module, name in watch.real:
        setattr(module, name, getattr(watch, name))
    try:
        yield
    finally:
        for (module, name), function in watch.real.items():
            setattr(module, name, function)


class _Watch:
    """Python's ways to change names and to wait for the disk: each does what it did, and is noted."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        names = ("fsync", "rename", "replace", "unlink", "remove", "mkdir", "rmdir")
        self.real: dict[Any, Any] = {(os, name): getattr(os, name) for name in names} | {(io, "open"): io.open}

    def _inside(self, path: Any, dir_fd: int | None = None) -> str:
        beside = Path(f"/proc/self/fd/{dir_fd}").readlink() if dir_fd is not None else Path()
        return self.tape.inside(beside / os.fsdecode(path))

    def open(self, path: Any, mode: str = "r", *rest: Any, **how: Any) -> Any:
        file = self.real[io, "open"](path, mode, *rest, **how)
        name = self._inside(path) if isinstance(path, str | os.PathLike) and set(mode) & set("wxa") else "?"
        if name != "?":
            self.tape.appear(name)
        return file

    def fsync(self, fd: int) -> None:
        self.real[os, "fsync"](fd)
        name = self._inside("", fd)
        if name != "?":
            self.tape.synced(name)

    def rename(self, old: Any, new: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
        names = self._inside(old, src_dir_fd), self._inside(new, dst_dir_fd)
        if "?" not in names:
            self.tape.take(names[0])
        self.real[os, "rename"](old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        if "?" not in names:
            self.tape.rename(*names)

    replace = rename

    def unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._remove("unlink", path, dir_fd)

    remove = unlink

    def rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._remove("rmdir", path, dir_fd)

    def _remove(self, how: str, path: Any, dir_fd: int | None) -> None:
        name = self._inside(path, dir_fd)
        self.real[os, how](path, dir_fd=dir_fd)
        self.tape.remove(name)

    def mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        self.real[os, "mkdir"](path, mode, dir_fd=dir_fd)
        name = self._inside(path, dir_fd)
        if name != "?":
            self.tape.appear(name)


class _Methods(ctypes.Structure):
    """What SQLite does with an open file (`sqlite3_io_methods`)."""

    _fields_ = [("version", ctypes.c_int)] + [
        (name, ctypes.c_void_p)
        for name in (
            *("close", "read", "write", "truncate", "sync", "size", "lock", "unlock", "reserved", "control"),
            *("sector", "character", "shm_map", "shm_lock", "shm_barrier", "shm_unmap", "fetch", "unfetch"),
        )
    ]


class _File(ctypes.Structure):
    _fields_ = [("methods", ctypes.POINTER(_Methods))]


class _Vfs(ctypes.Structure):
    """What SQLite does with names (`sqlite3_vfs`)."""

    _fields_ = [
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("longest", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        *((name, ctypes.c_void_p) for name in ("own", "open", "delete", "access", "full", "dl1", "dl2", "dl3", "dl4")),
        *(
            (name, ctypes.c_void_p)
            for name in ("random", "sleep", "time", "error", "time64", "set", "get", "following")
        ),
    ]


_int, _long, _pointer = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p
_FILE = ctypes.POINTER(_File)
_WRITE = ctypes.CFUNCTYPE(_int, _FILE, _pointer, _int, _long)
_TRUNCATE = ctypes.CFUNCTYPE(_int, _FILE, _long)
_SYNC = ctypes.CFUNCTYPE(_int, _FILE, _int)
_OPEN = ctypes.CFUNCTYPE(_int, _pointer, _pointer, _FILE, _int, _pointer)
_DELETE = ctypes.CFUNCTYPE(_int, _pointer, ctypes.c_char_p, _int)
_alive: list[Any] = []  # SQLite may keep a pointer to any of these as long as the process lives


@contextmanager
def _sqlite_watched(tape: Tape) -> Iterator[None]:
    """The application's own SQLite, with its own way to the system in between: every call is passed on and noted."""
    library = ctypes.CDLL(sqlcipher3._sqlite3.__file__)
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    real = library.sqlite3_vfs_find(None)
    ours = _Vfs.from_buffer_copy(real.contents)
    ours.name = b"recording-%d" % len(_alive)
    ours.open, ours.delete = _opening(tape, real.contents), _deleting(tape, real.contents)
    _alive.append(ours)
    library.sqlite3_vfs_register(ctypes.byref(ours), 1)
    try:
        yield
    finally:
        library.sqlite3_vfs_unregister(ctypes.byref(ours))
        library.sqlite3_vfs_register(real, 1)


def _callback(kind: Any, function: Callable[..., int]) -> int:
    made = kind(function)
    _alive.append(made)
    return ctypes.cast(made, _pointer).value or 0


def _noted(tape: Tape, note: Callable[[], None]) -> None:
    try:
        note()
    except BaseException as problem:  # noqa: BLE001 - C has no exceptions: told when the recording ends
        tape.problems.append(problem)


def _opening(tape: Tape, real: _Vfs) -> int:
    passed_on = _OPEN(real.open)
    methods: dict[tuple[int, int], Any] = {}
    names: dict[int, int] = {}  # {address of the open file: its node}
    young: dict[int, int] = {}  # {node: its folder}, while their name waits for the first fsync

    def opened(vfs: Any, name: Any, file: Any, flags: int, out: Any) -> int:
        result = passed_on(vfs, name, file, flags, out)
        path = tape.inside(os.fsdecode(ctypes.string_at(name))) if name else "?"
        if result == 0 and flags & READ_WRITE and path != "?":
            _noted(tape, lambda: wrap(path, file, flags))
        return result

    def wrap(path: str, file: Any, flags: int) -> None:
        is_new = path not in tape.nodes
        node = tape.take(path)
        tape.sqlites.add(node)
        if is_new and flags & WITH_ITS_NAME:
            young[node] = tape.key(path)[0]
        names[ctypes.addressof(file.contents)] = node
        below = file.contents.methods.contents
        place = ctypes.addressof(below)
        if place not in methods:
            methods[place] = _wrapped(tape, below, names, young)
            _alive.append(methods[place])
        file.contents.methods = ctypes.pointer(methods[place])

    return _callback(_OPEN, opened)


def _wrapped(tape: Tape, below: _Methods, names: dict[int, int], young: dict[int, int]) -> _Methods:
    write_on, truncate_on, sync_on = _WRITE(below.write), _TRUNCATE(below.truncate), _SYNC(below.sync)

    def node(file: Any) -> int:
        return names[ctypes.addressof(file.contents)]

    def write(file: Any, content: int, size: int, offset: int) -> int:
        result = write_on(file, content, size, offset)
        _noted(tape, lambda: tape.events.append(Write(node(file), offset, ctypes.string_at(content, size))))
        return result

    def truncate(file: Any, size: int) -> int:
        result = truncate_on(file, size)
        _noted(tape, lambda: tape.events.append(Truncate(node(file), size)))
        return result

    def sync(file: Any, flags: int) -> int:
        result = sync_on(file, flags)
        _noted(tape, lambda: synced(node(file)))
        return result

    def synced(file: int) -> None:
        tape.events.append(Sync(file))
        if (folder := young.pop(file, None)) is not None:
            tape.events.append(SyncFolder(folder))

    ours = _Methods.from_buffer_copy(below)
    ours.write, ours.truncate, ours.sync = (
        _callback(kind, function) for kind, function in ((_WRITE, write), (_TRUNCATE, truncate), (_SYNC, sync))
    )
    return ours


def _deleting(tape: Tape, real: _Vfs) -> int:
    passed_on = _DELETE(real.delete)

    def delete(vfs: Any, name: bytes, sync_folder: int) -> int:
        result = passed_on(vfs, name, sync_folder)
        path = tape.inside(os.fsdecode(name))
        if result == 0 and path in tape.nodes:

            def note() -> None:
                folder = tape.key(path)[0]
                tape.remove(path)
                if sync_folder:
                    tape.events.append(SyncFolder(folder))

            _noted(tape, note)
        return result

    return _callback(_DELETE, delete)


class Disk:
    """Plays a tape; `lose_power` says what is left at that moment."""

    def __init__(self, tape: Tape) -> None:
        self.tape, self.at, self.told = tape, 0, [None]
        self.safe: dict[int, bytearray] = {}
        self.names: dict[tuple[int, str], int] = {}
        self.waiting: dict[int, list[Write | Truncate]] = {}
        self.waiting_names: list[dict[tuple[int, str], int | None]] = []
        nodes = {"": 0}
        for number, (name, content) in enumerate(tape.found.items(), 1):
            folder, _, last = name.rpartition("/")
            nodes[name] = number
            self.names[nodes[folder], last] = number
            if content is not None:
                self.safe[number] = bytearray(content)

    def play(self, until: int) -> None:
        for event in self.tape.events[self.at : until]:
            match event:
                case Write() | Truncate():
                    self.waiting.setdefault(event.file, []).append(event)
                case Sync():
                    content = self.safe.setdefault(event.file, bytearray())
                    for each in self.waiting.pop(event.file, []):
                        _apply(content, each)
                case Names():
                    self.waiting_names.append(dict(event.changes))
                case SyncFolder():
                    self._settle(event.folder)
                case Mark():
                    self.told.append(event.told)
        self.at = max(self.at, until)

    def next_told(self) -> Any:
        """What the program would have been told next."""
        return next((event.told for event in self.tape.events[self.at :] if isinstance(event, Mark)), None)

    def _settle(self, folder: int) -> None:
        for number, changes in enumerate(self.waiting_names):
            if any(place == folder for place, _name in changes):
                for key, bearer in changes.items():
                    _call(self.names, key, bearer)
                    for earlier in self.waiting_names[:number]:
                        earlier.pop(key, None)
                changes.clear()
        self.waiting_names = [changes for changes in self.waiting_names if changes]

    def lose_power(self, dice: random.Random) -> dict[str, bytes | None]:
        """{name: content} of what is found when the power is back; None for a folder."""
        luck = dice.choice((0.0, 0.2, 0.5, 0.8, 1.0))
        names = dict(self.names)
        for changes in self.waiting_names:
            if dice.random() < luck:
                for key, bearer in changes.items():
                    _call(names, key, bearer)
        return self._below(names, 0, "", lambda node: self._torn(node, luck, dice))

    def all_kept(self) -> dict[str, bytes | None]:
        """What is there when the power stays."""
        names = dict(self.names)
        for changes in self.waiting_names:
            for key, bearer in changes.items():
                _call(names, key, bearer)
        return self._below(names, 0, "", lambda node: self._torn(node, 1, random.Random(0)))

    def _below(
        self, names: dict[tuple[int, str], int], folder: int, path: str, content: Callable[[int], bytes]
    ) -> dict[str, bytes | None]:
        found: dict[str, bytes | None] = {}
        for (place, name), node in names.items():
            if place == folder:
                is_folder = node in self.tape.folders
                found[path + name] = None if is_folder else content(node)
                found |= self._below(names, node, f"{path}{name}/", content) if is_folder else {}
        return found

    def _torn(self, node: int, luck: float, dice: random.Random) -> bytes:
        content = bytearray(self.safe.get(node, b""))
        for each in self.waiting.get(node, []):
            if dice.random() < luck:
                _apply(content, each)
            elif isinstance(each, Write) and dice.random() < 0.5:
                for start in range(0, len(each.content), SECTOR):
                    if dice.random() < 0.5:
                        piece = each.content[start : start + SECTOR]
                        _apply(content, Write(node, each.offset + start, piece))
        return bytes(content)


def _call(names: dict[tuple[int, str], int], key: tuple[int, str], bearer: int | None) -> None:
    if bearer is None:
        names.pop(key, None)
    else:
        names[key] = bearer


def _apply(content: bytearray, change: Write | Truncate) -> None:
    match change:
        case Write(_file, offset, piece):
            content.extend(bytes(max(0, offset - len(content))))
            content[offset : offset + len(piece)] = piece
        case Truncate(_file, size):
            del content[size:]
            content.extend(bytes(max(0, size - len(content))))


def put(image: dict[str, bytes | None], folder: Path) -> Path:
    """The folder as it is found when the power is back."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in image.items():
        if content is None:
            (folder / name).mkdir(parents=True, exist_ok=True)
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return folder
