"""Putting a backup back: the clinic is wholly as it was then, or wholly as it was before, whenever the power goes."""

import hashlib
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlcipher3.dbapi2
from click.testing import Result
from flask import Flask

from config import Config
from cpms import cli, create_app
from cpms.audit import queries as audit
from cpms.audit import rules as trail
from cpms.auth import queries as auth
from cpms.backups import archive, jobs, queries, restore
from cpms.backups.archive import BadBackup, Key
from cpms.backups.models import BackupKind
from cpms.backups.restore import Step
from cpms.core import files
from cpms.core.db import db, transaction
from cpms.feeds import queries as feed_queries
from cpms.feeds import services as feeds
from cpms.patients import queries as patients
from cpms.settings import services as settings
from tests.make import Make

Open = Callable[[], Flask]
SECRET = "seven quiet molars sing"


@pytest.fixture
def home(template_db: Path, tmp_path: Path) -> Path:
    """A clinic's folder of its own."""
    place = tmp_path / "instance"
    place.mkdir()
    shutil.copy(template_db, place / "clinic.db")
    shutil.copy(template_db.parent / "audit.key", place / "audit.key")
    return place


@pytest.fixture
def start(home: Path) -> Iterator[Open]:
    """The program, started on it as the server starts."""
    started = []

    def fresh() -> Flask:
        cli.begin_to_serve(home).close()
        app = create_app(Config.from_env({"CPMS_INSTANCE": str(home)}), TESTING=False)
        started.append(app)
        with app.app_context():
            cli.bring_up_to_date()
        return app

    yield fresh
    for app in started:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def close(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def names(home: Path) -> list[str]:
    """The patients in the clinic's file, past the program."""
    connection = sqlcipher3.dbapi2.connect(home / "clinic.db")
    try:
        return [name for (name,) in connection.execute("SELECT last_name FROM patient ORDER BY id")]
    finally:
        connection.close()


@pytest.fixture
def backup(home: Path, start: Open) -> Path:
    """A backup of a clinic with one patient and a picture; since then it got another patient."""
    app = start()
    make = Make(app)
    make.patient(last_name="Then")
    with app.app_context():
        queries.media().mkdir()
        content = b"a picture"
        name = hashlib.sha256(content).hexdigest()
        (queries.media() / name[:2]).mkdir()
        (queries.media() / name[:2] / f"{name}.png").write_bytes(content)
        jobs.write(BackupKind.MANUAL, backup_id="one", name="cpms-one.tar", progress=jobs._silent)
        (queries.media() / name[:2] / f"{name}.png").unlink()
    make.patient(last_name="Since")
    close(app)
    return home / "backups" / "cpms-one.tar"


@pytest.fixture
def command(home: Path, start: Open) -> Callable[..., Result]:
    def run(*words: Any) -> Result:
        app = create_app(Config.from_env({"CPMS_INSTANCE": str(home)}), TESTING=False)
        try:
            return app.test_cli_runner().invoke(args=["cpms", "restore", *map(str, words)])
        finally:
            close(app)

    return run


def test_the_clinic_is_as_it_was_then(home: Path, backup: Path, command: Callable[..., Result], start: Open) -> None:
    done = command(backup, "--yes")
    assert done.exit_code == 0, done.output
    assert names(home) == ["Then"]
    assert [file.name[-4:] for file in (home / "media").rglob("*.png")] == [".png"]
    app = start()
    with app.app_context():
        assert auth.all_open_sessions() == []
        newest = audit.entries(limit=10)
        assert any(entry.action == trail.RESTORE and "cpms-one.tar" in (entry.reason or "") for entry in newest)
        assert audit.verify(app.config["CPMS_AUDIT_KEY"], jobs.anchors()).is_whole
        kinds = {row.kind for row in queries.backups().rows}
        assert kinds == {BackupKind.MANUAL, BackupKind.BEFORE_RESTORE}, "the safety backup is in the history"
        Make(app).patient(last_name="Later")
    assert names(home) == ["Then", "Later"]
    assert (home / "restore" / "history.log").read_text().endswith("cpms-one.tar: done\n")


def test_an_address_of_a_feed_does_not_come_back_with_a_backup(home: Path, start: Open) -> None:
    app = start()
    ada = Make(app).user("ada")
    with app.app_context():
        with transaction("settings.change", actor=None):
            settings.change_settings(feeds_on=True)
        with transaction("feed.renew", actor=None):
            feeds.renew(auth.user(ada.id))
        jobs.write(BackupKind.MANUAL, backup_id="one", name="cpms-one.tar", progress=jobs._silent)
    close(app)
    begun(start, home, home / "backups" / "cpms-one.tar")
    app = start()
    with app.app_context():
        feed = feed_queries.of_user(ada.id)
        assert feed is not None and feed.token_hash is None


def test_pictures_that_are_still_there_take_no_room(home: Path, backup: Path, start: Open) -> None:
    [stored] = [file for file in (backup.parent / "media").rglob("*") if file.is_file()]
    own = home / "media" / stored.name[:2] / f"{stored.name}.png"
    shutil.copy(stored, own)
    begun(start, home, backup)
    [placed] = (restore.staged(home) / "media").rglob("*.png")
    assert placed.stat().st_ino == own.stat().st_ino
    close(start())
    assert own.read_bytes() == b"a picture"


def test_a_disk_without_room_is_told_before_anything_is_unpacked(
    home: Path, backup: Path, command: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(100 << 20, 70 << 20, 30 << 20))
    done = command(backup, "--yes")
    assert done.exit_code == 1
    assert "There is no room for a backup: it needs 64 MB, and 30 MB are free." in done.output, "the safety backup"
    assert names(home) == ["Then", "Since"]
    assert not restore.staged(home).exists()


def test_a_picture_that_was_damaged_since_comes_from_the_backup(home: Path, backup: Path, start: Open) -> None:
    [stored] = [file for file in (backup.parent / "media").rglob("*") if file.is_file()]
    own = home / "media" / stored.name[:2] / f"{stored.name}.png"
    own.write_bytes(b"a PICTURE")
    begun(start, home, backup)
    close(start())
    assert own.read_bytes() == b"a picture"


def test_a_restore_can_be_taken_back_by_another(home: Path, backup: Path, command: Callable[..., Result]) -> None:
    command(backup, "--yes")
    [safety] = backup.parent.glob("*before_restore*")
    assert command(safety, "--yes").exit_code == 0
    assert names(home) == ["Then", "Since"]


class PowerCut(BaseException):
    pass


def begun(start: Open, home: Path, backup: Path) -> None:
    app = start()
    with app.app_context():
        content = restore.stage(backup, None, instance=home, store=backup.parent / "media", progress=jobs._silent)
        restore.begin(home, content, file_name=backup.name)
    close(app)


@pytest.mark.parametrize("cut", [Step.READY, Step.MOVED, Step.PLACED])
def test_after_a_power_cut_the_next_start_finishes(home: Path, backup: Path, start: Open, cut: Step) -> None:
    begun_until(start, home, backup, cut)
    close(start())
    assert names(home) == ["Then"]
    assert restore.under_way(home) is None


def begun_until(start: Open, home: Path, backup: Path, cut: Step) -> None:
    begun(start, home, backup)
    if cut is Step.READY:
        return

    def lose_power(step: Step) -> None:
        if step is cut:
            raise PowerCut

    with pytest.raises(PowerCut):
        restore.change_over(home, done=lose_power)


@pytest.mark.parametrize("cut", [Step.BACK, Step.RETURN])
def test_a_power_cut_while_going_back_ends_with_the_old_clinic(
    home: Path, backup: Path, start: Open, cut: Step
) -> None:
    begun(start, home, backup)
    journal = restore.change_over(home)
    assert journal is not None

    def lose_power(step: Step) -> None:
        if step is cut:
            raise PowerCut

    with pytest.raises(PowerCut):
        restore.give_up(home, journal, why="a test", done=lose_power)
    close(start())
    assert names(home) == ["Then", "Since"]
    assert restore.under_way(home) is None


def test_a_clinic_on_which_the_program_does_not_start_goes_back_by_itself(
    home: Path, backup: Path, start: Open
) -> None:
    begun(start, home, backup)
    connection = sqlcipher3.dbapi2.connect(home / "restore" / "staged" / "clinic.db")
    connection.execute("DROP TABLE user_session")
    connection.commit()
    connection.close()
    close(start())
    assert names(home) == ["Then", "Since"]
    assert "taken back" in (home / "restore" / "history.log").read_text()


def test_a_running_server_keeps_its_files(home: Path, backup: Path, command: Callable[..., Result]) -> None:
    with files.hold_together(home / "server.lock"):  # type: ignore[union-attr]
        refused = command(backup, "--yes")
    assert "The server is running" in refused.output
    assert names(home) == ["Then", "Since"]


def test_the_clinic_s_name_is_asked_for(home: Path, backup: Path, start: Open) -> None:
    app = start()
    refused = app.test_cli_runner().invoke(args=["cpms", "restore", str(backup)], input="Other Dental\n")
    assert "Nothing was changed" in refused.output
    assert names(home) == ["Then", "Since"]


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def changed(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"Test Dental", b"Best Dental"))


def not_an_archive(path: Path) -> None:
    path.write_bytes(b"Dear colleague" * 1000)


def of_the_older_system(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("dev.db", b"x" * 5000)
        file.writestr("uploads/1.png", b"x")


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (cut_short, "its end is missing"),
        (changed, "changed or damaged"),
        (not_an_archive, "not a backup of Dental CPMS"),
        (of_the_older_system, "not restored but imported"),
        (empty, "not a backup of Dental CPMS"),
    ],
)
def test_a_bad_file_is_refused_in_a_sentence_and_nothing_is_touched(
    home: Path, backup: Path, command: Callable[..., Result], spoil: Callable[[Path], None], sentence: str
) -> None:
    spoil(backup)
    before = sorted(path.name for path in home.iterdir() if path.name != "server.lock")
    refused = command(backup, "--yes")
    assert refused.exit_code == 1
    assert sentence in refused.output
    assert "Traceback" not in refused.output
    assert names(home) == ["Then", "Since"]
    assert sorted(path.name for path in home.iterdir() if path.name != "server.lock") == before


@pytest.mark.parametrize("member", ["../evil", "/etc/evil", "media/../../evil", "other.txt", "media/aa/link"])
def test_a_member_that_no_backup_has_is_refused(backup: Path, tmp_path: Path, start: Open, member: str) -> None:
    app = start()
    raw = backup.read_bytes()[: -archive._TRAILER_LENGTH - 1024]
    evil = archive._head(member, 4, archive.opened(backup, None).manifest.when) + b"evil".ljust(512, b"\0")
    whole = raw + evil + bytes(1024)
    path = tmp_path / "evil.tar"
    path.write_bytes(whole + f"\nsha256:{hashlib.sha256(whole).hexdigest()}\n".encode())
    with app.app_context(), pytest.raises(BadBackup, match="something that no backup does"):
        archive.verify(path, None, store=backup.parent / "media", scratch=tmp_path, progress=jobs._silent)
    assert not (tmp_path / "evil").exists()


def test_a_link_is_refused(backup: Path, tmp_path: Path, start: Open) -> None:
    app = start()
    info = tarfile.TarInfo("manifest.json.age")
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    whole = backup.read_bytes()[: -archive._TRAILER_LENGTH - 1024] + info.tobuf(tarfile.USTAR_FORMAT) + bytes(1024)
    path = tmp_path / "link.tar"
    path.write_bytes(whole + f"\nsha256:{hashlib.sha256(whole).hexdigest()}\n".encode())
    with app.app_context(), pytest.raises(BadBackup, match="something that no backup does"):
        list(archive.members(path))


def test_a_newer_schema_is_refused(home: Path, backup: Path, command: Callable[..., Result], start: Open) -> None:
    app = start()
    with app.app_context(), transaction("test.newer", actor=None):
        db.session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with app.app_context():
        jobs.write(BackupKind.MANUAL, backup_id="new", name="cpms-new.tar", progress=jobs._silent)
        with transaction("test.newer", actor=None):
            db.session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0006'")
    close(app)
    refused = command(backup.with_name("cpms-new.tar"), "--yes")
    assert "newer version" in refused.output
    assert names(home) == ["Then", "Since"]


def test_an_encrypted_backup_comes_back_on_a_new_machine_with_the_passphrase(
    home: Path, backup: Path, start: Open, tmp_path: Path
) -> None:
    app = start()
    with app.app_context():
        key = Key.new()
        with transaction("backup.set_key", actor=None):
            jobs.services.set_key(key, SECRET)
        jobs.write(BackupKind.MANUAL, backup_id="enc", name="cpms-enc.tar", progress=jobs._silent)
        whole = tmp_path / "away.tar"
        whole.write_bytes(b"".join(archive.download(queries.folder() / "cpms-enc.tar", queries.store(), key)))
    close(app)
    (tmp_path / "words").write_text("the wrong passphrase")
    elsewhere = tmp_path / "new machine"
    fresh = create_app(Config.from_env({"CPMS_INSTANCE": str(elsewhere)}), TESTING=False)
    run = fresh.test_cli_runner()
    words = ["cpms", "restore", str(whole), "--yes", "--passphrase-file", str(tmp_path / "words")]
    assert "does not open" in run.invoke(args=words).output
    assert not (elsewhere / "clinic.db").exists()
    (tmp_path / "words").write_text(SECRET)
    done = run.invoke(args=words)
    assert done.exit_code == 0, done.output
    close(fresh)
    assert names(elsewhere) == ["Then", "Since"]
    again = create_app(Config.from_env({"CPMS_INSTANCE": str(elsewhere)}), TESTING=False)
    with again.app_context():
        assert audit.verify(again.config["CPMS_AUDIT_KEY"]).is_whole
        assert patients.how_many_ever() == 2
        jobs.write(BackupKind.NIGHTLY, backup_id="next", name="cpms-next.tar", progress=jobs._silent)
        assert archive.read_header(queries.folder() / "cpms-next.tar").encrypted, "as before"
    close(again)


def test_a_restore_without_its_files_leaves_the_clinic_as_it_is(home: Path, backup: Path, start: Open) -> None:
    """A journal alone would begin an empty clinic."""
    begun(start, home, backup)
    shutil.rmtree(home / "restore" / "staged")
    close(start())
    assert names(home) == ["Then", "Since"]
    assert restore.under_way(home) is None
    ended = restore.last(home)
    assert ended is not None and "not there any more" in ended.why


def test_a_key_made_after_a_power_cut_does_not_take_the_clinic_s_own(home: Path, backup: Path, start: Open) -> None:
    begun(start, home, backup)
    journal = restore.under_way(home)
    assert journal is not None
    own = (home / "audit.key").read_bytes()
    aside = home / "restore" / journal.aside
    aside.mkdir()
    (home / "audit.key").rename(aside / "audit.key")  # and the power goes
    Config.from_env({"CPMS_INSTANCE": str(home)})  # as every start does: it makes a key where none is
    restore.change_over(home)
    assert (aside / "audit.key").read_bytes() == own


def test_a_command_before_the_server_ends_what_was_begun(home: Path, backup: Path, start: Open) -> None:
    begun(start, home, backup)
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(home)}), TESTING=False)
    done = app.test_cli_runner().invoke(args=["cpms", "upgrade"])
    close(app)
    assert done.exit_code == 0, done.output
    assert names(home) == ["Then"]
    ended = restore.last(home)
    assert ended is not None and not ended.why


def test_a_colon_in_a_file_s_name_is_no_sign_of_failure(home: Path) -> None:
    restore.note(home, "a: b.tar: done")
    ended = restore.last(home)
    assert ended is not None and ended.file_name == "a: b.tar" and not ended.why
