"""Putting a backup back, so that a power cut at any moment leaves the clinic wholly old or wholly new.

Everything is unpacked and checked beside the clinic first, then changed over in small steps. A journal on the disk says
which step comes next. Each may be done twice, so whoever finds the journal at the next start goes on with it.

    ready    unpacked and checked; the clinic is untouched
    moved    the clinic's own files lie aside, all of them together: a database beside another one's -wal is destroyed
    placed   the backup's files lie in their place; the program starts on them
    back     the program did not: what was placed is removed
    return   what lay aside goes back to its place

This module touches files only. It runs where no server has the database open.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from flask_babel import gettext as _

from cpms.backups import archive
from cpms.backups.archive import BadBackup, Key, Opened, Progress
from cpms.core import clock
from cpms.core.db import examine
from cpms.core.errors import Refused
from cpms.core.files import is_held, make_folder, put_in_place, settle

DATABASE, AUDIT_KEY = "clinic.db", "audit.key"
DONE, TAKEN_BACK = "done", "taken back, "
OWN = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", AUDIT_KEY)


class Step(StrEnum):
    READY = "ready"
    MOVED = "moved"
    PLACED = "placed"
    BACK = "back"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Journal:
    """What is under way."""

    step: Step
    backup_id: str
    file_name: str
    made_at: str  # when the backup was made
    aside: str  # the folder that takes the clinic's own files
    why: str = ""  # why it goes back


def folder(instance: Path) -> Path:
    return instance / "restore"


def hold(instance: Path) -> Path:
    """A lock; while somebody has it nothing is written any more."""
    return folder(instance) / "hold.lock"


def is_holding(instance: Path) -> bool:
    """Whether the clinic's files are about to be replaced."""
    return _journal(instance).exists() or (hold(instance).exists() and is_held(hold(instance)))


def note(instance: Path, words: str) -> None:
    """A line in a file outside the database, which a restore replaces."""
    folder(instance).mkdir(mode=0o700, exist_ok=True)
    with _history(instance).open("a") as log:
        log.write(f"{clock.now().isoformat(timespec='seconds')} {words}\n")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a restore ended."""

    at: datetime
    file_name: str
    why: str  # why it was taken back; empty when it was not


def last(instance: Path) -> Ended | None:
    """The newest restore that is over."""
    try:
        line = _history(instance).read_text().splitlines()[-1]
    except (FileNotFoundError, IndexError):
        return None
    at, _space, words = line.partition(" ")
    name, _colon, how = words.partition(": ")
    return Ended(datetime.fromisoformat(at), name, "" if how == DONE else how.removeprefix(TAKEN_BACK))


def _history(instance: Path) -> Path:
    return folder(instance) / "history.log"


def staged(instance: Path) -> Path:
    return folder(instance) / "staged"


def stage(path: Path, key: Key | None, *, instance: Path, store: Path, progress: Progress) -> Opened:
    """Unpack a backup beside the clinic and check all of it. Raises BadBackup, Unhealthy or OSError; then nothing of it
    is left."""
    place = staged(instance)
    shutil.rmtree(place, ignore_errors=True)
    make_folder(place)
    try:
        content = archive.opened(path, key)
        _check_room(place, content)
        progress(_("Unpacking the database"), 0, 0)
        archive.unpack_database(path, content, key, place / DATABASE)
        examined = examine(place / DATABASE)
        if (examined.schema, examined.counts) != (content.manifest.schema, content.manifest.counts):
            raise BadBackup(_("This backup is damaged, or somebody changed it. Nothing of it was used."))
        settle(place / DATABASE)
        used = key if content.header.encrypted else None
        folders = set()
        for number, (picture, sealed) in enumerate(archive.each_picture(path, content, store)):
            progress(_("Unpacking the pictures"), number, len(content.manifest.media))
            target = place / "media" / picture.path
            make_folder(target.parent)
            archive.open_picture(sealed, target, picture, used)
            settle(target)
            folders.add(target.parent)
        for each in folders:
            settle(each)
        secret = place / f"{AUDIT_KEY}.part"
        secret.write_bytes(bytes.fromhex(content.instance["audit_key"]))
        put_in_place(secret, place / AUDIT_KEY)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return content


def _check_room(place: Path, content: Opened) -> None:
    need = content.manifest.database["size"] + content.manifest.media_size
    free = shutil.disk_usage(place).free
    if free < need:
        raise Refused(
            _(
                "There is no room to unpack this backup: it needs %(need)d MB, and %(free)d MB are free.",
                need=(need >> 20) + 1,
                free=free >> 20,
            )
        )


def begin(instance: Path, content: Opened, *, file_name: str) -> None:
    """From here on the next start goes on with it, whatever happens."""
    aside = f"old-{content.manifest.id[:8]}-{len(list(folder(instance).glob('old-*')))}"
    _write(instance, Journal(Step.READY, content.manifest.id, file_name, content.manifest.created_at, aside))


def under_way(instance: Path) -> Journal | None:
    """The journal, when a restore was begun and is not over."""
    try:
        values = json.loads(_journal(instance).read_text())
    except FileNotFoundError:
        return None
    return Journal(**(values | {"step": Step(values["step"])}))


def change_over(instance: Path, *, done: Callable[[Step], None] = lambda _step: None) -> Journal | None:
    """Bring the files to where the journal wants them: the backup's in place, or the clinic's own back. The journal as
    it is then, or None when nothing is under way. `done` is told after each step."""
    journal = under_way(instance)
    if journal is None:
        shutil.rmtree(staged(instance), ignore_errors=True)
        return None
    try:
        if journal.step is Step.READY:
            _move_aside(instance, journal)
            journal = _next(instance, journal, Step.MOVED, done)
        if journal.step is Step.MOVED:
            _place(instance)
            journal = _next(instance, journal, Step.PLACED, done)
    except OSError as problem:
        return give_up(instance, journal, why=str(problem), done=done)
    if journal.step in {Step.BACK, Step.RETURN}:
        return give_up(instance, journal, why=journal.why, done=done)
    return journal


def give_up(
    instance: Path, journal: Journal, *, why: str, done: Callable[[Step], None] = lambda _step: None
) -> Journal:
    """Put the clinic back to what it was. The restore is over then."""
    journal = replace(journal, why=why)
    if journal.step in {Step.MOVED, Step.PLACED}:
        journal = _next(instance, journal, Step.BACK, done)
    if journal.step is Step.BACK:
        for name in OWN:  # all of the clinic's own lie aside: what is here came from the backup
            (instance / name).unlink(missing_ok=True)
        settle(instance)
        journal = _next(instance, journal, Step.RETURN, done)
    aside = folder(instance) / journal.aside
    for name in OWN:
        if (aside / name).exists():
            (aside / name).rename(instance / name)
    settle(instance)
    shutil.rmtree(aside, ignore_errors=True)
    note(instance, f"{journal.file_name}: {TAKEN_BACK}{' '.join(why.split())}")
    _end(instance)
    return journal


def finish(instance: Path, journal: Journal) -> None:
    """The clinic works with the backup's data. What lay aside stays until the next restore."""
    for older in folder(instance).glob("old-*"):
        if older.name != journal.aside:
            shutil.rmtree(older, ignore_errors=True)
    note(instance, f"{journal.file_name}: {DONE}")
    _end(instance)


def _move_aside(instance: Path, journal: Journal) -> None:
    aside = folder(instance) / journal.aside
    make_folder(aside)
    for name in OWN:
        if (instance / name).exists():
            (instance / name).rename(aside / name)
    settle(aside)
    settle(instance)


def _place(instance: Path) -> None:
    """Pictures first: they lie under their own sums, so none is in another one's way."""
    place = staged(instance)
    for file in sorted((place / "media").rglob("*")):
        target = instance / "media" / file.relative_to(place / "media")
        if file.is_file() and not target.exists():
            make_folder(target.parent)
            file.rename(target)
            settle(target.parent)
    for name in (AUDIT_KEY, DATABASE):
        if (place / name).exists():
            (place / name).rename(instance / name)
    settle(instance)


def _next(instance: Path, journal: Journal, step: Step, done: Callable[[Step], None]) -> Journal:
    journal = replace(journal, step=step)
    _write(instance, journal)
    done(step)
    return journal


def _journal(instance: Path) -> Path:
    return folder(instance) / "journal.json"


def _write(instance: Path, journal: Journal) -> None:
    part = folder(instance) / "journal.part"
    part.write_text(json.dumps(asdict(journal)))
    put_in_place(part, _journal(instance))


def _end(instance: Path) -> None:
    _journal(instance).unlink(missing_ok=True)
    settle(folder(instance))
    shutil.rmtree(staged(instance), ignore_errors=True)
