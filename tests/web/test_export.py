"""The clinic takes its data along: tables that any program reads."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from flask import Flask

from cpms.audit.models import AuditEntry
from cpms.backups import queries as backups
from cpms.core import clock
from cpms.core.db import db
from cpms.exchange import jobs
from cpms.work import jobs as work
from tests.conftest import NOW, PASSPHRASE, wait_for_work
from tests.make import Make
from tests.pages import Person


def table(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(f"{name}.csv").decode())))


def test_olga_exports_everything_and_reads_it_back(
    olga: Person, make: Make, app: Flask, last_audit: Callable[[], AuditEntry]
) -> None:
    patient = make.patient(last_name="Çığ", notes="=HYPERLINK(1)\nsecond line", mobile_phone="+90 555")
    make.visit(patient=patient)
    with app.app_context():
        (backups.media() / "ab").mkdir(parents=True)
        (backups.media() / "ab" / "abc.png").write_bytes(b"a picture")
    assert "Download" not in olga.get("/exchange/export").page.one("#export-page").get_text()
    begun = olga.htmx.post("/exchange/export", target="export-page", own_password=PASSPHRASE)
    assert begun.page.has("#work-panel progress") or "The export is ready" in begun.page.text
    wait_for_work()
    assert olga.htmx.get("/exchange/progress", target="work-panel").headers["HX-Trigger"] == "export-over"
    assert "The export is ready" in olga.htmx.get("/exchange/export", target="export-page").page.text
    assert last_audit().action == "exchange.export"
    asked = olga.post("/exchange/download", own_password="not mine")
    assert (asked.status_code, "not the password" in asked.page.error("own_password")) == (422, True)
    answer = olga.client.post("/exchange/download", data={"csrf_token": olga.csrf_token(), "own_password": PASSPHRASE})
    assert answer.headers["Content-Disposition"] == "attachment; filename=cpms-export-2026-09-01.zip"
    whole = answer.get_data()
    answer.close()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        [row] = table(archive, "patient")
        assert (row["last_name"], row["date_of_birth"]) == ("Çığ", "1985-03-02")
        assert row["notes"] == "'=HYPERLINK(1)\nsecond line"
        assert table(archive, "event")[0]["patient_id"] == row["id"]
        assert table(archive, "event")[0]["start"] == "2026-09-01T10:00:00"
        assert archive.read("media/ab/abc.png") == b"a picture"
        assert "patient.csv (1)" in archive.read("README.txt").decode()
        assert "last_name: Last name" in archive.read("README.txt").decode()
        names = {name.removesuffix(".csv") for name in archive.namelist() if name.endswith(".csv")}
        assert names == set(db.metadata.tables)
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"$argon2id$" not in everything
    assert last_audit().action == "exchange.download"


def test_an_export_does_not_lie_about(olga: Person, app: Flask) -> None:
    with app.app_context():
        work.run(jobs.WORK, jobs.write_export(None))
        [file] = (Path(app.config["CPMS_INSTANCE"]) / "exports").iterdir()
        jobs.forget_old()
        assert file.exists()
        with clock.freeze(NOW + timedelta(days=1)):
            assert jobs.ready() is None
            jobs.forget_old()
    assert not file.exists()
    assert olga.post("/exchange/download").status_code == 404


def test_the_own_password_is_asked_for(olga: Person) -> None:
    answer = olga.post("/exchange/export", own_password="not mine")
    assert answer.status_code == 422
    assert answer.page.error("own_password")


def test_the_command_writes_the_same(app: Flask, make: Make, tmp_path: Path) -> None:
    for _ in range(3):
        make.patient()
    done = app.test_cli_runner().invoke(args=["cpms", "export", str(tmp_path / "all.zip")])
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert len(table(archive, "patient")) == 3
