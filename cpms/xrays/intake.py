"""From uploaded bytes to a file that is good to keep: the parent's side of `decoder.py`.

A file is looked at in a child process, one at a time on this machine, for a small one has no memory for two. What the
child answers is data of a stranger and is read as such.
"""

import json
import math
import os
import selectors
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from flask_babel import gettext as _

from cpms.core import clock, media
from cpms.core.errors import Busy, Refused
from cpms.core.files import CHUNK, digest, in_turn
from cpms.core.text import clean_line
from cpms.settings import queries as settings
from cpms.xrays import queries, rules
from cpms.xrays.models import XrayKind
from cpms.xrays.rules import Read

DECODER = Path(__file__).with_name("decoder.py")
COPIES = {"thumb.jpg", "screen.jpg", "full.jpg", "full.png", "depth.bin.gz"}
LONGEST_ANSWER = 64 * 1024
PATIENCE = 60  # seconds for the others who wait
MOST_FILES = 20  # in one request

# No libraries' threads, each of which would want memory of its own.
QUIET = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", "LC_ALL": "C.UTF-8"}

_turn = threading.Lock()  # of this process; the lock file is between processes


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may take."""

    memory: int = 1024 * 1024 * 1024  # bytes of addresses
    seconds: int = 60  # of the processor
    file_size: int = 256 * 1024 * 1024  # of each copy
    patience: float = 90  # seconds on the clock of the wall


LIMITS = Limits()


class NotTaken(Refused):
    """The file is not taken; the sentence names it, `code` says why."""

    def __init__(self, code: str, name: str) -> None:
        super().__init__(_sentence(code, rules.short_name(name)), field="file")
        self.code = code
        self.status = 413 if code == "too-large" else 422


def most_bytes() -> int:
    """How large one file may be."""
    return settings.current().xray_max_mb * 1_000_000


def room() -> int:
    """Bytes that may come in before the disk is down to what is left for the rest of the clinic."""
    return shutil.disk_usage(media.instance()).free - settings.current().xray_floor_mb * 1_000_000


def read(path: Path, name: str, *, limits: Limits = LIMITS) -> Read:
    """Look at a file that waits at `path`. Raises NotTaken. Afterwards `keeping` keeps it, or `discard` lets it go."""
    name = rules.plain_name(name)
    size = path.stat().st_size
    if size == 0:
        raise NotTaken("empty", name)
    if size > most_bytes():
        raise NotTaken("too-large", name)
    if room() < 2 * size:
        raise NotTaken("space", name)
    copies = _scratch()
    try:
        found = _understood(_decode(path, copies, limits))
        if code := found.pop("refused", None):
            raise NotTaken(code, name)
        _check_copies(copies, nothing_shown=bool(found["problem"]) or found["kind"] is XrayKind.DOCUMENT)
        return Read(name=name, path=path, copies=copies, sha256=digest(path), size=size, **found)
    except BaseException as error:
        shutil.rmtree(copies, ignore_errors=True)
        if isinstance(error, _Nonsense):
            raise NotTaken("damaged", name) from None
        raise


def discard(read: Read) -> None:
    """Let a file go that is not kept."""
    shutil.rmtree(read.copies, ignore_errors=True)


@contextmanager
def keeping(read: Read) -> Iterator[None]:
    """Keep the original and its copies, then let the record be written. When that fails they go again, unless another
    record needs them: neither is there a record without its file nor a file without its record."""
    with in_turn(media.instance() / "media.lock"):
        try:
            media.keep(read.path)
            media.keep_derived(read.copies, read.sha256)
            yield
        except BaseException:
            if not queries.is_used(read.sha256):
                media.forget(read.sha256)
            raise


def derive_again(sha256: str) -> bool:
    """Make the copies of an original that have been lost; False when the original is lost too, or cannot be shown.
    Raises Busy when it cannot be done now."""
    source = media.path_of(sha256)
    if not source.is_file():
        return False
    with in_turn(media.instance() / "derive.lock"):  # the viewer asks for several sizes at once
        if _are_whole(media.derived_of(sha256)):
            return True  # somebody else made them meanwhile
        copies = _scratch()
        try:
            found = _understood(_decode(source, copies, LIMITS))
            if found.get("refused") in {"busy", "slow", "space"}:
                raise Busy
            if "refused" in found or found["problem"]:
                return False
            _check_copies(copies, nothing_shown=False)
            with in_turn(media.instance() / "media.lock"):
                media.keep_derived(copies, sha256)
        except (_Nonsense, FileNotFoundError):
            return False
        finally:
            shutil.rmtree(copies, ignore_errors=True)
    return True


def _are_whole(copies: Path) -> bool:
    """Whether the copies are there, none of them emptied by a power cut."""
    names = {file.name: file.stat().st_size for file in copies.iterdir()} if copies.is_dir() else {}
    return {"thumb.jpg", "screen.jpg"} <= set(names) and all(names.values())


def tidy() -> None:
    """Throw away what a killed server left behind more than a day ago."""
    old = (clock.now() - timedelta(days=1)).timestamp()
    for waiting in media.incoming().iterdir():
        if waiting.stat().st_mtime < old:
            waiting.unlink(missing_ok=True)
    for scratch in media.derived_root().glob("scratch-*"):
        if scratch.stat().st_mtime < old:
            shutil.rmtree(scratch, ignore_errors=True)


# --- the child ------------------------------------------------------------------------------------------------------


class _Nonsense(Exception):
    """The child's answer is none, as after a crash, or not what a healthy child says."""


def _scratch() -> Path:
    folder = media.derived_root() / f"scratch-{uuid.uuid4().hex}"
    folder.mkdir(mode=0o700, parents=True)
    return folder


def _decode(source: Path, copies: Path, limits: Limits) -> dict[str, Any]:
    """The child's answer. Whatever happens to it, it is gone afterwards, and whatever it started."""
    if not _turn.acquire(timeout=PATIENCE):
        return {"refused": "busy"}
    try:
        with in_turn(media.instance() / "decoder.lock"):
            return _ask(source, copies, limits)
    finally:
        _turn.release()


def _ask(source: Path, copies: Path, limits: Limits) -> dict[str, Any]:
    told = json.dumps({"memory": limits.memory, "seconds": limits.seconds, "file_size": limits.file_size})
    child = subprocess.Popen(  # noqa: S603 - our own script, and no word of the file
        [sys.executable, "-I", str(DECODER), str(source.resolve()), str(copies.resolve()), told],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # libraries print pieces of the file there
        env=QUIET,
        cwd=copies,
        start_new_session=True,
    )
    try:
        said, in_time = _listen(child, time.monotonic() + limits.patience)
    finally:
        _end(child)
    if not in_time or child.returncode in {-signal.SIGXCPU, -signal.SIGKILL}:
        return {"refused": "slow"}
    try:
        answer = json.loads(said)
    except ValueError:
        raise _Nonsense from None
    if not isinstance(answer, dict):
        raise _Nonsense
    return answer


def _listen(child: subprocess.Popen[bytes], until: float) -> tuple[bytes, bool]:
    """What the child says, as long as it is not too long, and whether it ended in time."""
    assert child.stdout is not None
    said = b""
    with selectors.DefaultSelector() as ears:
        ears.register(child.stdout, selectors.EVENT_READ)
        while (left := until - time.monotonic()) > 0 and len(said) <= LONGEST_ANSWER:
            if not ears.select(left):
                break
            piece = os.read(child.stdout.fileno(), CHUNK)
            if not piece:
                try:
                    child.wait(timeout=max(0.1, until - time.monotonic()))
                except subprocess.TimeoutExpired:
                    break
                return said, True
            said += piece
    return said, False


def _end(child: subprocess.Popen[bytes]) -> None:
    """Its whole group: the child's number is nobody else's before it has been waited for."""
    if child.returncode is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    assert child.stdout is not None
    child.stdout.close()


# --- its answer -----------------------------------------------------------------------------------------------------

CODES = {
    *("empty", "not-a-picture", "heic", "two-kinds", "damaged", "deflated", "unsupported", "pixels", "memory"),
    *("space", "slow", "busy"),
}


def _understood(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The child's answer, each part of the type that it must have, or nonsense."""
    if "refused" in answer:
        code = answer["refused"]
        return {"refused": code if isinstance(code, str) and code in CODES else "damaged"}
    mime, problem = (str(answer.get(name) or "") for name in ("mime", "problem"))
    if mime not in rules.SUFFIXES or problem not in {"", *rules.PROBLEMS}:
        raise _Nonsense
    try:
        return {
            "mime": mime,
            "kind": XrayKind(answer.get("kind")),
            "problem": problem,
            "width": _number(answer, "width", 0, 1_000_000),
            "height": _number(answer, "height", 0, 1_000_000),
            "bits": _number(answer, "bits", 0, 16),
            "frames": _number(answer, "frames", 1, 100_000_000),
            "day": date.fromisoformat(answer["date"]) if answer.get("date") else None,
            "facts": _facts(answer),
        }
    except (TypeError, ValueError):
        raise _Nonsense from None


FACTS = (
    *("depth", "spacing", "patient", "transfer_syntax", "modality", "manufacturer", "model", "laterality", "teeth"),
    *("region", "burned_in", "sop_instance_uid", "curves"),
)


SHAPES: dict[str, type] = {"depth": dict, "spacing": dict, "patient": dict, "teeth": list, "curves": list}


def _facts(answer: Mapping[str, Any]) -> dict[str, Any]:
    if any(answer.get(name) and not isinstance(answer[name], shape) for name, shape in SHAPES.items()):
        raise _Nonsense
    return {name: _plain(answer[name]) for name in FACTS if answer.get(name)}


def _number(answer: Mapping[str, Any], name: str, lowest: int, highest: int) -> int:
    value = answer.get(name, lowest)
    if type(value) is not int or not lowest <= value <= highest:
        raise _Nonsense
    return value


def _plain(value: Any) -> Any:
    """A fact without what could harm a page or a trail."""
    if isinstance(value, str):
        return clean_line(value)[:200]
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, list):
        return [_plain(each) for each in value[:60]]
    if isinstance(value, dict):
        return {clean_line(name)[:40]: _plain(each) for name, each in list(value.items())[:20]}
    raise _Nonsense


def _check_copies(folder: Path, *, nothing_shown: bool) -> None:
    """Only files with our names, and no links: the child is not believed."""
    names = set()
    for entry in folder.iterdir():
        if entry.name not in COPIES or not stat.S_ISREG(entry.lstat().st_mode):
            raise _Nonsense
        entry.chmod(0o600)
        names.add(entry.name)
    if nothing_shown:
        return
    if not ({"thumb.jpg", "screen.jpg"} <= names and names & {"full.jpg", "full.png"}):
        raise _Nonsense


def _sentence(code: str, name: str) -> str:
    sentences = {
        "empty": _("%(name)s is empty.", name=name),
        "too-large": _("%(name)s is larger than %(most)d MB.", name=name, most=settings.current().xray_max_mb),
        "space": _("There is no room for %(name)s on the server's disk. The owner can make room.", name=name),
        "not-a-picture": _(
            "%(name)s is not a picture that is taken here: PNG, JPEG, WebP, TIFF, DICOM, or a PDF.", name=name
        ),
        "heic": _(
            "%(name)s is in the HEIC format of a phone. Please let the phone take photos as JPEG (most compatible).",
            name=name,
        ),
        "two-kinds": _("%(name)s is a DICOM file and something else at once. It is not taken.", name=name),
        "deflated": _("%(name)s is a DICOM file that is packed as a whole. Please export it unpacked.", name=name),
        "unsupported": _("%(name)s is a picture of a kind that cannot be shown here.", name=name),
        "pixels": _("%(name)s has more than 50 million pixels.", name=name),
        "memory": _("%(name)s needs more memory than one picture may take.", name=name),
        "slow": _("%(name)s takes too long to read. It may be damaged.", name=name),
        "busy": _("The server is busy with other pictures. Please send %(name)s again in a minute.", name=name),
        "damaged": _("%(name)s is damaged or incomplete and cannot be read.", name=name),
    }
    return sentences[code]
