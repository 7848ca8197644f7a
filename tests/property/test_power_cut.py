"""The power fails at any moment of a recorded day: what was acknowledged is there when it is back, whole."""

import hashlib
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlcipher3.dbapi2
from sqlalchemy import event
from sqlalchemy.orm import Session

from config import Config
from cpms import cli, create_app
from cpms.auth import queries as auth
from cpms.backups import archive, jobs, queries, restore
from cpms.backups.archive import BadBackup
from cpms.backups.models import BackupKind
from cpms.calendar import queries as calendar
from cpms.calendar import services as booking
from cpms.calendar.models import Status
from cpms.core import clock, files
from cpms.core import db as database
from cpms.core.db import db, examine, transaction
from cpms.patients import services as patients
from cpms.work import jobs as work
from tests.drill import reached, times
from tests.make import Make
from tests.power import Disk, Mark, Names, Tape, Write, put, recording

CUTS = times(200, 10_000)
CUTS_OF_CONTROLS = times(40, 1000)
CUTS_OF_RESTORE = times(100, 1000)
NOW = datetime(2026, 9, 1, 7, 0, tzinfo=UTC)
MONDAY = datetime(2026, 9, 7, 8, 0)
TURNS = 60
ROOM = 500_000_000  # bytes
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%\\_search%' ESCAPE '\\' ORDER BY name"


@pytest.fixture
def home(template_db: Path, tmp_path: Path) -> Path:
    return a_clinic(template_db, tmp_path / "clinic")


def a_clinic(template_db: Path, place: Path) -> Path:
    place.mkdir()
    shutil.copy(template_db, place / "clinic.db")
    for name in ("audit.key", "secret.key"):
        shutil.copy(template_db.parent / name, place / name)
    return place


def rows(connection: Any) -> str:
    """All that is stored, as one sum."""
    total = hashlib.sha256()
    for (table,) in connection.execute(TABLES).fetchall():
        for row in connection.execute(f'SELECT * FROM "{table}" ORDER BY 1'):
            total.update(repr((table, row)).encode())
    return total.hexdigest()


@contextmanager
def telling(tape: Tape, file: Path) -> Iterator[None]:
    """After each commit of the program the tape says what is stored from then on."""
    reader = sqlcipher3.dbapi2.connect(file, check_same_thread=False)

    def acknowledged(_session: Session) -> None:
        tape.mark(rows(reader))

    tape.mark(rows(reader))
    event.listen(Session, "after_commit", acknowledged)
    try:
        yield
    finally:
        event.remove(Session, "after_commit", acknowledged)
        reader.close()


def a_day(home: Path) -> Tape:
    """Patients with pictures, visits, changes, two backups; everything through the program's own services."""
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(home)}), TESTING=False)
    with recording(home) as tape, app.app_context(), clock.freeze(NOW):
        with telling(tape, home / "clinic.db"):
            chair, provider = calendar.chairs()[0].id, auth.providers()[0].id
            for turn in range(TURNS):
                picture = put_picture(turn) if turn % 4 == 0 else ""
                with transaction("patient.create", actor=None):
                    row = patients.create_patient(
                        first_name="Selma", last_name=f"Y{turn}", date_of_birth=date(1985, 3, 2), notes=picture
                    )
                start = MONDAY + timedelta(days=turn // 16 * 7, minutes=30 * (turn % 16))
                with transaction("event.create", actor=None):
                    visit = booking.book(
                        start=start,
                        end=start + timedelta(minutes=30),
                        chair_id=chair,
                        provider_id=provider,
                        patient_id=row.id,
                    )
                with transaction("event.status", actor=None, about=visit):
                    booking.set_status(visit, Status.CONFIRMED, seen=visit.row_version)
                if turn in {TURNS // 3, TURNS - 2}:
                    work.run("backups.manual", jobs.make(BackupKind.MANUAL))
        db.session.remove()
        db.engine.dispose()
    return tape


@pytest.fixture(scope="module")
def day(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Recorded once: the power is cut in what was written down, and its folder stays as the day left it."""
    return a_day(a_clinic(template_db, tmp_path_factory.mktemp("day") / "clinic"))


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """Where it is looked at what is left: in memory, where there is any, since no disk is needed for that."""
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > ROOM
    place = Path(tempfile.mkdtemp(dir=memory if has_room else tmp_path))
    yield place
    shutil.rmtree(place)


def put_picture(turn: int) -> str:
    """A file beside the database, there before the row that names it."""
    content = random.Random(turn).randbytes(9000)
    name = hashlib.sha256(content).hexdigest()
    folder = queries.media() / name[:2]
    files.make_folder(folder)
    part = folder / f"{name}.part"
    part.write_bytes(content)
    files.put_in_place(part, folder / f"{name}.png")
    return name


@dataclass
class Found:
    cuts: int = 0
    lost: int = 0
    spoilt: int = 0
    files_lost: int = 0
    half: int = 0  # files that bear a final name and are not whole


def lose_power_again_and_again(tape: Tape, cuts: int, scratch: Path) -> Found:
    dice, disk, found = random.Random(4), Disk(tape), Found()
    for moment in moments(tape, cuts, dice):
        disk.play(moment)
        here = put(disk.lose_power(dice), scratch / "left")
        look(here, disk, found)
        shutil.rmtree(here)
        found.cuts += 1
    return found


def moments(tape: Tape, cuts: int, dice: random.Random) -> list[int]:
    """Half of them anywhere, half of them where a name has just changed: those are few and matter most."""
    first = next(n for n, each in enumerate(tape.events) if isinstance(each, Mark)) + 1
    anywhere = range(first, len(tape.events) + 1)
    names = [n for n in anywhere if isinstance(tape.events[n - 1], Names)]
    return sorted(dice.choice(names if number % 2 else anywhere) for number in range(cuts))


def look(here: Path, disk: Disk, found: Found) -> None:
    """What the cut has left against what had been acknowledged by then. One commit may have been under way."""
    connection = sqlcipher3.dbapi2.connect(here / "clinic.db")
    connection.execute("PRAGMA synchronous=OFF")  # we only look
    try:
        try:
            whole = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            whole = whole and connection.execute("PRAGMA foreign_key_check").fetchall() == []
            stored = rows(connection)
            pictures = [name for (name,) in connection.execute("SELECT notes FROM patient WHERE notes <> ''")]
            good = connection.execute("SELECT file_name, sha256 FROM backup WHERE result = 'good'").fetchall()
        except sqlcipher3.dbapi2.DatabaseError:
            found.spoilt += 1
            return
    finally:
        connection.close()
    known, under_way = disk.told, disk.next_told()
    if not whole or stored not in {*known, under_way}:
        found.spoilt += 1
    elif stored not in {known[-1], under_way}:
        found.lost += 1
    found.files_lost += sum(not is_there(here, name) for name in pictures)
    for name, whole_sum in good:
        path = here / "backups" / name
        found.files_lost += not path.exists() or files.digest(path) != whole_sum or stored_pictures_missing(path)
    found.half += sum(not is_whole(path) for path in here.glob("backups/cpms-*.tar"))
    found.half += sum(not is_whole_copy(path) for path in here.glob("backups/scratch-*/clinic.db"))


def is_there(here: Path, name: str) -> bool:
    path = here / "media" / name[:2] / f"{name}.png"
    return path.exists() and files.digest(path) == name


def is_whole(path: Path) -> bool:
    try:
        archive.sum_of(path)
    except BadBackup:
        return False
    return True


def is_whole_copy(path: Path) -> bool:
    try:
        examine(path)
    except database.Unhealthy:
        return False
    return True


def stored_pictures_missing(path: Path) -> bool:
    content = archive.opened(path, None)
    for picture in content.manifest.media:
        stored = archive.in_store(path.parent / "media", picture, None)
        if not stored.exists() or files.digest(stored) != picture.sha256:
            return True
    return False


def test_the_tape_tells_all_that_happened(day: Tape) -> None:
    """Else the drill would cut the power of another day than this one."""
    disk, home = Disk(day), day.folder
    disk.play(len(day.events))
    there = {path.relative_to(home).as_posix(): path for path in home.rglob("*") if not path.name.endswith("-shm")}
    assert disk.all_kept() == {name: path.read_bytes() if path.is_file() else None for name, path in there.items()}
    assert checkpoints(day), "the log was folded into the database in the middle"


def checkpoints(tape: Tape) -> bool:
    main = tape.nodes["clinic.db"]
    return sum(isinstance(each, Write) and each.file == main for each in tape.events) > 100


@pytest.mark.slow
def test_a_power_cut_loses_nothing_that_was_acknowledged(day: Tape, scratch: Path) -> None:
    found = lose_power_again_and_again(day, CUTS, scratch)
    assert found == Found(cuts=CUTS)
    commits = sum(isinstance(each, Mark) for each in day.events) - 1
    reached("A power cut loses nothing", CUTS, f"in {commits} commits: 0 lost, 0 corrupt, 0 files lost")


@pytest.mark.slow
def test_a_database_that_waits_for_no_disk_does_lose_some(
    home: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: were nothing lost here either, the test above would prove nothing."""
    hasty = tuple(pragma.replace("synchronous=FULL", "synchronous=NORMAL") for pragma in database.SQLITE_PRAGMAS)
    monkeypatch.setattr(database, "SQLITE_PRAGMAS", hasty)
    found = lose_power_again_and_again(a_day(home), CUTS_OF_CONTROLS, scratch)
    assert found.lost > 0
    assert found.spoilt == 0, "old, but not broken"
    reached("A power cut loses nothing", 0, f"control, synchronous=NORMAL: {found.lost} of {found.cuts} lose some")


@pytest.mark.slow
def test_files_that_wait_for_no_disk_do_get_lost(day: Tape, scratch: Path) -> None:
    found = lose_power_again_and_again(day.on_a_disk_that_lies(), CUTS_OF_CONTROLS, scratch)
    assert found.files_lost > 0
    assert found.half > 0
    reached("A power cut loses nothing", 0, f"control, fsync of files ignored: {found.files_lost} files lost")


@pytest.fixture
def two_states(home: Path, tmp_path: Path) -> Path:
    """A clinic that was never closed, with a backup of the time when it had one patient and a picture."""
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(home)}), TESTING=False)
    with app.app_context():
        Make(app).patient(last_name="Then", notes=put_picture(1))
        jobs.write(BackupKind.MANUAL, backup_id="one", name="cpms-one.tar", progress=jobs._silent)
        shutil.rmtree(queries.media())
        Make(app).patient(last_name="Since")
        place = shutil.copytree(home, tmp_path / "unclosed", ignore=shutil.ignore_patterns("*-shm"))
        db.session.remove()
        db.engine.dispose()
    assert (place / "clinic.db-wal").stat().st_size > 0
    return place


@pytest.mark.slow
def test_a_power_cut_while_a_backup_is_put_back(two_states: Path, scratch: Path) -> None:
    file, then = two_states / "backups" / "cpms-one.tar", put_back(two_states)
    disk, dice = Disk(then), random.Random(5)
    for moment in sorted(dice.randrange(len(then.events) + 1) for _ in range(CUTS_OF_RESTORE)):
        disk.play(moment)
        here = put(disk.lose_power(dice), scratch / "left")
        cli.begin_to_serve(here).close()
        begun = disk.told[-1] == "begun"
        names = patients_in(here / "clinic.db")
        assert names == ["Then"] if begun else names in (["Then"], ["Then", "Since"]), moment
        if names == ["Then"]:
            assert all(is_there(here, picture.sha256) for picture in archive.opened(file, None).manifest.media), moment
        shutil.rmtree(here)
    reached("A power cut loses nothing", 0, f"{CUTS_OF_RESTORE} more while a backup is put back")


def put_back(home: Path) -> Tape:
    """As `restore` does with the files."""
    file = home / "backups" / "cpms-one.tar"
    with recording(home) as tape:
        content = restore.stage(file, None, instance=home, store=file.parent / "media", progress=jobs._silent)
        restore.begin(home, content, file_name=file.name)
        tape.mark("begun")
        journal = restore.change_over(home)
        assert journal is not None
        restore.finish(home, journal)
    return tape


def patients_in(file: Path) -> list[str]:
    connection = sqlcipher3.dbapi2.connect(file)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [name for (name,) in connection.execute("SELECT last_name FROM patient ORDER BY id")]
    finally:
        connection.close()
