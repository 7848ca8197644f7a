"""The owner's page of backups: is the clinic safe, and what to do when it is not."""

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from cpms.audit.models import AuditEntry
from cpms.backups import archive, elsewhere, jobs, queries, services
from cpms.backups.archive import Key
from cpms.backups.models import BackupKind
from cpms.core import clock, files
from cpms.core.db import transaction
from cpms.settings import queries as settings
from cpms.work import jobs as work
from cpms.work import queries as works
from cpms.work import services as work_services
from tests.conftest import NOW, PASSPHRASE, wait_for_work
from tests.pages import Person

SECRET = "seven quiet molars sing"


@pytest.fixture
def backup(app: Flask) -> str:
    with app.app_context():
        work.run("backups.manual", jobs.make(BackupKind.MANUAL))
        row = queries.last_good()
        assert row is not None
        return row.id


def test_a_clinic_without_a_backup_is_told_so_in_red(olga: Person) -> None:
    assert "There is no backup yet" in olga.get("/backups/").page.one(".alert.danger").get_text()


def test_olga_backs_up_now_and_sees_it_end(olga: Person) -> None:
    panel = olga.htmx.post("/backups/make", target="work-panel").page.one("#work-panel")
    wait_for_work()
    answer = olga.htmx.get(panel["hx-get"], target="work-panel")
    assert answer.headers["HX-Trigger"] == "backups-changed"
    assert "written and proven" in answer.toast
    page = olga.get("/backups/").page
    assert "Last good backup" in page.one(".alert.ok").get_text()
    assert "proven" in page.one("tbody tr").get_text()


def test_only_one_long_work_runs_at_a_time(olga: Person, app: Flask) -> None:
    with app.app_context():
        lock = works.lock()
    with files.only_one(lock):
        answer = olga.htmx.post("/backups/make", target="work-panel")
    assert answer.status_code == 422
    assert "Something else is running" in answer.toast


def test_every_page_says_that_the_last_backup_is_too_old(
    olga: Person, rita: Person, backup: str, sign_in: Callable[[str], Person]
) -> None:
    assert rita.get("/backups/mark").page.text == ""
    with clock.freeze(NOW + timedelta(hours=25, minutes=1)):
        later = sign_in("rita").get("/backups/mark").page
        assert "Last backup: Tue 1 Sep, 09:00. Tell the owner." in later.one(".badge.danger").get_text()
        assert sign_in("olga").get("/backups/mark").page.one("a.badge.danger")["href"] == "/backups/"


def test_the_mark_keeps_nobody_signed_in(app: Flask) -> None:
    assert app.view_functions["backups.mark"].passive


def test_a_backup_is_downloaded_as_one_file_with_its_pictures(
    olga: Person, app: Flask, tmp_path: Path, last_audit: Callable[[], AuditEntry]
) -> None:
    content = b"a picture"
    name = hashlib.sha256(content).hexdigest()
    with app.app_context():
        (queries.media() / name[:2]).mkdir(parents=True)
        (queries.media() / name[:2] / f"{name}.png").write_bytes(content)
        work.run("backups.manual", jobs.make(BackupKind.MANUAL))
        row = queries.last_good()
        assert row is not None
    answer = olga.client.post(
        f"/backups/{row.id}/download", data={"own_password": PASSPHRASE, "csrf_token": olga.csrf_token()}
    )
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{row.file_name}"'
    whole = tmp_path / "away.tar"
    whole.write_bytes(answer.get_data())
    with tarfile.open(fileobj=io.BytesIO(whole.read_bytes())) as tar:
        assert f"media/{name[:2]}/{name}" in tar.getnames()
    with app.app_context():
        archive.verify(whole, None, store=tmp_path / "nowhere", scratch=tmp_path, progress=jobs._silent)
    assert last_audit().action == "backup.download"


def test_a_download_asks_for_the_own_password(olga: Person, backup: str) -> None:
    answer = olga.post(f"/backups/{backup}/download", own_password="not mine")
    assert answer.status_code == 422
    assert "not the password that you have now" in answer.page.error("own_password")
    assert (
        olga.post(f"/backups/{backup}/download", own_password="").page.error("own_password").endswith("own password.")
    )


def test_a_backup_whose_file_is_gone_says_so(olga: Person, backup: str, app: Flask) -> None:
    with app.app_context():
        (queries.folder() / queries.backup(backup).file_name).unlink()
    answer = olga.post(f"/backups/{backup}/download", own_password=PASSPHRASE)
    assert answer.status_code == 422
    assert "missing" in answer.page.text
    olga.htmx.post(f"/backups/{backup}/verify", target="work-panel")
    wait_for_work()
    assert "Its file is missing" in olga.get("/backups/").page.text


def test_olga_chooses_when_and_where_to(olga: Person, app: Flask, tmp_path: Path) -> None:
    answer = olga.htmx.post("/backups/plan", target="plan-form", backup_at="22:15", backup_target=str(tmp_path))
    assert answer.headers["HX-Redirect"] == "/backups/"
    assert (tmp_path / elsewhere.MARK).exists()
    with app.app_context():
        wishes = settings.current()
    assert (f"{wishes.backup_at:%H:%M}", wishes.backup_target) == ("22:15", str(tmp_path))


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("backup_at", "25:00", "time"),
        ("backup_at", "", "Please give a time"),
        ("backup_at", "02:30", "Not between 2 and 3"),
        ("backup_target", "/no/such/folder", "no such folder"),
        ("backup_target", "relative", "no such folder"),
        ("backup_target", "x" * 301, "300"),
    ],
)
def test_a_wrong_plan_is_said_beside_its_field(olga: Person, field: str, typed: str, sentence: str) -> None:
    answer = olga.htmx.post(
        "/backups/plan", target="plan-form", **({"backup_at": "03:30", "backup_target": ""} | {field: typed})
    )
    assert answer.status_code == 422
    assert sentence in answer.page.error(field)


@pytest.fixture
def encrypted(olga: Person) -> Iterator[Person]:
    answer = olga.htmx.post("/backups/key", target="key-form", passphrase=SECRET, again=SECRET, own_password=PASSPHRASE)
    assert answer.headers["HX-Redirect"] == "/backups/key"
    yield olga


def test_a_passphrase_locks_the_backups_from_then_on(
    encrypted: Person, last_audit: Callable[[], AuditEntry], app: Flask
) -> None:
    assert last_audit().action == "backup.set_key"
    encrypted.htmx.post("/backups/make", target="work-panel")
    wait_for_work()
    with app.app_context():
        row = queries.last_good()
        assert row is not None
        assert row.encrypted
        locked = archive.locked_key(queries.folder() / row.file_name)
    assert locked is not None
    assert Key.unlocked(locked, SECRET)


def test_another_passphrase_locks_the_same_key(encrypted: Person, app: Flask) -> None:
    with app.app_context():
        before = services.key()
    encrypted.htmx.post(
        "/backups/key", target="key-form", passphrase=SECRET + "!", again=SECRET + "!", own_password=PASSPHRASE
    )
    with app.app_context():
        after = services.key()
        assert before is not None
        assert after is not None
        assert before.public == after.public
        assert Key.unlocked(queries.locked_key_file().read_bytes(), SECRET + "!").public == after.public


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"passphrase": "short", "again": "short"}, "passphrase"),
        ({"passphrase": "passwordpassword", "again": "passwordpassword"}, "passphrase"),
        ({"again": "something else entirely"}, "again"),
        ({"own_password": "not mine"}, "own_password"),
        ({"own_password": ""}, "own_password"),
    ],
)
def test_a_wrong_passphrase_form_changes_nothing(olga: Person, app: Flask, changes: dict[str, str], field: str) -> None:
    form = {"passphrase": SECRET, "again": SECRET, "own_password": PASSPHRASE} | changes
    answer = olga.htmx.post("/backups/key", target="key-form", **form)
    assert answer.status_code == 422
    assert answer.page.error(field)
    with app.app_context():
        assert services.key() is None


def test_the_recovery_sheet_opens_the_backups(encrypted: Person, app: Flask) -> None:
    page = encrypted.post("/backups/sheet", own_password=PASSPHRASE).page
    text = "".join(page.one(".recovery-key").get_text().split())
    with app.app_context():
        ours = services.key()
    assert ours is not None
    assert Key(text).public == ours.public
    assert encrypted.post("/backups/sheet", own_password="no").status_code == 422


def test_without_a_key_there_is_no_sheet(olga: Person) -> None:
    assert olga.post("/backups/sheet", own_password=PASSPHRASE).status_code == 404


def test_encryption_is_switched_off_only_with_the_own_password(encrypted: Person, app: Flask) -> None:
    assert encrypted.htmx.post("/backups/key/off", target="dialog", own_password="no").status_code == 422
    assert (
        "dialog-close"
        in (encrypted.htmx.post("/backups/key/off", target="dialog", own_password=PASSPHRASE).headers["HX-Trigger"])
    )
    with app.app_context():
        assert settings.current().backup_key == ""
        assert services.key() is not None, "older backups still need it"


def test_the_drill_is_started_by_hand(olga: Person, backup: str) -> None:
    olga.htmx.post("/backups/drill", target="work-panel")
    wait_for_work()
    assert "was restored and opened" in olga.get("/backups/").page.text


def test_what_was_interrupted_is_told(olga: Person, app: Flask) -> None:
    with app.app_context(), transaction("work.begin", actor=None):
        row = work_services.begin("backups.manual")
        assert row is not None
        work_id = row.id
    answer = olga.htmx.get(f"/backups/progress/{work_id}", target="work-panel")
    assert "stopped in the middle" in answer.toast
