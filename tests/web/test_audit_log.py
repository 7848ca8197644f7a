"""The whole log: for whom, how far, whether it is whole, and all of it as a table."""

import csv
import io
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta
from threading import Thread

import pytest
from flask import Flask

from cpms.audit import queries
from cpms.audit.models import AuditEntry
from cpms.backups.views import trail as panel
from cpms.core import clock, files
from cpms.core.db import db, transaction
from cpms.settings import services as settings
from cpms.settings.forms import LABELS
from cpms.settings.schema import ClinicSettings
from cpms.work import queries as works
from cpms.work import services as work_services
from tests.conftest import NOW, wait_for_work
from tests.make import Make
from tests.pages import Person

LastAudit = Callable[[], AuditEntry]
SignIn = Callable[[str], Person]


def write(app: Flask, number: int) -> None:
    with app.app_context():
        for count in range(number):
            with transaction("settings.change", actor=None):
                settings.change_settings(phone=f"030 {count}")


def rows(html: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(html.removeprefix("\ufeff"))))


def test_who_is_meant_is_asked_when_several_are(olga: Person, make: Make) -> None:
    first = make.patient(first_name="Anna", last_name="Klein")
    second = make.patient(first_name="Bea", last_name="Klein")
    page = olga.get("/audit/?patient=klein&what=patient").page
    assert "Whom do you mean?" in page.text
    assert not page.has(".history"), "nobody's entries until that is clear"
    links = {each.get_text(): str(each["href"]) for each in page.all("#log-lines a")}
    assert set(links) == {"Anna Klein", "Bea Klein"}
    assert "what=patient" in links["Bea Klein"]
    chosen = olga.get(links["Bea Klein"]).page
    assert f"Only about Bea Klein · 2 March 1985 · chart {second.chart_no}" in chosen.text
    assert chosen.one(".filters [name='patient_id']")["value"] == str(second.id)
    assert olga.post("/audit/export", patient="klein").status_code == 422
    assert f"chart {first.chart_no}" in olga.get(f"/audit/?patient={first.chart_no}").page.text, "a number means one"


def test_nobody_found_is_said(olga: Person) -> None:
    assert "No patient has the name or the chart number “zzz”." in olga.get("/audit/?patient=zzz").page.text
    assert olga.get("/audit/?patient_id=987654").status_code == 404
    assert olga.get("/audit/?who=x").status_code == 404


def test_the_patient_field_offers_names_and_numbers(olga: Person, rita: Person, make: Make) -> None:
    patient = make.patient(last_name="Gone")
    rita.post(f"/calendar/patients/{patient.id}/delete")
    page = olga.htmx.get(f"/audit/find-patient?patient={patient.chart_no}", target="audit-patients").page
    assert page.one("[role=option]")["data-value"] == str(patient.id), "a deleted one has a trail, too"
    text = olga.get(f"/audit/?patient_id={patient.id}").page.text
    assert "Rita Desk deleted the patient · Selma Gone" in text
    assert "Nobody is found." in olga.htmx.get("/audit/find-patient?patient=zzz", target="audit-patients").page.text


def test_pages_stay_what_they_were_while_new_entries_come(olga: Person, app: Flask) -> None:
    write(app, 120)
    page = olga.get("/audit/?what=settings").page
    older = str(page.one(".pager a")["href"])
    assert "before=" in older
    second = [each.get_text() for each in olga.get(older).page.all(".history-details")]
    write(app, 7)
    assert [each.get_text() for each in olga.get(older).page.all(".history-details")] == second
    seen, url = [], "/audit/?what=settings"
    while url:
        page = olga.get(url).page
        seen += [each.get_text() for each in page.all(".history-details")]
        links = {each.get_text(strip=True): str(each["href"]) for each in page.all(".pager a")}
        url = links.get("Older", "")
    assert len(seen) == 127
    assert links["Newest"] == "/audit/?what=settings"
    assert olga.get("/audit/?before=-1").status_code == 404


def test_the_export_holds_all_of_it_in_short_reads(
    olga: Person, app: Flask, statements: list[str], last_audit: LastAudit
) -> None:
    write(app, 1200)
    statements.clear()
    answer = olga.post("/audit/export", what="settings")
    table = rows(answer.html)
    assert table[0][:4] == ["Entry", "When", "Who", "What"]
    assert len(table) == 1201
    assert "Phone: 030 0 → 030 1" in table[-2][5]
    reads = [each for each in statements if "FROM audit_entry" in each and "LIMIT" in each]
    assert len(reads) >= 3, "page by page"
    assert (last_audit().action, last_audit().reason) == ("audit.export", "settings")


def test_each_look_is_a_row_of_the_export_and_the_filter_stands_in_the_trail(
    olga: Person, ada: Person, make: Make
) -> None:
    patient = make.patient(first_name="Mia", last_name="Berg")
    for _ in range(3):
        ada.get(f"/patients/{patient.id}")
    table = rows(olga.post("/audit/export", what="patient.view", patient_id=patient.id).html)
    assert [row[2:5] for row in table[1:]] == [["Dr Ada Dent", "opened the chart", "Mia Berg"]] * 3
    text = olga.get("/audit/?what=audit").page.text
    assert "exported the audit log opened charts, Mia Berg" in text


def test_a_setting_is_told_by_its_name_in_the_reader_s_language(olga: Person, app: Flask) -> None:
    with app.app_context(), transaction("settings.change", actor=None):
        settings.change_settings(
            idle_minutes=20, time_zone="America/New_York", backup_target="/mnt/usb", address="A 1\nTown"
        )
    text = olga.get("/audit/?what=settings").page.text
    for words in (
        "Screen locks after (minutes): 15 → 20",
        "Time zone: Europe/Berlin → America/New York",
        "Second place of the backups: nothing → /mnt/usb",
        "Address: nothing → A 1, Town",
    ):
        assert words in text, words


def test_what_the_pictures_were_searched_for_is_told_in_words(olga: Person) -> None:
    olga.get("/xrays/?q=lee&since=2026-09-01&open=1")
    olga.get("/xrays/?q=lee, since 99")
    text = olga.get("/audit/?what=xray").page.text
    assert "Patient: lee, From: 1 September 2026, Without findings" in text
    assert "Patient: lee, From: 99" in text


def test_every_setting_has_a_name_for_the_trail() -> None:
    assert set(LABELS) == {field.name for field in fields(ClinicSettings)}


def test_the_log_says_whether_the_trail_is_whole_and_checks_now(
    olga: Person, rita: Person, app: Flask, last_audit: LastAudit
) -> None:
    assert olga.get("/audit/").page.one("#trail")["hx-get"] == "/backups/trail"
    assert "was not checked yet" in olga.get("/backups/trail").page.text
    assert rita.htmx.post("/backups/trail/verify").status_code == 403
    assert olga.htmx.post("/backups/trail/verify", target="trail").status_code == 200
    wait_for_work()
    assert last_audit().action == "audit.verify"
    text = olga.get("/backups/trail").page.text
    assert "The trail is whole:" in text
    assert "Checked Tue 1 Sep, 09:00." in text
    with app.app_context():
        raw = db.session.connection().connection.dbapi_connection
        assert raw is not None
        db.session.rollback()
        raw.execute("PRAGMA query_only=0")
        raw.execute("DROP TRIGGER audit_entry_no_update")
        raw.execute("UPDATE audit_entry SET actor_id = 2 WHERE id = 1")
        raw.execute("PRAGMA query_only=1")
    assert olga.post("/backups/trail/verify").headers["Location"] == "/audit/"
    wait_for_work()
    page = olga.get("/backups/trail").page
    assert "The trail was changed" in page.one(".bad").get_text()
    assert not page.has(".good")


def test_a_running_check_is_watched(olga: Person, app: Flask) -> None:
    with app.app_context(), files.only_one(works.lock()) as alone:
        assert alone
        with transaction("work.begin", actor=None):
            work_services.begin("audit.verify")
        page = olga.get("/backups/trail").page
        assert page.one("#trail")["hx-trigger"] == "every 1s"
        refused = olga.htmx.post("/backups/trail/verify", target="trail")
        assert refused.status_code == 422
        assert "Something else is running" in refused.toast


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("/calendar/print/day/2026-09-08", "printed the calendar 8 September 2026"),
        ("/calendar/print/week/2026-09-08", "printed the calendar week of 7 September 2026"),
    ],
)
def test_what_was_printed_stands_in_the_log(olga: Person, rita: Person, url: str, words: str) -> None:
    assert rita.get(url).status_code == 200
    assert f"Rita Desk {words}" in olga.get("/audit/?what=calendar.print").page.text


def test_signing_in_and_out_is_told_in_words(olga: Person, rita: Person, outsider: Person) -> None:
    outsider.post("/login", username="rita", password="wrong words here")
    outsider.post("/login", username="nobody", password="wrong words here")
    rita.htmx.post("/auth/lock")
    text = olga.get("/audit/?what=auth").page.text
    assert "The server failed to sign in · Rita Desk wrong password" in text
    assert "there is no such user name" in text
    assert "Rita Desk locked the screen" in text
    assert "auth." not in text


def test_a_look_at_a_visit_is_a_look_at_the_patient(
    olga: Person, rita: Person, make: Make, app: Flask, sign_in: SignIn
) -> None:
    patient = make.patient(first_name="Mia", last_name="Berg")
    visit = make.visit(patient=patient)
    for url in (f"/calendar/events/{visit.id}", f"/calendar/events/{visit.id}/edit", f"/audit/events/{visit.id}"):
        rita.htmx.get(url, target="dialog")
    with app.app_context():
        looks = [each for each in queries.entries(limit=10) if each.action == "event.view"]
        assert [(each.actor_id, each.patient_id) for each in looks] == [(rita.id, patient.id)] * 3
    text = olga.get(f"/audit/patients/{patient.id}?looks=1").page.text
    assert "Rita Desk opened the visit · Tue 1 Sep, 10:00 · 3 times" in text
    assert "opened" not in rita.get(f"/audit/events/{visit.id}").page.text, "what was done, not who looked"
    assert "opened the visit" not in rita.get(f"/audit/patients/{patient.id}").page.text


def test_blocks_polls_and_moves_leave_no_look(rita: Person, make: Make, app: Flask) -> None:
    block, visit = make.block(datetime(2026, 9, 1, 15)), make.visit()
    for url in (
        f"/calendar/events/{block.id}",
        f"/audit/events/{block.id}",
        f"/calendar/events/{visit.id}/move",
        "/calendar/week/2026-09-01?rev=1",
    ):
        rita.htmx.get(url, target="week-grid" if "week" in url else "dialog")
    with app.app_context():
        assert not [each for each in queries.entries(limit=10) if each.action == "event.view"]


def test_a_sheet_costs_few_statements(rita: Person, make: Make, statements: list[str]) -> None:
    visit = make.visit()
    rita.get(f"/calendar/events/{visit.id}")
    statements.clear()
    rita.htmx.get(f"/calendar/events/{visit.id}", target="dialog")
    assert len(statements) <= 8, statements


def test_the_log_names_whom_an_entry_is_about(olga: Person, rita: Person, make: Make) -> None:
    visit = make.visit(patient=make.patient(first_name="Mia", last_name="Berg"))
    rita.htmx.post(f"/calendar/events/{visit.id}/status", target="dialog", status="confirmed", version=1)
    olga.post(f"/auth/users/{make.user('ada').id}/deactivate")
    page = olga.get("/audit/").page
    assert "Rita Desk set its status · Mia Berg · Tue 1 Sep, 10:00" in page.text
    assert "Olga Owner took a user's access away · Dr Ada Dent" in page.text
    assert page.has(f"a[href='/audit/patients/{visit.patient_id}']")


def test_one_look_is_one_line_within_ten_minutes(olga: Person, sign_in: SignIn, make: Make) -> None:
    visit = make.visit()
    for minutes in (0, 5, 30):
        with clock.freeze(NOW + timedelta(minutes=minutes)):
            sign_in("rita").get(f"/calendar/events/{visit.id}")
    with clock.freeze(NOW + timedelta(minutes=40)):
        page = sign_in("olga").get("/audit/?what=event.view").page
    assert len(page.all(".history > li")) == 2


def test_the_history_of_one_tells_nothing_of_the_others(olga: Person, make: Make) -> None:
    patient = make.patient(first_name="Mia", last_name="Berg", notes="of the chart alone")
    visits = [make.visit(datetime(2026, 9, day, 10), patient=patient) for day in (8, 9)]
    olga.post(f"/calendar/patients/{patient.id}/delete", reason="twice")
    page = olga.get(f"/audit/events/{visits[0].id}").page
    assert page.text.count("Deleted:") == 1
    assert "Tue 8 Sep" in page.text
    assert "Wed 9 Sep" not in page.text
    user = olga.get(f"/audit/users/{make.user('ada').id}").page
    assert "User name: ada" in user.text
    assert "User name: hugo" not in user.text
    assert "Name of the clinic" not in user.text


def test_a_check_that_ends_while_its_panel_is_drawn_shows_its_verdict(app: Flask) -> None:
    """The panel has read that it runs; it would never ask again."""
    with app.test_request_context("/backups/trail"):
        with transaction("test.begin", actor=None):
            begun = work_services.begin(panel.CHECK)
            assert begun is not None
            number = begun.id
        assert works.work(number).finished_at is None

        def end() -> None:
            with app.app_context(), transaction("test.end", actor=None):
                work_services.end(works.work(number), message="The trail is whole: 7 entries.")

        elsewhere = Thread(target=end)
        elsewhere.start()
        elsewhere.join()
        assert "The trail is whole: 7 entries." in panel._trail().get_data(as_text=True)
