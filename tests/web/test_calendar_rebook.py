"""The list of visits that want another date: who comes onto it, and how they leave it."""

from datetime import timedelta
from typing import Any

from cpms.auth import queries as auth
from cpms.calendar import queries, services
from cpms.calendar.models import Event, Status
from cpms.core.db import db, transaction
from cpms.patients import queries as patients
from cpms.patients import services as patient_services
from tests.make import TUESDAY, Make
from tests.pages import Page, Person

LIST = "/calendar/rebook"


def names(person: Person) -> list[str]:
    return [each.get_text(strip=True) for each in person.get(LIST).page.all(".rebook-who > a:first-child")]


def cancel(make: Make, visit: Event, status: Status = Status.CANCELLED) -> None:
    with make.writing():
        row = queries.event(visit.id)
        services.set_status(row, status, seen=row.row_version, reason="Ill", told_day=row.start.date())


def leave(make: Make, username: str) -> None:
    user_id = make.user(username).id
    with make.app.app_context(), transaction("test.leave", actor=None):
        auth.user(user_id).active = False


def line(page: Page, visit: Event) -> str:
    return page.one(f"#rebook-{visit.id}").get_text(" ", strip=True)


def test_whom_to_call_and_about_what(rita: Person, make: Make, last_audit: Any) -> None:
    patient = make.patient(last_name="Schneider", mobile_phone="0150 123 456", alert_text="Latex")
    visit = make.visit(patient=patient, type_id=make.type("Filling").id)
    cancel(make, visit)
    page = rita.get(LIST).page
    words = line(page, visit)
    assert "Selma Schneider" in words and "Alert: Latex" in words
    assert "Tue 1 Sep, 10:00 Filling Dr Ada Dent cancelled: Ill" in words
    assert page.one(f'#rebook-{visit.id} a[href^="tel:"]')["href"] == "tel:0150123456"
    assert last_audit().action == "calendar.rebook_list"


def test_cancelled_missed_and_orphaned_visits_are_on_it_and_no_others(rita: Person, make: Make) -> None:
    expected = set()
    for number, status in enumerate(Status):
        visit = make.visit(TUESDAY + timedelta(hours=number), patient=make.patient(last_name=status.value))
        if status in {Status.CANCELLED, Status.NO_SHOW}:
            cancel(make, visit, status)
            expected.add(f"Selma {status.value}")
    make.visit(TUESDAY, chair="Chair 2", provider="hugo", patient=make.patient(last_name="Orphan"))
    make.visit(TUESDAY - timedelta(days=1), chair="Chair 2", provider="hugo", patient=make.patient(last_name="Past"))
    assert set(names(rita)) == expected
    assert "Patients with a later visit are not listed." in rita.get(LIST).page.text
    leave(make, "hugo")
    assert set(names(rita)) == expected | {"Selma Orphan"}


def test_a_newer_visit_takes_the_patient_off_the_list(rita: Person, make: Make) -> None:
    patient = make.patient()
    first = make.visit(TUESDAY + timedelta(days=3), patient=patient)
    cancel(make, first)
    assert len(names(rita)) == 1
    sooner = make.visit(TUESDAY + timedelta(days=1), patient=patient)
    assert names(rita) == []
    cancel(make, sooner)
    assert len(names(rita)) == 2, "the newer one was cancelled, too"


def test_an_earlier_visit_that_is_over_is_no_new_date(rita: Person, make: Make) -> None:
    patient = make.patient()
    make.visit(TUESDAY - timedelta(days=30), patient=patient, status=Status.COMPLETED)
    cancel(make, make.visit(TUESDAY - timedelta(days=1), patient=patient))
    assert len(names(rita)) == 1


def test_who_left_the_clinic_is_not_called(rita: Person, make: Make) -> None:
    gone, archived = make.patient(), make.patient()
    for number, each in enumerate((gone, archived)):
        cancel(make, make.visit(TUESDAY + timedelta(hours=number), patient=each))
    with make.writing():
        patient_services.delete_patient(patients.patient(gone.id))
        patient_services.archive_patient(patients.patient(archived.id))
    assert names(rita) == []
    cancel(make, make.visit(TUESDAY - timedelta(days=200)))
    assert names(rita) == [], "nor whom nobody called for half a year"


def test_book_again_is_a_form_that_is_filled_in(rita: Person, make: Make) -> None:
    visit = make.visit(minutes=45, provider="hugo", chair="Chair 2", type_id=make.type("Cleaning").id, title="Recall")
    cancel(make, visit)
    link = rita.get(LIST).page.one(f"#rebook-{visit.id} .button.primary")
    form = rita.htmx.get(str(link["hx-get"]), target="dialog").page
    assert [form.value(each) for each in ("patient_id", "minutes", "provider_id", "type_id", "title")] == [
        str(each) for each in (visit.patient_id, 45, make.user("hugo").id, make.type("Cleaning").id, "Recall")
    ]
    sent = {each: form.value(each) for each in ("kind", "patient_id", "minutes", "provider_id", "type_id", "title")}
    sent |= {each: form.value(each) for each in ("day", "start_time", "chair_id", "booking_key")}
    answer = rita.htmx.post("/calendar/events", target="dialog", **sent)
    assert answer.status_code == 200 and "Booked" in answer.toast
    assert names(rita) == []


def test_a_visit_that_lost_its_dentist_is_given_to_another(rita: Person, make: Make) -> None:
    visit = make.visit()
    leave(make, "ada")
    link = rita.get(LIST).page.one(f"#rebook-{visit.id} .button.primary")
    found = rita.htmx.get(str(link["hx-get"]), target="dialog").page
    assert "Find a time: " in found.text
    answer = found.all(".free-answer")[0]
    assert "Tue 1 Sep, 09:00–09:30 Hugo Clean" in answer.get_text(" ", strip=True)
    form = rita.htmx.get(str(answer["hx-get"]), target="dialog").page
    sent = {each: form.value(each) for each in ("version", "day", "start_time", "minutes", "chair_id", "provider_id")}
    assert sent["provider_id"] == str(make.user("hugo").id)
    assert rita.htmx.post(f"/calendar/events/{visit.id}/move", target="dialog", **sent).status_code == 200
    assert names(rita) == []


def test_another_date_is_looked_for_from_the_day_of_the_visit_on(rita: Person, make: Make) -> None:
    visit = make.visit(TUESDAY + timedelta(days=9))
    leave(make, "ada")
    link = rita.get(LIST).page.one(f"#rebook-{visit.id} .button.primary")
    assert rita.htmx.get(str(link["hx-get"]), target="dialog").page.value("day") == "2026-09-10"


def test_no_new_date_wants_a_reason_which_stays_and_can_be_taken_back(
    rita: Person, make: Make, last_audit: Any
) -> None:
    visit = make.visit()
    cancel(make, visit)
    url = str(rita.get(LIST).page.all(f"#rebook-{visit.id} .button")[1]["hx-get"])
    version = rita.htmx.get(url, target="dialog").page.value("version")
    empty = rita.htmx.post(url, target="dialog", version=version)
    assert empty.status_code == 422 and empty.page.error("reason").endswith("Please give a reason.")
    answer = rita.htmx.post(url, target="dialog", version=version, reason="Moved to Izmir")
    assert answer.status_code == 200 and "visits-changed" in answer.headers["HX-Trigger"]
    assert names(rita) == []
    assert last_audit().action == "calendar.rebook_list"
    with make.app.app_context():
        assert queries.event(visit.id).no_new_date_reason == "Moved to Izmir"
    history = rita.get(f"/audit/events/{visit.id}").page.text
    assert "noted that no new date is wanted" in history and "Moved to Izmir" in history
    assert rita.htmx.post(str(answer.page.one(".toast form")["action"])).status_code == 200
    assert len(names(rita)) == 1


def test_a_visit_that_is_on_the_calendar_has_its_date(rita: Person, make: Make) -> None:
    visit = make.visit()
    answer = rita.htmx.post(
        f"/calendar/events/{visit.id}/no-new-date", target="dialog", version=visit.row_version, reason="x"
    )
    assert answer.status_code == 422 and "it needs no new date" in answer.page.text


def test_who_comes_after_all_and_is_cancelled_again_is_asked_about_again(rita: Person, make: Make) -> None:
    visit = make.visit()
    cancel(make, visit)
    with make.writing():
        row = queries.event(visit.id)
        services.want_no_new_date(row, seen=row.row_version, reason="Will call")
    assert names(rita) == []
    with make.writing():
        row = queries.event(visit.id)
        services.set_status(row, Status.SCHEDULED, seen=row.row_version, reason="Comes after all")
    cancel(make, visit)
    assert len(names(rita)) == 1


def test_somebody_faster_is_told(rita: Person, make: Make) -> None:
    visit = make.visit()
    cancel(make, visit)
    answer = rita.htmx.post(f"/calendar/events/{visit.id}/no-new-date", target="dialog", version=1, reason="x")
    assert answer.status_code == 409
    with make.app.app_context():
        assert db.session.get(Event, visit.id).no_new_date_reason is None


def test_today_counts_them_and_leads_there(rita: Person, make: Make) -> None:
    assert "Nobody waits for another date" in rita.htmx.get("/today/rebook").page.text
    cancel(make, make.visit())
    make.visit(TUESDAY + timedelta(hours=2), provider="hugo")
    leave(make, "hugo")
    page = rita.htmx.get("/today/rebook").page
    assert "2 visits to be rebooked" in page.text
    assert page.one("a")["href"] == LIST


def test_every_look_at_it_leaves_a_trace(rita: Person, make: Make, last_audit: Any) -> None:
    for number in range(52):
        patient = make.patient(last_name=f"N{number}")
        make.visit(TUESDAY - timedelta(days=1 + number), patient=patient, status=Status.CANCELLED)
    page = rita.get(LIST).page
    for address in (str(page.one("#to-rebook")["hx-get"]), str(page.one(".pager a")["href"])):
        before = last_audit().id
        assert rita.htmx.get(address, target="to-rebook").page.has(".rebook > li")
        assert (last_audit().action, last_audit().id > before) == ("calendar.rebook_list", True), address


def test_many_stand_on_pages_and_cost_no_more(rita: Person, make: Make, statements: list[str]) -> None:
    for number in range(52):
        patient = make.patient(last_name=f"N{number}")
        make.visit(TUESDAY - timedelta(days=1 + number), patient=patient, status=Status.CANCELLED)
    rita.get(LIST)
    statements.clear()
    page = rita.get(LIST).page
    assert len(page.all(".rebook > li")) == 50 and len(statements) <= 9, statements
    assert len(rita.get(f"{LIST}?page=2").page.all(".rebook > li")) == 2
