"""Making a backup, proving it, copying it elsewhere. All of it is slow, so transactions only tell how it ended."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import current_app
from flask_babel import gettext as _

from cpms.audit import queries as audit
from cpms.audit.rules import Anchor, Verdict
from cpms.backups import archive, elsewhere, queries, rules, services
from cpms.backups.archive import BadBackup, Key, Manifest, Opened, Picture, Progress
from cpms.backups.models import BackupKind, BackupResult
from cpms.core import clock
from cpms.core.db import Actor, copy_database, reading, transaction
from cpms.core.errors import CannotWrite, DiskFull, DomainError, ReadOnly, Refused, Unhealthy
from cpms.core.files import digest, make_folder, put_in_place, put_secret, scratch, tidy
from cpms.settings import queries as settings
from cpms.work import jobs as work
from cpms.work.jobs import Outcome, Task

ROOM = 64 * 1024 * 1024  # bytes that a backup leaves free
RESERVE = 64 * 1024 * 1024  # bytes that are given back when the disk is full
DRILL_WITHIN = 30 * 60  # seconds


def make(kind: BackupKind, *, actor: Actor | None = None) -> Task:
    """A backup: written, verified, in the history, copied to the second place; old ones make room."""

    def task(progress: work.Progress) -> Outcome:
        backup_id, name = new_name(kind)
        try:
            content = write(kind, backup_id=backup_id, name=name, progress=progress)
        except Exception as error:
            why = work.words_of(error) or type(error).__name__
            # A disk that is full takes no row either: then the log alone tells about it.
            with suppress(DiskFull, ReadOnly), transaction("backup.fail", actor=actor):
                services.record_failed(backup_id, name, kind, why=why)
            raise
        with transaction("backup.create", actor=actor):
            row = services.record_good(queries.folder() / name, content)
            row_id = row.id
        problem = elsewhere.copy(row_id, progress)
        make_room()
        return Outcome(problem or _("The backup is written and proven."), row_id)

    return task


def new_name(kind: BackupKind) -> tuple[str, str]:
    """The id of a backup to be made, and the name of its file."""
    backup_id = str(uuid.uuid4())
    return backup_id, f"cpms-{clock.clinic_now():%Y%m%d-%H%M%S}-{kind}-{backup_id[:8]}.tar"


def nightly(progress: work.Progress) -> Outcome:
    adopt()
    return make(BackupKind.NIGHTLY)(progress)


def verify_trail(progress: work.Progress) -> Outcome:
    """Read the whole trail and compare it with the seals that the backups remember. Raises Refused when it was
    changed; either way the answer stands in the trail."""
    progress(_("Reading the trail"), 0, 0)
    verdict = audit.verify(current_app.config["CPMS_AUDIT_KEY"], anchors())
    words = trail_in_words(verdict)
    with transaction("audit.verify", actor=None, reason=words[:300]):
        pass
    if not verdict.is_whole:
        raise Refused(words)
    return Outcome(words)


def trail_in_words(verdict: Verdict) -> str:
    if verdict.is_whole:
        return _("The trail is whole: %(n)d entries.", n=verdict.entries)
    if verdict.broken:
        numbers = ", ".join(map(str, verdict.broken[:5]))
        return _("The trail was changed: entries that do not fit their seals: %(numbers)s.", numbers=numbers)
    return _("The trail was cut or written anew: entry %(n)d is not the one a backup remembers.", n=verdict.lost[0].id)


def anchors() -> list[Anchor]:
    """The newest entries that the backups in the folder and in the second place remember."""
    found = set()
    target = settings.current().backup_target
    for folder in [queries.folder(), *([Path(target)] if target else [])]:
        for path in sorted(folder.glob("cpms-*.tar")) if folder.is_dir() else []:
            try:
                anchor = archive.opened(path, services.key()).manifest.anchor
            except (DomainError, OSError):
                continue  # the check of the backups tells about it
            if anchor:
                found.add(Anchor(anchor[0], anchor[1], datetime.fromisoformat(anchor[2]).replace(tzinfo=UTC)))
    return sorted(found)


def write(kind: BackupKind, *, backup_id: str, name: str, progress: Progress) -> Opened:
    """Write and prove an archive; it enters no history. Raises BadBackup, Refused, Unhealthy or OSError."""
    folder, wishes = queries.folder(), settings.current()
    make_folder(folder)
    tidy(folder)
    key, locked = services.key_to_encrypt_with(wishes.backup_key) or (None, None)
    _check_room(folder)
    with scratch(folder) as place:
        progress(_("Copying the database"), 0, 0)
        database = place / "clinic.db"
        examined = copy_database(database)
        clinic_id, anchor = _seals(database)
        pictures, missing = _store_pictures(key, place, progress)
        manifest = Manifest(
            id=backup_id,
            created_at=clock.now().isoformat(),
            kind=kind,
            app=current_app.config["CPMS_VERSION"],
            schema=examined.schema,
            clinic=wishes.clinic_name,
            clinic_id=clinic_id,
            counts=examined.counts,
            database={"sha256": digest(database), "size": database.stat().st_size},
            anchor=anchor,
            media=pictures,
            missing=missing,
        )
        progress(_("Writing the backup"), 0, 0)
        packed = archive.pack_database(database, place, key)
        database.unlink()
        target = folder / name
        archive.write(target, manifest=manifest, instance=_instance(), database=packed, key=key, locked_key=locked)
        packed.unlink()
        try:
            return archive.verify(target, key, store=queries.store(), scratch=place, progress=progress)
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def _instance() -> dict[str, str]:
    """What the server needs beside its database to be the same one elsewhere."""
    return {"audit_key": current_app.config["CPMS_AUDIT_KEY"].hex()}


def _seals(database: Path) -> tuple[str, list[object] | None]:
    """The clinic's id, which is the first seal of its trail, and the newest entry."""
    with reading(database) as ask:
        if not ask("SELECT 1 FROM pragma_table_info('audit_entry') WHERE name = 'mac'"):
            return "", None  # a schema from before the trail was sealed
        ends = [
            ask(f"SELECT id, mac, created_at FROM audit_entry ORDER BY id {way} LIMIT 1")  # noqa: S608 - ours
            for way in ("ASC", "DESC")
        ]
    return (ends[0][0][1], list(ends[1][0])) if ends[0] else ("", None)


def _store_pictures(key: Key | None, place: Path, progress: Progress) -> tuple[tuple[Picture, ...], tuple[str, ...]]:
    """Put every picture that is not there yet into the backups' store. One that is not what its name says is told."""
    media, store = queries.media(), queries.store()
    files = [file for file in sorted(media.rglob("*")) if file.is_file() and not file.name.endswith(".part")]
    pictures, missing = [], []
    for number, file in enumerate(files):
        progress(_("Copying the pictures"), number, len(files))
        picture = Picture(file.relative_to(media).as_posix(), file.name.partition(".")[0], file.stat().st_size)
        target = archive.in_store(store, picture, key)
        if not target.exists():
            if digest(file) != picture.sha256:
                missing.append(picture.path)
                continue
            make_folder(target.parent)
            put_in_place(archive.seal_file(file, place / "picture", key), target)
        pictures.append(picture)
    return tuple(pictures), tuple(missing)


def verify(backup_id: str, progress: Progress) -> str:
    """Prove a backup again; the sentence when it is not good any more."""
    row = queries.backup(backup_id)
    path, encrypted, sum_then = queries.folder() / row.file_name, row.encrypted, row.sha256
    try:
        with scratch(queries.folder()) as place:
            key = services.key() if encrypted else None
            content = archive.verify(path, key, store=queries.store(), scratch=place, progress=progress)
        if content.manifest.id != backup_id or content.sha256 != sum_then:
            raise BadBackup(_("Another backup lies under this one's name."))
        problem = ""
    except FileNotFoundError:
        problem = _("Its file is missing.")
    except CannotWrite:
        raise  # says nothing of the backup
    except (DomainError, Unhealthy) as error:
        problem = work.words_of(error)
    with transaction("backup.verify", actor=None, about=queries.backup(backup_id)):
        services.record_verified(queries.backup(backup_id), problem=problem)
    return problem


def keep_reserve() -> None:
    """Set room aside while there is plenty: given back on a full disk, it lets the clinic write again."""
    file = queries.reserve()
    if file.exists() or shutil.disk_usage(file.parent).free < 20 * RESERVE:
        return
    part = file.with_suffix(".part")
    try:
        with part.open("wb") as out:
            os.posix_fallocate(out.fileno(), 0, RESERVE)
        put_in_place(part, file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def check_again(backup_id: str) -> Task:
    def task(progress: work.Progress) -> Outcome:
        if problem := verify(backup_id, progress):
            raise BadBackup(problem)
        return Outcome(_("This backup is good: everything in it was read and compared."))

    return task


def make_room() -> None:
    """Let go of the backups that the rules no longer keep, here and in the second place."""
    rows = queries.present()
    kept = [rules.Kept(row.id, clock.to_wall(row.created_at), row.result is BackupResult.GOOD) for row in rows]
    gone = rules.let_go(kept, now=clock.clinic_now())
    for row_id, name in [(row.id, row.file_name) for row in rows if row.id in gone]:
        with transaction("backup.remove", actor=None, about=queries.backup(row_id)):
            services.record_removed(queries.backup(row_id))
        (queries.folder() / name).unlink(missing_ok=True)
        target = settings.current().backup_target
        if target and elsewhere.is_plugged_in(Path(target)):
            (Path(target) / name).unlink(missing_ok=True)
    if gone:
        _let_go_of_pictures()


def _let_go_of_pictures() -> None:
    """Remove what the store keeps for no backup any more. A folder with an archive that cannot be read keeps all: it
    may be that one which needs them."""
    target = settings.current().backup_target
    places = [queries.folder(), *([Path(target)] if target and elsewhere.is_plugged_in(Path(target)) else [])]
    for place in places:
        wanted = set()
        try:
            for path in place.glob("*.tar"):  # somebody may have given it another name
                encrypted = archive.read_header(path).encrypted
                for picture in archive.describe(path, services.key()).media:
                    wanted.add(archive.in_store(place / "media", picture, services.key() if encrypted else None))
        except (DomainError, OSError):
            continue
        for file in [file for file in (place / "media").rglob("*") if file.is_file() and file not in wanted]:
            file.unlink()


def adopt() -> None:
    """Enter archives of the folder that the history does not know: from before an upgrade, or from a time that a
    restore has put behind us."""
    folder = queries.folder()
    for path in sorted(folder.glob("cpms-*.tar")):
        if path.name in queries.known_files():
            continue
        try:
            with scratch(folder) as place:
                content = archive.verify(path, services.key(), store=queries.store(), scratch=place, progress=_silent)
        except (DomainError, Unhealthy, OSError):
            continue  # encrypted with a key that is not here, or damaged: nothing that the history could say of it
        if queries.is_known(content.manifest.id):
            continue  # a copy under another name
        with transaction("backup.adopt", actor=None):
            services.record_good(path, content)


def drill(progress: work.Progress) -> Outcome:
    """Restore the newest good backup into a folder of its own, start the program on it and read a patient."""
    row = queries.last_good()
    if row is None:
        raise Refused(_("There is no good backup to try."))
    path, encrypted, name = queries.folder() / row.file_name, row.encrypted, row.file_name
    key = services.key() if encrypted else None
    with scratch(queries.folder()) as place:
        content = archive.verify(path, key, store=queries.store(), scratch=place, progress=progress)
        progress(_("Starting the program on the backup"), 0, 0)
        home = place / "instance"
        home.mkdir(mode=0o700)
        archive.unpack_database(path, content, key, home / "clinic.db")
        put_secret(home / "audit.key", bytes.fromhex(content.instance["audit_key"]))
        found = _try_out(home)
    if found["patients"] != content.manifest.counts.get("patient", 0):
        raise BadBackup(_("The restored clinic does not have as many patients as the backup says."))
    if not found["trail_is_whole"]:
        raise BadBackup(_("The trail of the restored clinic was changed."))
    return Outcome(_("%(file)s was restored and opened. Patients in it: %(n)d.", file=name, n=found["patients"]))


def _try_out(home: Path) -> dict[str, object]:
    """`flask cpms try-out` in a process of its own, on the folder `home` and nothing else."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("CPMS_")}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "cpms", "cpms", "try-out"],
        cwd=Path(current_app.root_path).parent,
        env=others | {"CPMS_INSTANCE": str(home)},
        capture_output=True,
        text=True,
        timeout=DRILL_WITHIN,
        check=False,
    )
    if done.returncode != 0:
        raise BadBackup(_("The program does not start on the restored clinic: %(why)s", why=done.stderr[-200:]))
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _check_room(folder: Path) -> None:
    """A backup needs the database's size three times over: its copy, its packed form, and the copy that proves it."""
    database = sum(file.stat().st_size for file in queries.instance().glob("clinic.db*"))
    pictures = sum(file.stat().st_size for file in queries.media().rglob("*") if file.is_file())
    stored = sum(file.stat().st_size for file in queries.store().rglob("*") if file.is_file())
    need, free = database * 3 + max(0, pictures - stored) + ROOM, shutil.disk_usage(folder).free
    if free < need:
        raise Refused(
            _(
                "There is no room for a backup: it needs %(need)d MB, and %(free)d MB are free.",
                need=need >> 20,
                free=free >> 20,
            )
        )


def _silent(_words: str, _done: int = 0, _total: int = 0) -> None:
    """For work that nobody watches."""


def is_overdue(limit: timedelta = rules.CATCH_UP_AFTER) -> bool:
    return rules.is_old(queries.last_good_at(), now=clock.now(), limit=limit)
