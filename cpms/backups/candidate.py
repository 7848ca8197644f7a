"""The backup that the owner thinks of putting back. It is looked at first, which changes nothing; then it replaces the
clinic's data, for which the server starts again. There is at most one, and it survives a reload and a restart."""

import json
import shutil
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from flask import current_app
from flask_babel import gettext as _

from cpms.audit.rules import RESTORE
from cpms.auth import services as auth
from cpms.backups import archive, jobs, queries, restore, services
from cpms.backups.archive import BadBackup, Key, Manifest
from cpms.backups.models import BackupKind
from cpms.core import clock, db, files
from cpms.core.db import through_the_hold, transaction
from cpms.core.errors import Refused
from cpms.feeds import services as feeds
from cpms.work import jobs as work
from cpms.work.jobs import Outcome


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in it when all of it was read and compared."""

    sha256: str
    clinic: str
    clinic_id: str
    kind: BackupKind
    app: str
    schema: str
    counts: dict[str, int]
    pictures: int
    size: int  # bytes: database and pictures as they will lie on the disk
    newest_entry: int  # of its trail
    missing: int  # pictures that the clinic had lost before the backup was made
    checked_at: str

    @property
    def is_older_schema(self) -> bool:
        return self.schema != db.newest_schema()


@dataclass(frozen=True, slots=True)
class Candidate:
    path: str
    name: str
    made_at: str
    is_locked: bool  # encrypted, and nobody has opened it here yet
    report: Report | None = None

    @property
    def when(self) -> datetime:
        return datetime.fromisoformat(self.made_at)

    @property
    def file(self) -> Path:
        return Path(self.path)


def is_on_hold() -> bool:
    """Whether a backup is about to take the place of the clinic's data: nothing is written meanwhile."""
    return restore.is_holding(queries.instance())


def folder() -> Path:
    return restore.folder(queries.instance()) / "candidate"


def current() -> Candidate | None:
    try:
        values = json.loads((folder() / "candidate.json").read_text())
    except FileNotFoundError:
        return None
    report = values.pop("report")
    if report:
        report = Report(**(report | {"kind": BackupKind(report["kind"])}))
    return Candidate(**values, report=report)


def choose(path: Path, *, name: str) -> Candidate:
    """Think of putting this file back. Raises BadBackup when it is none."""
    archive.check_kind(path)
    header = archive.read_header(path)
    found = Candidate(str(path), name[:200], header.created_at, header.encrypted and _key_that_opens(path) is None)
    if folder() not in path.parents:
        drop()
    _keep(found)
    return found


def take_in(file: Path, *, name: str) -> Candidate:
    """Think of putting back a file that somebody sent. Raises BadBackup; then it is gone again."""
    drop()
    files.make_folder(folder())
    path = folder() / "upload.tar"
    try:
        file.rename(path)
        return choose(path, name=name)
    except BaseException:
        drop()
        raise


def unlock(chosen: Candidate, words: str) -> Candidate:
    """Open it with its passphrase or its recovery key. Raises BadBackup when they are of another one."""
    key = Key.of(chosen.file, words)
    archive.describe(chosen.file, key)
    files.put_secret(folder() / "key", key.text.encode())
    found = replace(chosen, is_locked=False)
    _keep(found)
    return found


def forget_old() -> None:
    """A backup that somebody looked at and left does not lie about, nor does its key."""
    try:
        chosen_at = (folder() / "candidate.json").stat().st_mtime
    except FileNotFoundError:
        return
    if clock.now().timestamp() - chosen_at > 24 * 3600 and not is_on_hold():
        drop()


def drop() -> None:
    """Think no more of it. A file that was sent goes; one of the backup folder stays where it is."""
    shutil.rmtree(folder(), ignore_errors=True)


def _keep(found: Candidate) -> None:
    files.make_folder(folder())
    part = folder() / "candidate.part"
    part.write_text(json.dumps(asdict(found)))
    files.put_in_place(part, folder() / "candidate.json")


def _key_that_opens(path: Path) -> Key | None:
    """The clinic's own key, or the one that somebody typed for this file."""
    for ours in (services.key(), _typed_key()):
        if ours is not None:
            try:
                archive.describe(path, ours)
            except BadBackup:
                continue
            return ours
    return None


def _typed_key() -> Key | None:
    try:
        return Key((folder() / "key").read_text())
    except FileNotFoundError:
        return None


def look(progress: work.Progress) -> Outcome:
    """Read all of it and compare every sum, beside the clinic. Raises BadBackup, Unhealthy or OSError."""
    chosen = current()
    if chosen is None:
        raise Refused(_("No backup is chosen."))
    _check_file(chosen)
    files.make_folder(queries.folder())
    try:
        with files.scratch(queries.folder()) as place:
            content = archive.verify(
                chosen.file, _key_that_opens(chosen.file), store=store_of(chosen), scratch=place, progress=progress
            )
        check_fits(content.manifest)
    except BadBackup:
        drop()
        raise
    _keep(replace(chosen, report=_report(content.manifest, content.sha256)))
    return Outcome(_("It is a good backup. Nothing was changed yet."))


def _check_file(chosen: Candidate) -> None:
    if not chosen.file.is_file():
        drop()
        raise BadBackup(_("The file is missing: its disk was taken away, or it made room for newer ones."))


def _report(manifest: Manifest, sha256: str) -> Report:
    return Report(
        sha256=sha256,
        clinic=manifest.clinic,
        clinic_id=manifest.clinic_id,
        kind=BackupKind(manifest.kind),
        app=manifest.app,
        schema=manifest.schema,
        counts=manifest.counts,
        pictures=len(manifest.media),
        size=manifest.database["size"] + manifest.media_size,
        newest_entry=manifest.anchor[0] if manifest.anchor else 0,
        missing=len(manifest.missing),
        checked_at=clock.now().isoformat(),
    )


def check_fits(manifest: Manifest) -> None:
    """Raises BadBackup when this version of the program cannot read it."""
    if manifest.schema not in db.schemas():
        raise BadBackup(_("This backup was written by a newer version of the program. Please install that one first."))


def store_of(chosen: Candidate) -> Path:
    """Where the pictures of a backup lie that does not carry them itself."""
    return chosen.file.parent / "media"


def put_back(progress: work.Progress) -> Outcome:
    """Make everything ready, keep what is there, and let the server start again on the backup's data.

    From the safety backup on nobody writes: what is acknowledged is in it. When anything fails the clinic is untouched.
    """
    chosen, instance = current(), queries.instance()
    if chosen is None or chosen.report is None:
        raise Refused(_("No backup is chosen."))
    _check_file(chosen)
    key = _key_that_opens(chosen.file)
    content = restore.stage(chosen.file, key, instance=instance, store=store_of(chosen), progress=progress)
    try:
        if content.sha256 != chosen.report.sha256:
            raise BadBackup(_("The file is not the one any more that was looked at. Please choose it again."))
        with ExitStack() as held:
            held.enter_context(files.in_turn(restore.hold(instance)))
            progress(_("Keeping what is there now"))  # a write of its own: the ones before it are stored
            keep_what_is_there(progress)
            if key:
                restore.bring_key(instance, key, archive.locked_key(chosen.file) or b"")
            restore.begin(instance, content, file_name=chosen.name)
            current_app.extensions["held_until_restart"] = held.pop_all()
    except BaseException:
        shutil.rmtree(restore.staged(instance), ignore_errors=True)
        raise
    drop()
    start_again = current_app.config.get("CPMS_START_AGAIN")
    if start_again is None:
        return Outcome(_("Everything is ready. Stop the server and start it again: it goes on with the backup's data."))
    return Outcome(_("The server starts again with the backup's data."), then=start_again)


def keep_what_is_there(progress: archive.Progress) -> str:
    """A safety backup; it enters the history when the restore is over, whichever way. The name of its file."""
    backup_id, name = jobs.new_name(BackupKind.BEFORE_RESTORE)
    jobs.write(BackupKind.BEFORE_RESTORE, backup_id=backup_id, name=name, progress=progress)
    return name


def complete(journal: restore.Journal) -> None:
    """The restored database is in its place and up to date: everybody signs in anew, and the trail tells what
    happened."""
    made = datetime.fromisoformat(journal.made_at)
    reason = f"{journal.file_name} of {made:%Y-%m-%d %H:%M} UTC"
    with through_the_hold(), transaction(RESTORE, actor=None, reason=reason):
        auth.end_all_sessions()
        feeds.revoke_all()
    restore.finish(queries.instance(), journal)
