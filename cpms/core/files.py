"""Files that must survive a power cut, and locks that a dead process cannot keep."""

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO

CHUNK = 1024 * 1024


def settle(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """A folder that is still there after a power cut, with those above it: what lies in it is lost with its name."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        settle(folder.parent)


def put_in_place(part: Path, target: Path) -> None:
    """Give a finished file its name. Whoever sees the name afterwards sees the whole file, power cut or not."""
    part.chmod(0o600)
    settle(part)
    part.rename(target)
    settle(target.parent)


def put_secret(path: Path, content: bytes) -> None:
    """Write what only the server may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    settle(path)


def digest(path: Path) -> str:
    """The SHA-256 of a file, 64 hex digits, read in pieces."""
    total = sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            total.update(piece)
    return total.hexdigest()


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A folder for half-finished things; `tidy` removes one that a killed process left."""
    place = folder / f"scratch-{uuid.uuid4().hex}"
    place.mkdir(mode=0o700)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def tidy(folder: Path) -> None:
    """Throw away what an interrupted run left. Only for whoever holds the lock of long work."""
    for leftover in folder.glob("scratch-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    for leftover in folder.rglob("*.part"):
        leftover.unlink(missing_ok=True)


@contextmanager
def only_one(lock: Path) -> Iterator[bool]:
    """Hold a lock between processes if it is free. It ends with the process, however that ends."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


@contextmanager
def in_turn(lock: Path) -> Iterator[None]:
    """Wait until nobody else on this machine holds the lock, then hold it. It ends with the process."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def hold_together(lock: Path) -> IO[str] | None:
    """Hold a lock that many may hold, as long as the given file is open; None while somebody has it alone."""
    file = lock.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def is_held(lock: Path) -> bool:
    """Whether some process holds the lock alone now. Any number may ask at the same moment."""
    ours = hold_together(lock)
    if ours is None:
        return True
    ours.close()
    return False
