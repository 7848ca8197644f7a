"""The owner puts a backup back from the screen: looks at it first, says the clinic's name, and waits for the server."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cpms import cli
from cpms.audit import queries as audit
from cpms.backups import archive, jobs, queries, restore, services
from cpms.backups.archive import Key
from cpms.backups.models import BackupKind
from cpms.core import db as database
from cpms.core import files
from cpms.core.db import db, transaction
from cpms.work import jobs as work
from tests.conftest import PASSPHRASE, wait_for_work
from tests.make import Make
from tests.pages import Answer, Person

SECRET = "seven quiet molars sing"


@pytest.fixture
def backup(app: Flask, make: Make) -> str:
    """One patient is in the backup, another came since."""
    make.patient(last_name="Then")
    with app.app_context():
        work.run("backups.manual", jobs.make(BackupKind.MANUAL))
        row = queries.last_good()
        assert row is not None
        backup_id = row.id
    make.patient(last_name="Since")
    return backup_id


def look_at(olga: Person, backup: str) -> Answer:
    assert olga.post("/backups/restore/choose", backup=backup).headers["Location"] == "/backups/restore"
    wait_for_work()
    return olga.get("/backups/restore")


def row(page: Any, label: str) -> list[str]:
    [found] = [each for each in page.all("tbody tr") if each.select("th")[0].text == label]
    return [cell.get_text() for cell in found.select("td")]


def patients(app: Flask) -> set[str]:
    with app.app_context():
        return {name for (name,) in db.session.execute(database.sa.text("SELECT last_name FROM patient"))}


def test_a_backup_is_looked_at_and_nothing_changes(olga: Person, app: Flask, backup: str) -> None:
    page = look_at(olga, backup).page
    assert "All of it was read and every sum compared" in page.one(".alert.ok").get_text()
    assert row(page, "Patients") == ["1", "2"]
    assert "since then" not in page.text, "nobody at a screen changed anything"
    assert "another clinic" not in page.text
    assert patients(app) == {"Then", "Since"}
    assert restore.under_way(Path(app.config["CPMS_INSTANCE"])) is None


def test_the_owner_reads_how_much_is_newer_than_the_backup(olga: Person, backup: str) -> None:
    olga.post("/auth/theme", theme="dark")
    assert "1 change since then is not in this backup" in look_at(olga, backup).page.text


def test_another_backup_can_be_chosen(olga: Person, backup: str) -> None:
    look_at(olga, backup)
    assert olga.post("/backups/restore/drop").status_code == 303
    assert olga.get("/backups/restore").page.has("#upload-form")


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"clinic_name": "", "own_password": PASSPHRASE}, "clinic_name", "Please type the name"),
        ({"clinic_name": "Best Dental", "own_password": PASSPHRASE}, "clinic_name", "not the name of the clinic"),
        ({"clinic_name": "test dental", "own_password": ""}, "own_password", "own password"),
        ({"clinic_name": "Test Dental", "own_password": "not mine"}, "own_password", "not the password"),
    ],
)
def test_without_name_and_password_nothing_begins(
    olga: Person, app: Flask, backup: str, typed: dict[str, str], field: str, sentence: str
) -> None:
    shown = look_at(olga, backup).page.value("backup")
    answer = olga.htmx.post("/backups/restore/begin", target="begin-form", backup=shown, **typed)
    assert answer.status_code == 422
    assert sentence in answer.page.error(field)
    if typed["clinic_name"]:
        assert answer.page.value("clinic_name") == typed["clinic_name"], "what was typed is kept"
    assert not restore.is_holding(Path(app.config["CPMS_INSTANCE"]))


def begin(olga: Person) -> Answer:
    shown = olga.get("/backups/restore").page.value("backup")
    answer = olga.post("/backups/restore/begin", backup=shown, clinic_name="Test Dental", own_password=PASSPHRASE)
    wait_for_work()
    return answer


@pytest.fixture
def started_again(app: Flask) -> Callable[[], None]:
    """What a new process of the server does with the same folder."""

    def start() -> None:
        held = app.extensions.pop("held_until_restart", None)
        if held:
            held.close()
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        cli.begin_to_serve(Path(app.config["CPMS_INSTANCE"])).close()
        with app.app_context():
            cli.bring_up_to_date()

    return start


def test_the_clinic_is_put_back(
    olga: Person, app: Flask, backup: str, make: Make, started_again: Callable[[], None]
) -> None:
    look_at(olga, backup)
    assert begin(olga).status_code == 303
    refused = olga.post("/auth/theme", theme="dark")
    assert refused.status_code == 503
    assert "A backup is being put back. Nothing can be saved" in refused.page.text
    assert "starts again with the backup" in olga.get("/backups/restore").page.one("#restore-state").get_text()
    started_again()
    assert patients(app) == {"Then"}
    answer = olga.get("/backups/restore/state")
    assert "The backup is put back. Everybody signs in again." in answer.page.text
    assert olga.get("/backups/").status_code == 302, "the old session is over"
    with app.app_context():
        kinds = [each.kind for each in queries.present()]
        assert kinds.count(BackupKind.BEFORE_RESTORE) == 1, "what was here is in the history"
    make.patient(last_name="Later")


def test_the_safety_backup_brings_the_clinic_back(
    olga: Person, app: Flask, backup: str, started_again: Callable[[], None], sign_in: Callable[[str], Person]
) -> None:
    look_at(olga, backup)
    begin(olga)
    started_again()
    again = sign_in("olga")
    with app.app_context():
        [safety] = [each.id for each in queries.present() if each.kind is BackupKind.BEFORE_RESTORE]
    assert row(look_at(again, safety).page, "Patients") == ["2", "1"]
    begin(again)
    started_again()
    assert patients(app) == {"Then", "Since"}


def test_a_restore_that_fails_says_why_and_the_clinic_goes_on(
    olga: Person, app: Flask, backup: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_at(olga, backup)
    with app.app_context():
        path = queries.folder() / queries.backup(backup).file_name
    path.write_bytes(path.read_bytes().replace(b"Test Dental", b"Best Dental"))
    begin(olga)
    assert "changed or damaged" in olga.get("/backups/restore").page.one(".alert.danger").get_text()
    assert olga.post("/auth/theme", theme="dark").status_code == 303
    assert not list((Path(app.config["CPMS_INSTANCE"]) / "restore").glob("staged"))


def test_a_disk_without_room_is_said_and_nothing_is_held(
    olga: Person, app: Flask, backup: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_at(olga, backup)

    def full(*_args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    begin(olga)
    monkeypatch.undo()
    assert "The disk is full" in olga.get("/backups/restore").page.one(".alert.danger").get_text()
    assert not restore.is_holding(Path(app.config["CPMS_INSTANCE"]))
    assert olga.post("/auth/theme", theme="dark").status_code == 303


def away(app: Flask, backup: str) -> bytes:
    """The backup as it was downloaded."""
    with app.app_context():
        path = queries.folder() / queries.backup(backup).file_name
        return b"".join(archive.download(path, queries.store(), services.key()))


def send(olga: Person, content: bytes, name: str = "away.tar") -> Answer:
    answer = olga.post("/backups/restore/upload", file=(io.BytesIO(content), name))
    wait_for_work()
    return answer


def test_a_downloaded_file_is_sent_back_and_looked_at(olga: Person, app: Flask, backup: str) -> None:
    assert send(olga, away(app, backup)).status_code == 303
    assert row(olga.get("/backups/restore").page, "Patients") == ["1", "2"]
    with app.app_context():
        looks = [entry.reason for entry in audit.entries() if entry.action == "backup.look"]
    assert looks == ["away.tar"]


def of_the_older_system() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("dev.db", b"x" * 5000)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not a backup of Dental CPMS"),
        (b"Dear colleague" * 1000, "not a backup of Dental CPMS"),
        (of_the_older_system(), "not restored but imported"),
    ],
)
def test_what_is_no_backup_gets_its_sentence_beside_the_field(
    olga: Person, app: Flask, content: bytes, sentence: str
) -> None:
    answer = send(olga, content)
    assert answer.status_code == 422
    assert sentence in answer.page.error("file")
    assert not (Path(app.config["CPMS_INSTANCE"]) / "restore" / "candidate").exists()


def test_no_file_gets_its_sentence_too(olga: Person) -> None:
    assert "Please choose a file" in olga.post("/backups/restore/upload").page.error("file")


@pytest.mark.parametrize(
    "spoil", [lambda whole: whole[:-100], lambda whole: whole.replace(b"Test Dental", b"Best Dental")]
)
def test_a_damaged_file_is_found_when_it_is_looked_at(
    olga: Person, app: Flask, backup: str, spoil: Callable[[bytes], bytes]
) -> None:
    send(olga, spoil(away(app, backup)))
    page = olga.get("/backups/restore").page
    assert page.one(".alert.danger").get_text(strip=True) in {
        "This backup is incomplete: its end is missing.",
        "This backup was changed or damaged after it was written: its sum is wrong.",
    }
    assert not page.has("#begin-form")


def test_a_sender_without_a_page_gets_a_line_about_its_file(olga: Person) -> None:
    answer = olga.post("/backups/restore/upload", headers={"X-Upload": "1"}, file=(io.BytesIO(b"x" * 3000), "no.tar"))
    assert answer.page.one("li.uploaded bdi").get_text() == "no.tar"
    assert "not a backup" in answer.page.one(".problem").get_text()


@pytest.fixture
def encrypted(app: Flask, backup: str, tmp_path: Path) -> bytes:
    """A backup whose key this machine has not."""
    with app.app_context():
        key = Key.new()
        with transaction("backup.set_key", actor=None):
            services.set_key(key, SECRET)
        work.run("backups.manual", jobs.make(BackupKind.MANUAL))
        [newest] = [each for each in queries.present() if each.encrypted]
        whole = away(app, newest.id)
        queries.key_file().rename(tmp_path / "key")
    return whole


def test_an_encrypted_file_opens_with_its_passphrase(olga: Person, app: Flask, encrypted: bytes) -> None:
    send(olga, encrypted)
    assert olga.get("/backups/restore").page.has("#unlock-form")
    wrong = olga.htmx.post("/backups/restore/unlock", target="unlock-form", words="not the passphrase")
    assert (wrong.status_code, "does not open" in wrong.page.error("words")) == (422, True)
    assert "Please give" in olga.htmx.post("/backups/restore/unlock", target="unlock-form", words="").page.error(
        "words"
    )
    assert olga.htmx.post("/backups/restore/unlock", target="unlock-form", words=SECRET).status_code == 200
    wait_for_work()
    assert row(olga.get("/backups/restore").page, "Patients") == ["2", "2"]
    secret = Path(app.config["CPMS_INSTANCE"]) / "restore" / "candidate" / "key"
    assert secret.stat().st_mode & 0o077 == 0
    olga.post("/backups/restore/drop")
    assert not secret.exists()


def test_an_encrypted_file_opens_with_the_recovery_sheet(olga: Person, encrypted: bytes, tmp_path: Path) -> None:
    text = (tmp_path / "key").read_text()
    send(olga, encrypted)
    groups = " ".join(text[start : start + 6] for start in range(0, len(text), 6))
    olga.htmx.post("/backups/restore/unlock", target="unlock-form", words=groups.lower())
    wait_for_work()
    assert olga.get("/backups/restore").page.has("#begin-form")


def test_a_backup_of_another_clinic_is_said_to_be_one(olga: Person, app: Flask, backup: str) -> None:
    look_at(olga, backup)
    file = Path(app.config["CPMS_INSTANCE"]) / "restore" / "candidate" / "candidate.json"
    values = json.loads(file.read_text())
    values["report"]["clinic_id"] = "0" * 64
    file.write_text(json.dumps(values))
    assert "of another clinic than the one on this server" in olga.get("/backups/restore").page.text


def test_a_newer_program_s_backup_is_refused(olga: Person, app: Flask) -> None:
    with app.app_context():
        with transaction("test.newer", actor=None):
            db.session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        jobs.write(BackupKind.MANUAL, backup_id="new", name="cpms-new.tar", progress=jobs._silent)
        with transaction("test.newer", actor=None):
            head = database.newest_schema()
            db.session.connection().exec_driver_sql(f"UPDATE alembic_version SET version_num = '{head}'")
        path = queries.folder() / "cpms-new.tar"
    page = olga.get("/backups/restore").page
    assert "cpms-new.tar" in page.text, "a file that the history does not name can be chosen, too"
    olga.post("/backups/restore/choose", file=str(path))
    wait_for_work()
    assert "newer version of the program" in olga.get("/backups/restore").page.one(".alert.danger").get_text()


def test_only_a_file_of_the_backup_folders_can_be_named(olga: Person, app: Flask) -> None:
    secret = Path(app.config["CPMS_INSTANCE"]) / "secret.key"
    assert olga.post("/backups/restore/choose", file=str(secret)).status_code == 404
    assert olga.post("/backups/restore/choose", file="/etc/passwd").status_code == 404


def test_whoever_is_not_signed_in_learns_only_that_it_is_over(outsider: Person, app: Flask) -> None:
    instance = Path(app.config["CPMS_INSTANCE"])
    restore.note(instance, "cpms-one.tar: taken back, a reason with a name in it")
    answer = outsider.get("/backups/restore/state")
    assert "could not be put back" in answer.page.text
    assert "reason" not in answer.html
    with files.in_turn(restore.hold(instance)):
        assert outsider.get("/backups/restore/state").page.has("#restore-state progress")


def test_large_requests_are_for_whoever_may_send_files(rita: Person, outsider: Person, olga: Person) -> None:
    def large(person: Person, url: str, name: str) -> Answer:
        head = f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{person.csrf_token()}\r\n'
        head += f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = head.encode() + b"x" * (2 * 1024 * 1024) + b"\r\n--b--\r\n"
        return Answer(person.client.post(url, data=body, content_type="multipart/form-data; boundary=b"))

    assert large(rita, "/backups/restore/upload", "a.tar").status_code == 413
    assert large(outsider, "/backups/restore/upload", "a.tar").status_code == 413
    assert large(olga, "/auth/theme", "a.tar").status_code == 413
    assert "not a backup" in large(olga, "/backups/restore/upload", "a.tar").page.error("file")


def test_the_store_keeps_only_pictures_that_a_backup_names(app: Flask, olga: Person) -> None:
    """When the last backup with a picture is let go, its copy goes too."""
    import hashlib
    from datetime import timedelta

    from cpms.core import clock
    from tests.conftest import NOW

    content = b"a picture"
    name = hashlib.sha256(content).hexdigest()
    with app.app_context():
        picture = queries.media() / name[:2] / name
        picture.parent.mkdir(parents=True)
        picture.write_bytes(content)
        work.run("backups.manual", jobs.make(BackupKind.MANUAL))
        picture.unlink()
        kept = queries.store() / name[:2] / name
        for later in range(1, 4):
            with clock.freeze(NOW + timedelta(minutes=later)):
                work.run("backups.manual", jobs.make(BackupKind.MANUAL))
        assert kept.exists(), "one of the backups has it"
        with clock.freeze(NOW + timedelta(days=2)):
            work.run("backups.manual", jobs.make(BackupKind.MANUAL))
        assert not kept.exists()


def test_another_window_s_choice_is_not_put_back_unseen(olga: Person, app: Flask, backup: str) -> None:
    look_at(olga, backup)
    answer = olga.post("/backups/restore/begin", backup="0" * 64, clinic_name="Test Dental", own_password=PASSPHRASE)
    assert "Another backup was chosen meanwhile" in answer.page.text
    assert not restore.is_holding(Path(app.config["CPMS_INSTANCE"]))
