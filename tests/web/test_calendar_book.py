"""Booking at the desk."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cpms.calendar.models import Event, Status
from cpms.core import clock
from cpms.core.db import db
from tests.make import TUESDAY, Make
from tests.pages import Answer, Person


def form(make: Make, **changes: Any) -> dict[str, Any]:
    """What the dialog sends."""
    return {
        "kind": "visit",
        "patient_id": "",
        "patient_name": "",
        "day": "2026-09-01",
        "start_time": "10:00",
        "minutes": "30",
        "chair_id": make.chair("Chair 1").id,
        "provider_id": make.user("ada").id,
        "type_id": make.type("Check-up").id,
        "booking_key": "k1",
    } | changes


def events(make: Make) -> list[Event]:
    with make.app.app_context():
        found = list(db.session.query(Event).order_by(Event.id))
        db.session.expunge_all()
        return found


def test_rita_opens_the_dialog_on_an_empty_slot_and_it_knows_the_slot(rita: Person, make: Make) -> None:
    chair = make.chair("Chair 2")
    page = rita.htmx.get(f"/calendar/events/new?start=2026-09-01T11:15&chair={chair.id}", target="dialog").page
    assert not page.has("html > body > .frame"), "only the sheet is sent"
    assert (page.value("day"), page.value("start_time")) == ("2026-09-01", "11:15")
    assert page.value("chair_id") == str(chair.id)


@pytest.mark.parametrize(
    "query",
    [
        "start=9999-12-31T23:45",
        "start=0001-01-01T00:00",
        "start=2026-09-01T10:00:30",
        "start=2026-09-01T10:00%2B02:00",
        "start=soon",
        f"patient={'9' * 5000}",
        "patient=4711",
        f"minutes={'9' * 5000}",
        "minutes=485",
        "minutes=0",
        f"chair={'9' * 30}",
        f"provider={'9' * 5000}",
    ],
)
def test_an_address_that_no_screen_makes_is_not_here(rita: Person, query: str) -> None:
    assert rita.get(f"/calendar/events/new?{query}").status_code == 404


def test_a_block_may_last_a_day_and_the_sentence_says_so(rita: Person, make: Make) -> None:
    sent = form(make, kind="block", title="Repair", provider_id="", type_id="", minutes="2000")
    answer = rita.htmx.post("/calendar/events", target="dialog", **sent)
    assert "from 5 to 1440" in answer.page.error("minutes")
    whole_day = sent | {"minutes": "1440", "start_time": "00:00", "day": "2026-09-02"}
    asked = rita.htmx.post("/calendar/events", target="dialog", **whole_day)
    assert asked.status_code == 200, asked.page.text


@pytest.mark.parametrize("kind", ["", "party", "VISIT"])
def test_a_kind_that_no_screen_sends_is_refused(rita: Person, make: Make, kind: str) -> None:
    assert rita.htmx.post("/calendar/events", target="dialog", **form(make, kind=kind)).status_code == 400


def test_the_dialog_is_also_a_page_of_its_own(rita: Person) -> None:
    page = rita.get("/calendar/events/new").page
    assert page.has("#search") and page.has('form[data-event-form] [name="patient_id"]')


def test_rita_books_a_visit(rita: Person, make: Make, last_audit: Any) -> None:
    patient = make.patient(last_name="Yılmaz")
    answer = rita.htmx.post("/calendar/events", target="dialog", **form(make, patient_id=patient.id))
    assert answer.status_code == 200
    assert "dialog-close" in answer.headers["HX-Trigger"] and "calendar-changed" in answer.headers["HX-Trigger"]
    assert "Booked: Selma Yılmaz" in answer.toast
    [event] = events(make)
    assert (event.start, event.end - event.start, event.patient_id) == (TUESDAY, timedelta(minutes=30), patient.id)
    assert (last_audit().action, last_audit().actor_id) == ("event.create", rita.id)


def test_without_scripts_the_same_form_leads_to_the_day(rita: Person, make: Make) -> None:
    answer = rita.post("/calendar/events", **form(make, patient_id=make.patient().id))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/calendar/day/2026-09-01")


def test_what_was_booked_can_be_taken_back_with_one_tap(rita: Person, make: Make) -> None:
    toast = rita.htmx.post("/calendar/events", target="dialog", **form(make, patient_id=make.patient().id)).page
    undo = str(toast.one(".toast form")["hx-post"])
    assert rita.htmx.post(undo).status_code == 200
    assert events(make)[0].is_deleted


def test_a_double_tap_books_once(rita: Person, make: Make) -> None:
    filled = form(make, patient_id=make.patient().id)
    for _tap in range(2):
        assert rita.htmx.post("/calendar/events", target="dialog", **filled).status_code == 200
    assert len(events(make)) == 1


def test_a_taken_slot_says_who_has_it_and_keeps_what_was_typed(rita: Person, make: Make) -> None:
    make.visit(patient=make.patient(first_name="Emre", last_name="Koç"))
    patient = make.patient()
    answer = rita.htmx.post(
        "/calendar/events", target="dialog", **form(make, patient_id=patient.id, patient_name="Selma", title="Crown")
    )
    assert answer.status_code == 409
    assert "Chair 1 is taken from 10:00 to 10:30: Emre Koç." in answer.page.text
    assert (answer.page.value("title"), answer.page.value("patient_id")) == ("Crown", str(patient.id))
    assert answer.page.has('[name="overbook_reason"]')
    assert len(events(make)) == 1


def test_rita_books_it_anyway_with_a_reason(rita: Person, make: Make) -> None:
    make.visit()
    answer = rita.htmx.post(
        "/calendar/events", target="dialog", **form(make, patient_id=make.patient().id, overbook_reason="Toothache")
    )
    assert answer.status_code == 200
    assert events(make)[1].overbook_reason == "Toothache"


def test_hugo_may_not_book_over_others(hugo: Person, make: Make) -> None:
    make.visit()
    filled = form(make, patient_id=make.patient().id)
    refused = hugo.htmx.post("/calendar/events", target="dialog", **filled)
    assert refused.status_code == 409 and not refused.page.has('[name="overbook_reason"]')
    forced = hugo.htmx.post("/calendar/events", target="dialog", **filled, overbook_reason="I want to")
    assert forced.status_code == 403
    assert len(events(make)) == 1


def test_the_unusual_is_asked_once(rita: Person, make: Make) -> None:
    filled = form(make, patient_id=make.patient().id, day="2026-09-06")
    asked = rita.htmx.post("/calendar/events", target="dialog", **filled)
    assert asked.status_code == 422 and "closed on that day" in asked.page.text
    yes = asked.page.value("confirmed")
    assert rita.htmx.post("/calendar/events", target="dialog", **filled, confirmed=yes).status_code == 200


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("day", "", "give the date"),
        ("day", "31/31/2026", "a date that exists"),
        ("day", "2026-02-30", "a date that exists"),
        ("day", "3000-01-01", "a date from 1950 to 2149"),
        ("day", "9999-12-31", "a date from 1950 to 2149"),
        ("day", "0001-01-01", "a date from 1950 to 2149"),
        ("start_time", "half past", "hours and minutes"),
        ("start_time", "10:03", "steps of 5 minutes"),
        ("minutes", "long", "whole number"),
        ("minutes", "0", "from 5 to 480"),
        ("minutes", "485", "at most 8 hours"),
        ("minutes", "7", "steps of 5 minutes"),
        ("minutes", "-30", "from 5 to 480"),
        ("chair_id", "9999", "choose from the list"),
        ("chair_id", "<script>", "choose from the list"),
        ("provider_id", "", "who sees the patient"),
        ("type_id", "77777", "choose from the list"),
        ("title", "x" * 201, "At most 200 characters"),
        ("notes", "x" * 2001, "At most 2000 characters"),
    ],
)
def test_each_wrong_value_gets_a_sentence_beside_its_field(
    rita: Person, make: Make, field: str, typed: str, sentence: str
) -> None:
    patient = make.patient()
    answer = rita.htmx.post(
        "/calendar/events", target="dialog", **form(make, patient_id=patient.id, patient_name="Selma") | {field: typed}
    )
    assert answer.status_code == 422
    assert sentence in answer.page.error(field)
    assert answer.page.value("patient_name") == "Selma"
    if field not in {"chair_id", "type_id", "provider_id"}:
        assert answer.page.value(field) == typed
    assert events(make) == []


def test_a_visit_needs_a_patient_or_a_word(rita: Person, make: Make) -> None:
    answer = rita.htmx.post("/calendar/events", target="dialog", **form(make))
    assert answer.status_code == 422 and "choose a patient" in answer.page.text


def test_a_name_that_nobody_chose_is_not_forgotten(rita: Person, make: Make) -> None:
    answer = rita.htmx.post("/calendar/events", target="dialog", **form(make, patient_name="Selma Yil", title="Crown"))
    assert answer.status_code == 422
    assert "choose the patient from the list, or empty the field" in answer.page.error("patient_name")
    assert answer.page.value("patient_name") == "Selma Yil" and events(make) == []
    assert rita.htmx.post("/calendar/events", target="dialog", **form(make, title="Crown")).status_code == 200


@pytest.mark.parametrize("color", ["red", "#12345", "#1234567", "javascript:alert(1)"])
def test_a_colour_is_a_colour(rita: Person, make: Make, color: str) -> None:
    answer = rita.htmx.post(
        "/calendar/events", target="dialog", **form(make, patient_id=make.patient().id, color=color)
    )
    assert answer.status_code == 422 and events(make) == []


def test_html_in_a_title_is_shown_as_text(rita: Person, make: Make) -> None:
    title = '"><img src=x onerror=alert(1)>'
    rita.htmx.post("/calendar/events", target="dialog", **form(make, title=title))
    grid = rita.get("/calendar/week/2026-09-01")
    assert "<img" not in grid.html and title in grid.page.text


def test_a_field_that_is_not_on_the_form_is_refused(rita: Person, make: Make) -> None:
    answer = rita.htmx.post("/calendar/events", target="dialog", **form(make, title="x", status="completed"))
    assert answer.status_code == 400 and events(make) == []


def draft(rita: Person, make: Make, typed: str) -> Answer:
    return rita.htmx.post(
        "/calendar/events/draft", target="dialog", **form(make, patient_name=typed, title="Crown", new_patient="1")
    )


def test_the_patient_field_finds_while_typing_and_offers_a_new_patient(rita: Person, make: Make) -> None:
    make.patient(first_name="Çiğdem", last_name="Işık")
    page = rita.htmx.get("/calendar/patients/find?new=1&patient_name=isik", target="patient-options").page
    assert "Çiğdem Işık" in page.one("[data-value]").get_text()
    assert "New patient: isik" in page.text


def test_a_new_patient_and_the_first_visit_are_one_form(rita: Person, make: Make) -> None:
    page = draft(rita, make, "Lena Berg").page
    assert (page.value("first_name"), page.value("last_name")) == ("Lena", "Berg")
    assert page.value("title") == "Crown"
    answer = rita.htmx.post(
        "/calendar/events",
        target="dialog",
        **form(make, new_patient="1", first_name="Lena", last_name="Berg", date_of_birth="1990-05-17"),
    )
    assert answer.status_code == 200 and "Lena Berg" in answer.toast
    [event] = events(make)
    assert event.patient_id is not None


@pytest.mark.parametrize(
    ("field", "typed"), [("date_of_birth", "2.9.2026"), ("date_of_birth", "1.1.1890"), ("mobile_phone", "call me")]
)
def test_a_new_patient_is_as_sound_here_as_on_the_patients_page(
    rita: Person, make: Make, field: str, typed: str
) -> None:
    new = {"first_name": "Lena", "last_name": "Berg", "date_of_birth": "17.5.1990"} | {field: typed}
    answer = rita.htmx.post("/calendar/events", target="dialog", **form(make, new_patient="1", **new))
    assert answer.status_code == 422
    assert answer.page.error(field)
    assert answer.page.value(field) == typed


def test_a_new_patient_needs_name_and_date_of_birth(rita: Person, make: Make) -> None:
    answer = rita.htmx.post("/calendar/events", target="dialog", **form(make, new_patient="1", first_name="Lena"))
    assert answer.status_code == 422
    assert answer.page.error("last_name") and answer.page.error("date_of_birth")
    assert answer.page.value("first_name") == "Lena"
    assert events(make) == []


def test_somebody_known_already_is_shown_first(rita: Person, make: Make) -> None:
    make.patient(first_name="Lena", last_name="Berg", date_of_birth=date(1990, 5, 17))
    filled = form(make, new_patient="1", first_name="Lena", last_name="Berg", date_of_birth="1990-05-17")
    asked = rita.htmx.post("/calendar/events", target="dialog", **filled)
    assert asked.status_code == 422 and "may be the same person" in asked.page.text
    assert events(make) == []
    odd = filled | {"different_person": "y", "shown_ids": "9" * 5000}
    assert rita.htmx.post("/calendar/events", target="dialog", **odd).status_code == 422
    sure = filled | {"different_person": "y", "shown_ids": asked.page.value("shown_ids")}
    assert rita.htmx.post("/calendar/events", target="dialog", **sure).status_code == 200


def test_the_tick_is_about_those_who_were_shown(rita: Person, make: Make) -> None:
    born = date(1990, 5, 17)
    make.patient(first_name="Lena", last_name="Berg", date_of_birth=born)
    filled = form(make, new_patient="1", first_name="Lena", last_name="Berg", date_of_birth="1990-05-17")
    asked = rita.htmx.post("/calendar/events", target="dialog", **filled)
    other = make.patient(first_name="Lena", last_name="Berg", date_of_birth=born)
    ticked = filled | {"different_person": "y", "shown_ids": asked.page.value("shown_ids")}
    again = rita.htmx.post("/calendar/events", target="dialog", **ticked)
    assert again.status_code == 422 and str(other.id) in again.page.value("shown_ids").split(",")
    assert not again.page.has('[name="different_person"][checked]')
    assert "whether it is the same person" in again.page.error("different_person")


def test_a_tick_is_kept_while_the_slot_is_still_asked_about(rita: Person, make: Make) -> None:
    make.patient(first_name="Lena", last_name="Berg", date_of_birth=date(1990, 5, 17))
    make.visit()
    filled = form(make, new_patient="1", first_name="Lena", last_name="Berg", date_of_birth="1990-05-17")
    asked = rita.htmx.post("/calendar/events", target="dialog", **filled)
    ticked = filled | {"different_person": "y", "shown_ids": asked.page.value("shown_ids")}
    taken = rita.htmx.post("/calendar/events", target="dialog", **ticked)
    assert taken.status_code == 409
    carried = {name: taken.page.value(name) for name in ("different_person", "shown_ids")}
    assert (
        rita.htmx.post("/calendar/events", target="dialog", **filled | carried, overbook_reason="Toothache").status_code
        == 200
    )


def test_a_refused_visit_leaves_no_new_patient_behind(rita: Person, make: Make) -> None:
    make.visit()
    filled = form(make, new_patient="1", first_name="Lena", last_name="Berg", date_of_birth="1990-05-17")
    assert rita.htmx.post("/calendar/events", target="dialog", **filled).status_code == 409
    assert "Lena Berg" not in rita.get("/patients/").page.text


def test_a_block_is_booked_too(rita: Person, make: Make) -> None:
    answer = rita.htmx.post(
        "/calendar/events", target="dialog", **form(make, kind="block", title="Repair", provider_id="", type_id="")
    )
    assert answer.status_code == 200
    assert events(make)[0].status is Status.SCHEDULED


def test_a_form_without_a_slot_proposes_the_next_open_quarter_of_an_hour(
    rita: Person, sign_in: Callable[[str], Person]
) -> None:
    page = rita.get("/calendar/events/new").page
    assert (page.value("day"), page.value("start_time")) == ("2026-09-01", "09:15")
    with clock.freeze(datetime(2026, 9, 5, 20, 0, tzinfo=UTC)):  # Saturday evening: Sunday is closed
        page = sign_in("rita").get("/calendar/events/new").page
    assert (page.value("day"), page.value("start_time")) == ("2026-09-07", "08:00")


def test_a_slot_proposes_who_works_at_that_chair_on_that_day(rita: Person, make: Make) -> None:
    make.visit(chair="Chair 2", provider="hugo")
    chair = make.chair("Chair 2").id
    page = rita.get(f"/calendar/events/new?start=2026-09-01T14:00&chair={chair}").page
    assert page.value("provider_id") == str(make.user("hugo").id)


def test_whom_the_visit_is_for_is_said_with_what_can_hurt_them(rita: Person, make: Make) -> None:
    patient = make.patient(alert_text="Latex <b>", mobile_phone="0171 555")
    blank = rita.htmx.get("/calendar/events/new", target="dialog").page.one("#chosen-patient")
    assert blank.get_text() == ""
    chosen = rita.htmx.get(str(blank["hx-get"]), patient_id=patient.id).page
    assert "2 March 1985 (41 y) · 0171 555 · chart" in chosen.text
    assert chosen.one("#chosen-patient .alert-strip").get_text(strip=True) == "Latex <b>"
    assert chosen.one("#chosen-patient")["hx-trigger"] == "change from:#patient_id", "the next choice asks again"
    assert rita.htmx.get(str(blank["hx-get"]), patient_id="").page.one("#chosen-patient").get_text() == ""
    visit = make.visit(patient=patient)
    for address in ("edit", "move", "status?status=cancelled"):
        assert rita.get(f"/calendar/events/{visit.id}/{address}").page.has("#chosen-patient .alert-strip"), address
    refused = rita.htmx.post("/calendar/events", target="dialog", **form(make, patient_id=patient.id)).page
    assert refused.has("#chosen-patient .alert-strip"), "a dialog that comes back still says it"


def test_anyway_without_a_reason_says_what_is_missing(rita: Person, make: Make) -> None:
    make.visit()
    first = rita.htmx.post("/calendar/events", target="dialog", **form(make, title="Repair")).page
    field = first.one("[name=overbook_reason]")
    assert field.has_attr("required") and "optional" not in first.one("label[for=overbook_reason]").get_text()
    assert not field.has_attr("aria-invalid"), "nobody has left it empty yet"
    again = rita.htmx.post("/calendar/events", target="dialog", **form(make, title="Repair"), overbook_reason=" ")
    assert again.status_code == 409
    assert "Please give a reason" in again.page.error("overbook_reason")
    other = make.visit(TUESDAY + timedelta(hours=2))
    slot = {"day": "2026-09-01", "start_time": "10:00", "minutes": 30, "version": other.row_version}
    slot |= {"chair_id": other.chair_id, "provider_id": other.provider_id, "overbook_reason": ""}
    moved = rita.htmx.post(f"/calendar/events/{other.id}/move", target="dialog", **slot)
    assert moved.status_code == 409 and "Please give a reason" in moved.page.error("overbook_reason")


def test_a_visit_is_with_somebody_and_a_block_need_not_be(rita: Person, make: Make) -> None:
    visit = make.visit()
    block = make.block(chair="Chair 2")
    for address in ("new", f"{visit.id}/edit", f"{visit.id}/move"):
        page = rita.get(f"/calendar/events/{address}").page
        assert "optional" not in page.one("label[for=provider_id]").get_text(), address
        assert "Nobody" not in page.one("#provider_id").get_text(), address
    for address in ("new?kind=block", f"{block.id}/edit", f"{block.id}/move"):
        page = rita.get(f"/calendar/events/{address}").page
        assert "optional" in page.one("label[for=provider_id]").get_text(), address
        assert "Nobody" in page.one("#provider_id").get_text(), address
