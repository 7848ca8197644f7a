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
import logging
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from flask_babel import gettext as _

from cpms.backups import archive
from cpms.backups.archive import BadBackup, Key, Opened, Picture, Progress
from cpms.core import clock
from cpms.core.db import examine
from cpms.core.errors import Refused
from cpms.core.files import digest, is_held, make_folder, put_in_place, settle
from cpms.core.text import clean_line

DATABASE, AUDIT_KEY = "clinic.db", "audit.key"
log = logging.getLogger("cpms")

ROOM = 64 * 1024 * 1024  # bytes that stay free
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
    try:
        folder(instance).mkdir(mode=0o700, exist_ok=True)
        with _history(instance).open("a") as history:
            history.write(f"{clock.now().isoformat(timespec='seconds')} {words}\n")
    except OSError:  # a full disk must not keep the clinic from starting
        log.exception("not noted: %s", words)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a restore ended."""

    at: datetime
    file_name: str
    why: str  # why it was taken back; empty when it was not


def last(instance: Path) -> Ended | None:
    """The newest restore that is over."""
    try:
        line = _history(instance).read_text().strip().split("\n")[-1]
    except (FileNotFoundError, IndexError):
        return None
    if not line:
        return None
    at, _space, words = line.partition(" ")
    if words.endswith(f": {DONE}"):
        return Ended(datetime.fromisoformat(at), words.removesuffix(f": {DONE}"), "")
    name, _taken, why = words.partition(f": {TAKEN_BACK}")
    return Ended(datetime.fromisoformat(at), name, why or "?")


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
        _check_room(place, content, media=instance / "media")
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
            if not _share(instance / "media" / picture.path, target, picture):
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


def _share(own: Path, target: Path, picture: Picture) -> bool:
    """Let the clinic's own file be in both places, if it is still the very picture of the backup: no room is needed
    for what is there. Nothing ever writes into a picture, so neither place can change the other's."""
    try:
        if digest(own) != picture.sha256:
            return False
        target.hardlink_to(own)
    except OSError:  # it is not there, or this disk knows no such names
        return False
    return True


def _check_room(place: Path, content: Opened, *, media: Path) -> None:
    there = sum(each.size for each in content.manifest.media if _has_size(media / each.path, each.size))
    new = content.manifest.media_size - there
    need = 2 * content.manifest.database["size"] + new + ROOM  # the database lies packed beside unpacked
    free = shutil.disk_usage(place).free
    if free < need:
        raise Refused(
            _(
                "There is no room to unpack this backup: it needs %(need)d MB, and %(free)d MB are free.",
                need=(need >> 20) + 1,
                free=free >> 20,
            )
        )


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def begin(instance: Path, content: Opened, *, file_name: str) -> None:
    """From here on the next start goes on with it, whatever happens."""
    aside = f"old-{content.manifest.id[:8]}-{len(list(folder(instance).glob('old-*')))}"
    name = clean_line(file_name).replace(": ", " ")  # a line of the history is read back by its colon
    try:
        _write(instance, Journal(Step.READY, content.manifest.id, name, content.manifest.created_at, aside))
    except BaseException:
        _journal(instance).unlink(missing_ok=True)
        raise


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


def _check_staged(instance: Path, elsewhere: Path) -> None:
    """What was unpacked must be there, or be in its place already: else the clinic would begin empty."""
    if not ((staged(instance) / DATABASE).exists() or (elsewhere / DATABASE).exists()):
        raise OSError(_("What was unpacked is not there any more."))


def give_up(
    instance: Path, journal: Journal, *, why: str, done: Callable[[Step], None] = lambda _step: None
) -> Journal:
    """Put the clinic back to what it was. The restore is over then."""
    journal = replace(journal, why=why)
    shutil.rmtree(staged(instance), ignore_errors=True)  # room, perhaps for the next line
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
    for secret in _next_keys(instance):
        secret.unlink(missing_ok=True)
    _end(instance)
    note(instance, f"{journal.file_name}: {TAKEN_BACK}{' '.join(why.split()) or '?'}")
    return journal


def finish(instance: Path, journal: Journal) -> None:
    """The clinic works with the backup's data. What lay aside stays until the next restore."""
    for older in folder(instance).glob("old-*"):
        if older.name != journal.aside:
            shutil.rmtree(older, ignore_errors=True)
    for secret, place in zip(_next_keys(instance), (instance / "backup.key", instance / "backup.key.age"), strict=True):
        if secret.exists():
            if place.exists():
                place.rename(place.with_name(place.name + ".old"))
            secret.rename(place)
    settle(instance)
    _end(instance)
    note(instance, f"{journal.file_name}: {DONE}")


def _next_keys(instance: Path) -> tuple[Path, Path]:
    """The key of the backups, clear and locked, that the restored clinic goes on with."""
    return folder(instance) / "next.key", folder(instance) / "next.key.age"


def bring_key(instance: Path, key: Key, locked: bytes) -> None:
    """The restored clinic encrypts its backups as before; it takes the key when the restore is over."""
    for path, content in zip(_next_keys(instance), (key.text.encode(), locked), strict=True):
        part = path.with_name(path.name + ".part")
        part.write_bytes(content)
        put_in_place(part, path)


def _move_aside(instance: Path, journal: Journal) -> None:
    aside = folder(instance) / journal.aside
    _check_staged(instance, aside)
    make_folder(aside)
    for name in OWN:
        if not (instance / name).exists():
            continue
        if (aside / name).exists():  # the clinic's own lies there: this one was made by a start after a power cut
            (instance / name).unlink()
        else:
            (instance / name).rename(aside / name)
    settle(aside)
    settle(instance)


def _place(instance: Path) -> None:
    """Pictures first: they lie under their own sums, so none is in another one's way."""
    place = staged(instance)
    _check_staged(instance, instance)
    for file in sorted((place / "media").rglob("*")):
        target = instance / "media" / file.relative_to(place / "media")
        if file.is_file() and not (target.exists() and digest(target) == digest(file)):
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
