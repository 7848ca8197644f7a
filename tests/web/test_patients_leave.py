"""A patient goes into the trash with the visits to come, and comes back with them, or it is said what is in the way."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask

from cpms.audit import queries as audit
from cpms.audit.models import AuditEntry
from cpms.calendar import queries as calendar
from cpms.calendar.models import Event, Status
from cpms.core import clock
from cpms.patients import queries as patients
from cpms.patients import services as patient_services
from cpms.patients.models import Patient
from tests.conftest import NOW
from tests.make import Make
from tests.pages import Person

LastAudit = Callable[[], AuditEntry]
SignIn = Callable[[str], Person]
DAY = datetime(2026, 9, 8, 10, 0)


@pytest.fixture
def mia(make: Make) -> Patient:
    return make.patient(first_name="Mia", last_name="Berg")


def visits_of(make: Make, mia: Patient) -> list[Event]:
    return [make.visit(DAY + timedelta(days=number), patient=mia) for number in range(3)]


def off(make: Make, *visits: Event) -> list[bool]:
    with make.app.app_context():
        return [calendar.event(visit.id).is_deleted for visit in visits]


def delete(person: Person, mia: Patient, **form: str) -> None:
    assert person.post(f"/calendar/patients/{mia.id}/delete", **form).status_code == 303


def test_the_question_names_the_visits_and_they_go_in_the_same_write(
    rita: Person, make: Make, mia: Patient, last_audit: LastAudit, app: Flask
) -> None:
    visits = visits_of(make, mia)
    past = make.visit(datetime(2026, 8, 3, 10), patient=mia)
    gone = make.visit(DAY + timedelta(hours=2), patient=mia, status=Status.CANCELLED)
    ask = rita.htmx.get(f"/calendar/patients/{mia.id}/delete", target="dialog").page
    assert "3 coming visits are taken off the calendar" in ask.text
    assert "Tue 8 Sep, 10:00 · Chair 1" in ask.text
    delete(rita, mia, reason="made twice")
    assert "Mia Berg is deleted. 3 coming visits are off the calendar." in rita.get("/patients/").toast
    assert off(make, *visits, past, gone) == [True, True, True, False, False]
    entry = last_audit()
    assert (entry.action, entry.reason) == ("patient.delete", "made twice")
    with app.app_context():
        assert sorted(each.table_name for each in audit.changes_of(entry.id)) == ["event", "event", "event", "patient"]


def test_the_trash_shows_one_line_and_gives_all_of_it_back(rita: Person, make: Make, mia: Patient) -> None:
    visits = visits_of(make, mia)
    delete(rita, mia)
    page = rita.get("/audit/trash").page
    assert "with 3 visits, the first Tue 8 Sep, 10:00" in page.text
    form = page.one("main form[action$='/undelete']")
    assert rita.post(str(form["action"])).headers["Location"] == f"/patients/{mia.id}"
    assert "Mia Berg is back. 3 visits are on the calendar again." in rita.get(f"/patients/{mia.id}").toast
    assert off(make, *visits) == [False] * 3


def test_what_was_deleted_before_stays_in_the_trash(rita: Person, sign_in: SignIn, make: Make, mia: Patient) -> None:
    visits = visits_of(make, mia)
    rita.htmx.post(f"/calendar/events/{visits[0].id}/delete", target="dialog", version=1)
    with clock.freeze(NOW + timedelta(minutes=1)):
        later = sign_in("rita")
        delete(later, mia)
        assert len(later.get("/audit/trash").page.all("main form[action$='/undelete']")) == 2
        later.post(f"/calendar/patients/{mia.id}/undelete")
    assert off(make, *visits) == [True, False, False]


def test_a_visit_does_not_come_back_without_its_patient(rita: Person, make: Make, mia: Patient) -> None:
    visit = make.visit(DAY, patient=mia)
    delete(rita, mia)
    answer = rita.htmx.post(f"/calendar/events/{visit.id}/undelete")
    assert (answer.status_code, "Mia Berg was deleted. Restore the patient first." in answer.toast) == (422, True)
    assert off(make, visit) == [True]


def test_a_time_given_away_is_said_and_the_chart_can_come_without(rita: Person, make: Make, mia: Patient) -> None:
    visits = visits_of(make, mia)
    delete(rita, mia)
    undo = str(rita.get("/patients/").page.one(".toast form")["hx-post"])
    make.visit(DAY + timedelta(minutes=15), patient=make.patient(first_name="Ida", last_name="Kern"))
    asked = rita.htmx.post(undo)
    assert asked.status_code == 409
    assert "hx-partial" in asked.html, "a toast has no place for the question"
    assert "Chair 1 is taken from 10:15 to 10:45: Ida Kern." in asked.page.text
    assert off(make, *visits) == [True] * 3, "nothing was restored"
    plain = rita.post(undo)
    assert (plain.status_code, "Restore Mia Berg without these visits?" in plain.page.text) == (409, True)
    assert plain.page.value("without") == str(visits[0].id)
    assert rita.htmx.post(undo, target="dialog", without=visits[0].id).headers["HX-Redirect"] == f"/patients/{mia.id}"
    assert "2 visits are on the calendar again. 1 visit stays in the trash." in rita.get(f"/patients/{mia.id}").toast
    assert off(make, *visits) == [True, False, False]
    assert "Tue 8 Sep, 10:00" in rita.get("/audit/trash").page.text


def test_only_the_visits_that_one_was_told_of_are_left_behind(rita: Person, make: Make, mia: Patient) -> None:
    visits = visits_of(make, mia)
    delete(rita, mia)
    for number in (0, 1):
        make.visit(DAY + timedelta(days=number))
    answer = rita.post(f"/calendar/patients/{mia.id}/undelete", without=visits[0].id)
    assert answer.status_code == 409
    with make.app.app_context():
        assert patients.patient(mia.id).is_deleted
    assert rita.post(f"/calendar/patients/{mia.id}/undelete", without="1,x,9").status_code == 409


def test_a_visit_booked_over_another_needs_the_right_to_come_back(
    ada: Person, sign_in: SignIn, make: Make, mia: Patient
) -> None:
    make.visit(DAY)
    over = make.visit(DAY, patient=mia, overbook_reason="pain")
    delete(ada, mia)
    assert ada.post(f"/calendar/patients/{mia.id}/undelete").status_code == 303, "a dentist may book over others"
    assert off(make, over) == [False]


def test_the_history_takes_a_deletion_back_with_its_visits(
    olga: Person, make: Make, mia: Patient, last_audit: LastAudit
) -> None:
    visits = visits_of(make, mia)
    delete(olga, mia)
    entry = last_audit()
    other = make.visit(DAY, patient=make.patient(first_name="Ida", last_name="Kern"))
    refused = olga.htmx.post(f"/audit/entries/{entry.id}/undo")
    assert refused.status_code == 409
    assert "10:30: Ida Kern. The trash offers to restore the patient without that visit." in refused.toast
    assert off(make, *visits) == [True] * 3
    olga.htmx.post(f"/calendar/events/{other.id}/delete", target="dialog", version=1)
    assert olga.htmx.post(f"/audit/entries/{entry.id}/undo").status_code == 200
    assert off(make, *visits) == [False] * 3
    again = last_audit()
    assert olga.htmx.post(f"/audit/entries/{again.id}/undo").status_code == 200, "and that, too"
    assert off(make, *visits) == [True] * 3


def test_the_trash_is_paged_and_costs_the_same_when_it_is_full(rita: Person, make: Make, statements: list[str]) -> None:
    def fill(number: int) -> None:
        with make.writing():
            for _ in range(number):
                make._count += 1
                row = patient_services.create_patient(
                    first_name="Nobody", last_name=f"N{make._count}", date_of_birth=datetime(1980, 1, 1).date()
                )
                patient_services.delete_patient(row)

    fill(30)
    statements.clear()
    rita.get("/audit/trash")
    few = len(statements)
    fill(75)
    statements.clear()
    page = rita.get("/audit/trash").page
    assert len(statements) == few
    assert "1 to 50 of 105" in page.text
    seen = [each.get_text() for each in page.all(".history-what strong")]
    for number in (2, 3):
        seen += [each.get_text() for each in rita.get(f"/audit/trash?page={number}").page.all(".history-what strong")]
    assert len(set(seen)) == 105
    assert rita.get("/audit/trash?page=99").page.has(".history-what"), "beyond the end is the last page"
