"""Anyone's change can be looked up in words, and taken back."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask

from cpms.audit import queries
from cpms.audit.models import AuditEntry
from cpms.core import clock
from cpms.patients import queries as patients
from tests.conftest import NOW
from tests.make import Make
from tests.pages import Person
from tests.web.test_patients_edit import open_details, send

SignIn = Callable[[str], Person]


def undo_button(person: Person, url: str) -> str:
    """The address of the newest change that can be taken back."""
    return str(person.get(url).page.all("form[action*='/undo']")[0]["action"])


def test_a_move_is_told_in_words(rita: Person, make: Make) -> None:
    visit = make.visit()
    rita.htmx.post(
        f"/calendar/events/{visit.id}/move",
        target="dialog",
        version=1,
        day="2026-09-02",
        start_time="11:30",
        minutes=30,
        chair_id=visit.chair_id,
        provider_id=visit.provider_id,
    )
    text = rita.get(f"/audit/events/{visit.id}").page.text
    assert "Rita Desk moved it from Tue 1 Sep, 10:00 to Wed 2 Sep, 11:30" in text
    assert "2026-09" not in text, "no raw values"


def test_the_history_of_a_patient_names_each_change(rita: Person, make: Make) -> None:
    patient = make.patient(mobile_phone="030 1")
    send(rita, patient, open_details(rita, patient), mobile_phone="030 2", sex="female")
    text = rita.get(f"/audit/patients/{patient.id}").page.text
    assert "Rita Desk changed the details" in text
    assert "Mobile phone: 030 1 → 030 2" in text
    assert "Sex: Not said → Female" in text


def test_a_long_text_is_told_from_where_it_changed(rita: Person, make: Make) -> None:
    same = "Please call the day before. " * 20
    patient = make.patient(notes=f"{same}Comes with her son.")
    send(rita, patient, open_details(rita, patient), notes=f"{same}Comes with her daughter.")
    text = rita.get(f"/audit/patients/{patient.id}").page.text
    assert "Comes with her son. → …" in text
    assert "Comes with her daughter." in text


def test_medical_words_are_for_those_who_may_read_them(rita: Person, ada: Person, make: Make) -> None:
    patient = make.patient(medical_history="canary")
    assert "canary" in ada.get(f"/audit/patients/{patient.id}").page.text
    page = rita.get(f"/audit/patients/{patient.id}").page
    assert "Medical history: changed" in page.text
    assert "canary" not in page.html


def test_olga_sees_who_opened_a_chart_and_one_look_is_one_line(
    olga: Person, ada: Person, rita: Person, make: Make, sign_in: SignIn
) -> None:
    patient = make.patient()
    for _ in range(3):
        ada.get(f"/patients/{patient.id}")
    with clock.freeze(NOW + timedelta(hours=1)):
        sign_in("ada").get(f"/patients/{patient.id}")
    with clock.freeze(NOW + timedelta(hours=2)):
        text = sign_in("olga").get(f"/audit/patients/{patient.id}?looks=1").page.text
    assert text.count("Dr Ada Dent opened the chart") == 2
    assert "Dr Ada Dent opened the chart · 3 times" in text
    assert "Dr Ada" not in rita.get(f"/audit/patients/{patient.id}?looks=1").page.one("#history").get_text()


def test_a_change_is_taken_back_and_that_is_told(
    rita: Person, make: Make, app: Flask, last_audit: Callable[[], AuditEntry]
) -> None:
    patient = make.patient(last_name="Before", mobile_phone="030 1")
    send(rita, patient, open_details(rita, patient), last_name="After", mobile_phone="030 2")
    url = undo_button(rita, f"/audit/patients/{patient.id}")
    answer = rita.htmx.post(url)
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (200, "true")
    assert (last_audit().action, last_audit().undoes_id) == ("entry.undo", int(url.split("/")[3]))
    assert "Taken back" in rita.get(f"/patients/{patient.id}").toast
    with app.app_context():
        row = patients.patient(patient.id)
        assert (row.last_name, row.mobile_phone) == ("Before", "030 1")
        assert [hit.id for hit in patients.search("before")] == [patient.id], "found under the old name again"
    assert "taken back by Rita Desk" in rita.get(f"/audit/patients/{patient.id}").page.text
    assert rita.htmx.post(url).status_code == 409, "once is enough"


def test_taking_back_can_be_taken_back(rita: Person, make: Make, app: Flask) -> None:
    patient = make.patient(mobile_phone="030 1")
    send(rita, patient, open_details(rita, patient), mobile_phone="030 2")
    rita.htmx.post(undo_button(rita, f"/audit/patients/{patient.id}"))
    assert rita.htmx.post(undo_button(rita, f"/audit/patients/{patient.id}")).status_code == 200
    with app.app_context():
        assert patients.patient(patient.id).mobile_phone == "030 2"


def test_what_somebody_changed_since_is_not_taken_back(rita: Person, olga: Person, make: Make, app: Flask) -> None:
    patient = make.patient(mobile_phone="030 1")
    send(rita, patient, open_details(rita, patient), mobile_phone="030 2")
    url = undo_button(rita, f"/audit/patients/{patient.id}")
    send(olga, patient, open_details(olga, patient), mobile_phone="030 3")
    answer = rita.htmx.post(url)
    assert answer.status_code == 409
    assert "Olga Owner changed this again (Tue 1 Sep, 09:00)" in answer.toast
    with app.app_context():
        assert patients.patient(patient.id).mobile_phone == "030 3"


def test_a_time_that_was_given_away_is_not_taken_back(rita: Person, make: Make) -> None:
    visit = make.visit()
    rita.htmx.post(
        f"/calendar/events/{visit.id}/move",
        target="dialog",
        version=1,
        day="2026-09-02",
        start_time="11:30",
        minutes=30,
        chair_id=visit.chair_id,
        provider_id=visit.provider_id,
    )
    url = undo_button(rita, f"/audit/events/{visit.id}")
    make.visit(datetime(2026, 9, 1, 10, 0))
    answer = rita.htmx.post(url)
    assert answer.status_code == 409
    assert "Chair 1 is taken from 10:00 to 10:30" in answer.toast


def test_a_change_needs_the_right_to_make_it(rita: Person, ada: Person, make: Make, app: Flask) -> None:
    patient = make.patient()
    url = f"/patients/{patient.id}/medical/edit"
    page = ada.get(url).page
    ada.htmx.post(
        url,
        target="medical-form",
        seen=page.value("seen"),
        alert_text="",
        medical_history="asthma",
        any_medical_problems="",
        surgery_history="",
        current_treatment="",
        women_specific_info="",
    )
    with app.app_context():
        entry_id = queries.trail(queries.Asked(patient_id=patient.id, looks=False))[0][0].id
    assert rita.htmx.post(f"/audit/entries/{entry_id}/undo").status_code == 403
    assert not rita.get(f"/audit/patients/{patient.id}").page.has(f"form[action='/audit/entries/{entry_id}/undo']")
    assert ada.htmx.post(f"/audit/entries/{entry_id}/undo").status_code == 200


def test_what_is_no_change_cannot_be_taken_back(olga: Person, make: Make, app: Flask) -> None:
    olga.get(f"/patients/{make.patient().id}")
    with app.app_context():
        entry_id = queries.entries(limit=1)[0].id
    assert olga.htmx.post(f"/audit/entries/{entry_id}/undo").status_code == 403
    assert olga.htmx.post("/audit/entries/987654/undo").status_code == 404


def test_a_save_offers_the_way_back(rita: Person, make: Make) -> None:
    patient = make.patient()
    send(rita, patient, open_details(rita, patient), notes="new")
    assert rita.get(f"/patients/{patient.id}").page.has(".toast form[hx-post*='/undo']")


def test_the_log_is_filtered_and_exported(olga: Person, rita: Person, make: Make, app: Flask) -> None:
    patient = make.patient(last_name="=cmd|calc")
    send(rita, patient, open_details(rita, patient), notes="n")
    with app.app_context():
        rita_id = rita.id
    page = olga.get(
        f"/audit/?who={rita_id}&what=patient&patient={patient.chart_no}&since=2026-09-01&until=2026-09-01"
    ).page
    whose = [each.get_text() for each in page.all(".history-what > strong")]
    assert whose
    assert set(whose) == {"Rita Desk"}
    assert not olga.get("/audit/?since=2026-09-02").page.has(".history-what")
    assert olga.get("/audit/?since=yesterday").status_code == 400
    told = olga.post("/audit/export", who=str(rita.id))
    assert told.headers["Content-Type"].startswith("text/csv")
    assert "changed the details" in told.html
    assert "'=cmd" in olga.post("/audit/export").html or "Selma =cmd" in told.html
    with app.app_context():
        assert queries.entries(limit=1)[0].action == "audit.export"


@pytest.mark.parametrize("known", [30, 300])
def test_the_log_costs_the_same_for_few_and_for_many(
    olga: Person, make: Make, statements: list[str], known: int
) -> None:
    patient = make.patient()
    for _ in range(min(known, 60)):
        olga.get(f"/patients/{patient.id}")
    statements.clear()
    assert olga.get("/audit/").status_code == 200
    assert len(statements) <= 12, statements


def test_the_trash_tells_who_and_why_and_gives_back(rita: Person, make: Make, app: Flask) -> None:
    patient, visit = make.patient(last_name="Gone"), make.visit()
    rita.htmx.post(f"/calendar/patients/{patient.id}/delete", target="dialog", reason="made twice")
    rita.htmx.post(f"/calendar/events/{visit.id}/delete", target="dialog", version=1)
    page = rita.get("/audit/trash").page
    assert "Selma Gone" in page.text
    assert "deleted by Rita Desk, Tue 1 Sep, 09:00: made twice" in page.text
    for form in page.all("main form[action$='/undelete']"):
        assert rita.post(form["action"]).status_code == 303
    assert "The trash is empty" in rita.get("/audit/trash").page.text
    with app.app_context():
        assert not patients.patient(patient.id).is_deleted


def test_a_chair_s_name_is_put_back_and_its_making_is_not(olga: Person, make: Make, app: Flask) -> None:
    chair = make.chair("Chair 1")
    olga.htmx.post(f"/calendar/chairs/{chair.id}", target="dialog", name="Blue room", version=1)
    with app.app_context():
        entry = queries.entries(limit=1)[0]
        assert (entry.action, queries.changes_of(entry.id)[0].columns["name"]) == (
            "chair.change",
            ["Chair 1", "Blue room"],
        )
    assert olga.htmx.post(f"/audit/entries/{entry.id}/undo").status_code == 200
    assert make.chair("Chair 1").id == chair.id
    olga.htmx.post("/calendar/chairs", target="dialog", name="Chair 9")
    with app.app_context():
        made = queries.entries(limit=1)[0].id
    answer = olga.htmx.post(f"/audit/entries/{made}/undo")
    assert answer.status_code == 422
    assert "cannot be taken back" in answer.toast


def test_only_who_may_overbook_puts_an_entry_back_over_others(
    hugo: Person, olga: Person, make: Make, app: Flask
) -> None:
    make.visit()
    over = make.visit(overbook_reason="pain")
    olga.htmx.post(
        f"/calendar/events/{over.id}/move",
        target="dialog",
        version=1,
        day="2026-09-02",
        start_time="11:30",
        minutes=30,
        chair_id=over.chair_id,
        provider_id=over.provider_id,
    )
    with app.app_context():
        entry = queries.entries(limit=1)[0]
        assert entry.action == "event.move"
        assert "overbook_reason" in queries.changes_of(entry.id)[0].columns
    assert hugo.htmx.post(f"/audit/entries/{entry.id}/undo").status_code == 403
    assert olga.htmx.post(f"/audit/entries/{entry.id}/undo").status_code == 200
