"""The second place of the backups: a disk that can be pulled out, or a shared folder."""

import shutil
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flask_babel import gettext as _

from cpms.backups import archive, queries, services
from cpms.backups.archive import Progress
from cpms.core import clock
from cpms.core.db import transaction
from cpms.core.errors import DomainError, Refused
from cpms.core.files import make_folder, settle, tidy
from cpms.settings import queries as settings
from cpms.work import jobs as work

MARK = ".cpms-backups"  # tells the disk from the empty place where it is plugged in


def is_plugged_in(place: Path) -> bool:
    return (place / MARK).is_file()


def copy(backup_id: str, progress: Progress) -> str:
    """Copy a backup and its pictures to the second place. How it went is in its row; the sentence when it failed."""
    target = settings.current().backup_target
    if not target:
        return ""
    row = queries.backup(backup_id)
    source, encrypted, name = queries.folder() / row.file_name, row.encrypted, row.file_name
    try:
        _copy(source, Path(target), encrypted=encrypted, progress=progress)
    except (DomainError, OSError) as error:
        why = work.words_of(error) or str(error)
        problem = _("The backup is good, but it could not be copied to %(place)s: %(why)s", place=target, why=why)
    else:
        problem = ""
    with transaction("backup.copy", actor=None, about=queries.backup(backup_id), reason=name):
        at = None if problem else clock.now()
        services.record_copied(queries.backup(backup_id), target, at=at, problem=problem)
    return problem


def _copy(source: Path, place: Path, *, encrypted: bool, progress: Progress) -> None:
    if not is_plugged_in(place):
        raise Refused(_("The folder is not the disk that was chosen. Is it plugged in?"))
    tidy(place)
    ends = ".age" if encrypted else ""
    pictures = [file for file in sorted(queries.store().rglob("*")) if file.is_file()]
    wanted = [file for file in pictures if (file.suffix == ".age") == bool(ends)]
    for number, file in enumerate(wanted):
        progress(_("Copying to the second place"), number, len(wanted) + 1)
        target = place / "media" / file.relative_to(queries.store())
        if not target.exists():
            make_folder(target.parent)
            _copy_file(file, target)
    progress(_("Copying to the second place"), len(wanted), len(wanted) + 1)
    _copy_file(source, place / source.name)
    archive.sum_of(place / source.name)


def _copy_file(source: Path, target: Path) -> None:
    part = target.with_name(target.name + ".part")
    try:
        shutil.copyfile(source, part)
        settle(part)
        part.rename(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    settle(target.parent)


@dataclass(frozen=True, slots=True)
class State:
    """How the second place is: a disk that can be pulled out."""

    is_there: bool
    copied_at: datetime | None  # the newest copy
    problem: str  # what went wrong with the newest backup's copy
    free: int | None  # bytes


def state() -> State:
    place = Path(settings.current().backup_target)
    is_there = bool(place.name) and is_plugged_in(place)
    last = queries.last_good()
    return State(
        is_there,
        queries.last_copied_at(str(place)),
        last.target_error if last else "",
        shutil.disk_usage(place).free if is_there else None,
    )


def found() -> list[Path]:
    """Archives of the folder and of the second place that the history does not name, the newest first."""
    known, target = {row.file_name for row in queries.present()}, settings.current().backup_target
    folders = [queries.folder(), *([Path(target)] if target else [])]
    found = [path for place in folders if place.is_dir() for path in place.glob("cpms-*.tar")]
    return sorted((path for path in found if path.name not in known), key=lambda path: path.name, reverse=True)


def choose(path: str) -> None:
    """Mark a folder as the clinic's second place. Raises Refused with the reason."""
    place = Path(path)
    if not place.is_absolute() or not place.is_dir():
        raise Refused(_("There is no such folder on the server."), field="backup_target")
    if queries.instance().resolve() in (place.resolve(), *place.resolve().parents):
        raise Refused(
            _("This folder is on the same place as the clinic's data. Choose another disk."), field="backup_target"
        )
    try:
        (place / MARK).touch(exist_ok=True)
        probe = place / f"{MARK}.{uuid.uuid4().hex}"
        try:
            probe.write_bytes(b"can be written to")
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise Refused(_("The server cannot write there: %(why)s.", why=why), field="backup_target") from None
