"""A backup holds everything, is proven before it is called good, and lies where the clinic wanted it."""

import hashlib
import shutil
import tarfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from cpms.audit import queries as audit
from cpms.backups import archive, elsewhere, jobs, queries, services
from cpms.backups.archive import BadBackup, Key
from cpms.backups.models import BackupKind, BackupResult
from cpms.core.db import db, examine, fresh_read, transaction
from cpms.core.errors import Busy, Refused
from cpms.settings import services as settings
from cpms.work import jobs as work
from cpms.work import queries as works
from cpms.work.models import State
from tests.make import Make

PASSPHRASE = "seven quiet molars sing"


def back_up(kind: BackupKind = BackupKind.MANUAL) -> str:
    """Make a backup; its id, or an AssertionError with the sentence that says why there is none."""
    work_id = work.run("backups.manual", jobs.make(kind))
    assert work_id is not None
    fresh_read()
    row = works.work(work_id)
    assert row.state is State.DONE, row.message
    return row.result


def file_of(backup_id: str) -> Path:
    return queries.folder() / queries.backup(backup_id).file_name


@pytest.fixture
def picture(ctx: Flask) -> Callable[[bytes], Path]:
    """A file beside the database, as X-rays will be."""

    def put(content: bytes) -> Path:
        name = hashlib.sha256(content).hexdigest()
        path = queries.media() / name[:2] / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return put


@pytest.fixture
def encrypted(ctx: Flask) -> Key:
    key = Key.new()
    with transaction("backup.set_key", actor=None):
        services.set_key(key, PASSPHRASE)
    return key


@pytest.fixture
def disk(tmp_path: Path, ctx: Flask) -> Path:
    """The clinic's second place, chosen."""
    place = tmp_path / "usb"
    place.mkdir()
    elsewhere.choose(str(place))
    with transaction("settings.change", actor=None):
        settings.change_settings(backup_target=str(place))
    return place


def test_a_backup_tells_what_is_in_it(ctx: Flask, make: Make, picture: Callable[[bytes], Path]) -> None:
    make.patient()
    picture(b"one picture")
    row = queries.backup(back_up())
    path = file_of(row.id)
    assert (row.kind, row.result, row.error) == (BackupKind.MANUAL, BackupResult.GOOD, "")
    assert (row.size, row.sha256) == (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
    assert row.verified_at is not None
    assert row.counts["patient"] == 1
    content = archive.opened(path, None)
    assert (content.manifest.clinic, content.manifest.kind) == ("Test Dental", "manual")
    assert [each.size for each in content.manifest.media] == [len(b"one picture")]
    assert path.stat().st_mode & 0o077 == 0


def test_making_a_backup_is_in_the_trail(ctx: Flask) -> None:
    backup_id = back_up()
    entry = audit.entries(about_table="backup", about_id=backup_id)[0]
    assert entry.action == "backup.create"


def test_any_tar_can_open_a_backup_and_the_database_in_it_is_whole(ctx: Flask, make: Make, tmp_path: Path) -> None:
    make.patient(last_name="Yıldız")
    path = file_of(back_up())
    with tarfile.open(path) as tar:
        assert tar.getnames() == ["header.json", "manifest.json", "instance.json", "database.zst"]
    content = archive.opened(path, None)
    archive.unpack_database(path, content, None, tmp_path / "back.db")
    assert examine(tmp_path / "back.db").counts == content.manifest.counts


def test_a_picture_is_stored_once_for_all_backups(ctx: Flask, picture: Callable[[bytes], Path]) -> None:
    picture(b"first")
    back_up()
    [stored] = [each for each in queries.store().rglob("*") if each.is_file()]
    before = stored.stat().st_ino
    picture(b"second")
    back_up()
    assert stored.stat().st_ino == before
    assert len([each for each in queries.store().rglob("*") if each.is_file()]) == 2


@pytest.fixture
def old_backups(picture: Callable[[bytes], Path]) -> list[str]:
    """Four of one day, three days ago, of which one is too many. A picture was in the first alone."""
    gone = picture(b"gone since")
    ids = [back_up()]
    gone.unlink()
    picture(b"still there")
    ids += [back_up() for _ in range(3)]
    with transaction("backup.verify", actor=None):
        for number, each in enumerate(ids):
            queries.backup(each).created_at -= timedelta(days=3, minutes=-number)
    return ids


def stored() -> int:
    return len([each for each in queries.store().rglob("*") if each.is_file()])


def test_a_backup_that_is_kept_no_longer_takes_its_pictures_along(old_backups: list[str]) -> None:
    assert stored() == 2
    jobs.make_room()
    fresh_read()
    left = {row.id for row in queries.present()}
    assert left == set(old_backups[1:])
    assert {path.name for path in queries.folder().glob("*.tar")} == {file_of(each).name for each in left}
    assert stored() == 1
    assert jobs.verify(old_backups[1], jobs._silent) == "", "and the others are whole"


def test_an_archive_under_another_name_keeps_its_pictures(old_backups: list[str], tmp_path: Path) -> None:
    shutil.copy(file_of(old_backups[0]), queries.folder() / "before the move.tar")
    jobs.make_room()
    assert stored() == 2


def test_an_archive_that_cannot_be_read_keeps_all_pictures(old_backups: list[str]) -> None:
    (queries.folder() / "cpms-damaged.tar").write_bytes(b"x" * 4096)
    jobs.make_room()
    assert stored() == 2


def test_a_picture_that_was_damaged_is_told_and_the_rest_is_backed_up(
    ctx: Flask, picture: Callable[[bytes], Path]
) -> None:
    picture(b"whole")
    picture(b"hurt").write_bytes(b"HURT")
    row = queries.backup(back_up())
    assert row.result is BackupResult.GOOD
    assert row.error.startswith("Incomplete: 1 pictures")
    assert len(archive.opened(file_of(row.id), None).manifest.media) == 1


def test_an_encrypted_backup_shows_nothing_and_opens_with_the_passphrase_alone(
    ctx: Flask, make: Make, picture: Callable[[bytes], Path], encrypted: Key, tmp_path: Path
) -> None:
    make.patient(first_name="ZZPHIfirst", last_name="ZZPHIlast")
    picture(b"ZZPHIpicture" * 100)
    path = file_of(back_up())
    everything = [path, *(each for each in queries.store().rglob("*") if each.is_file())]
    for file in everything:
        assert b"ZZPHI" not in file.read_bytes()
        assert b"Test Dental" not in file.read_bytes()
    locked = archive.locked_key(path)
    assert locked is not None
    key = Key.unlocked(locked, PASSPHRASE)
    content = archive.opened(path, key)
    archive.unpack_database(path, content, key, tmp_path / "back.db")
    assert examine(tmp_path / "back.db").counts["patient"] == 1
    with pytest.raises(BadBackup, match="passphrase does not open"):
        Key.unlocked(locked, PASSPHRASE + "!")
    with pytest.raises(BadBackup, match="is needed"):
        archive.opened(path, None)
    with pytest.raises(BadBackup, match="does not open it"):
        archive.opened(path, Key.new())


def test_the_key_lies_in_a_file_for_the_server_alone_and_never_in_the_trail(ctx: Flask, encrypted: Key) -> None:
    assert queries.key_file().stat().st_mode & 0o077 == 0
    told = str([change.columns for change in audit.changes_of(audit.entries(limit=1)[0].id)])
    assert encrypted.public in told
    assert "AGE-SECRET-KEY" not in told


def test_without_its_key_nothing_is_backed_up_in_clear_text(ctx: Flask, encrypted: Key) -> None:
    queries.key_file().unlink()
    work_id = work.run("backups.manual", jobs.make(BackupKind.MANUAL))
    assert work_id is not None
    fresh_read()
    row = works.work(work_id)
    assert (row.state, row.message.startswith("The key of the backups is missing")) == (State.FAILED, True)
    assert list(queries.folder().glob("*.tar")) == []
    assert [each.result for each in queries.backups().rows] == [BackupResult.FAILED]


def test_the_second_place_gets_a_copy(ctx: Flask, picture: Callable[[bytes], Path], disk: Path) -> None:
    picture(b"one")
    row = queries.backup(back_up())
    assert (row.target, row.target_error, row.copied_at is not None) == (str(disk), "", True)
    assert archive.sum_of(disk / row.file_name) == row.sha256
    assert len([each for each in (disk / "media").rglob("*") if each.is_file()]) == 1


def test_a_disk_that_is_not_plugged_in_leaves_a_good_backup_and_a_sentence(ctx: Flask, disk: Path) -> None:
    (disk / elsewhere.MARK).unlink()
    row = queries.backup(back_up())
    assert row.result is BackupResult.GOOD
    assert "Is it plugged in?" in row.target_error
    assert list(disk.iterdir()) == []


@pytest.mark.parametrize("path", ["relative/folder", "/no/such/folder"])
def test_a_second_place_must_be_there(ctx: Flask, path: str) -> None:
    with pytest.raises(Refused, match="no such folder"):
        elsewhere.choose(path)


def test_the_second_place_is_not_the_first(ctx: Flask) -> None:
    queries.folder().mkdir(exist_ok=True)
    with pytest.raises(Refused, match="same place"):
        elsewhere.choose(str(queries.folder()))


def test_what_a_killed_backup_left_is_thrown_away(ctx: Flask) -> None:
    queries.folder().mkdir()
    (queries.folder() / "scratch-old").mkdir()
    (queries.folder() / "scratch-old" / "clinic.db").write_bytes(b"half")
    (queries.folder() / "cpms-x.part").write_bytes(b"half")
    back_up()
    assert {each.suffix for each in queries.folder().iterdir()} == {".tar"}


def test_an_archive_that_the_history_does_not_know_is_entered(ctx: Flask) -> None:
    backup_id = back_up()
    path = file_of(backup_id)
    with transaction("test.forget", actor=None):
        db.session.connection().exec_driver_sql("DELETE FROM backup")
    (queries.folder() / "cpms-broken.tar").write_bytes(path.read_bytes()[:-1])
    jobs.adopt()
    [row] = queries.backups().rows
    assert (row.id, row.file_name, row.result) == (backup_id, path.name, BackupResult.GOOD)


def test_a_backup_that_was_changed_afterwards_is_called_bad(ctx: Flask) -> None:
    backup_id = back_up()
    path = file_of(backup_id)
    path.write_bytes(path.read_bytes().replace(b"Test Dental", b"Best Dental"))
    assert "its sum is wrong" in jobs.verify(backup_id, lambda *_: None)
    fresh_read()
    row = queries.backup(backup_id)
    assert (row.result, queries.last_good()) == (BackupResult.FAILED, None)


def test_a_backup_whose_file_is_gone_or_another_s_is_called_bad(ctx: Flask) -> None:
    first, second = back_up(), back_up()
    file_of(second).write_bytes(file_of(first).read_bytes())
    assert "Another backup" in jobs.verify(second, lambda *_: None)
    file_of(first).unlink()
    assert "missing" in jobs.verify(first, lambda *_: None)


def test_the_drill_opens_the_newest_backup_and_finds_its_patients(ctx: Flask, make: Make) -> None:
    for _ in range(3):
        make.patient()
    back_up()
    work_id = work.run("backups.drill", jobs.drill)
    assert work_id is not None
    fresh_read()
    row = works.work(work_id)
    assert (row.state, row.message.endswith("Patients in it: 3.")) == (State.DONE, True), row.message
    assert [each.name for each in queries.folder().iterdir() if each.is_dir()] == []


def test_the_nightly_look_at_the_trail_compares_it_with_the_backups(ctx: Flask) -> None:
    back_up()
    back_up()
    assert len(jobs.anchors()) == 2
    work_id = work.run("audit.verify", jobs.verify_trail)
    assert work_id is not None
    fresh_read()
    assert works.work(work_id).message.startswith("The trail is whole")
    assert audit.entries(limit=1)[0].action == "audit.verify"


def test_a_busy_server_is_a_sentence_and_says_nothing_of_the_backup(ctx: Flask) -> None:
    backup_id = back_up()

    def busy(*_told: object) -> None:
        raise Busy

    work_id = work.run("backups.verify", lambda _progress: work.Outcome(jobs.verify(backup_id, busy)))
    fresh_read()
    assert works.work(work_id or 0).message == ("The server is busy. Nothing was saved; please try again in a moment.")
    assert queries.backup(backup_id).result is BackupResult.GOOD
