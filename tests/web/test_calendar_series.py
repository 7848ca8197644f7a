"""Booking an entry that repeats."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from cpms.audit.models import AuditEntry
from cpms.calendar.models import Kind
from cpms.core.db import db
from cpms.patients.models import Patient
from tests.make import TUESDAY, Make
from tests.pages import Answer, Person
from tests.series import answer_plan, at, book, entries, form, starts, states, ticked

LastAudit = Callable[[], AuditEntry]


def asked(person: Person, make: Make, **changes: Any) -> Answer:
    return person.htmx.post("/calendar/events", target="dialog", **form(make, **changes))


def test_the_dates_are_shown_before_anything_is_stored(rita: Person, make: Make) -> None:
    plan = asked(rita, make)
    assert plan.status_code == 422
    assert [line[0] for line in states(plan.page)] == [
        "Tue 1 Sep, 10:00–10:30",
        "Tue 15 Sep, 10:00–10:30",
        "Tue 29 Sep, 10:00–10:30",
        "Tue 13 Oct, 10:00–10:30",
    ]
    assert all(line[1:] == (True, "free") for line in states(plan.page))
    assert "every 2 weeks on Tuesday" in plan.page.text
    assert entries(make) == []


def test_rita_books_a_series_and_the_trail_tells_it(rita: Person, olga: Person, make: Make, last_audit: Any) -> None:
    patient = make.patient()
    rows = book(rita, make, patient_id=patient.id, title="")
    assert starts(rows) == ["01 Sep 10:00", "15 Sep 10:00", "29 Sep 10:00", "13 Oct 10:00"]
    assert {each.patient_id for each in rows} == {patient.id}
    entry = last_audit()
    assert (entry.action, entry.actor_id, entry.about_id) == ("event_series.create", rita.id, str(rows[0].id))
    words = "booked a series of 4 entries from Tue 1 Sep, 10:00, every 2 weeks"
    for address in (f"/audit/events/{rows[2].id}", f"/audit/patients/{patient.id}", "/audit/?what=event"):
        assert words in olga.get(address).page.text, address


def test_the_toast_takes_all_of_them_back_and_puts_them_back(rita: Person, make: Make) -> None:
    plan = asked(rita, make)
    done = answer_plan(rita, plan, ticked(plan.page))
    assert "Booked: Braces, 4 entries from Tue 1 Sep, 10:00." in done.toast
    undo = str(done.page.one(".toast form")["action"])
    again = rita.htmx.post(undo)
    assert again.status_code == 200
    assert "HX-Refresh" not in again.headers
    assert entries(make) == []
    rita.htmx.post(str(again.page.one(".toast form")["action"]))
    assert len(entries(make)) == 4


def test_a_series_that_was_changed_since_is_not_taken_back(rita: Person, ada: Person, make: Make) -> None:
    plan = asked(rita, make)
    done = answer_plan(rita, plan, ticked(plan.page))
    row = entries(make)[2]
    later = {"day": "2026-09-30", "start_time": "12:00", "minutes": 30, "version": 1}
    where = {"chair_id": row.chair_id, "provider_id": row.provider_id}
    assert ada.htmx.post(f"/calendar/events/{row.id}/move", target="dialog", **later, **where).status_code == 200
    answer = rita.htmx.post(str(done.page.one(".toast form")["action"]))
    assert answer.status_code == 409
    assert "Dr Ada Dent changed this again" in answer.toast
    assert len(entries(make)) == 4


def test_what_is_taken_is_told_and_left_out(rita: Person, make: Make) -> None:
    other = make.visit(at("09-15T10:15"), provider="hugo")
    plan = asked(rita, make)
    line = states(plan.page)[1]
    assert not line[1]
    assert line[2] == f"Chair 1 is taken from 10:15 to 10:45: {other.patient.name}."
    assert answer_plan(rita, plan, ticked(plan.page)).status_code == 200
    assert starts(entries(make)) == ["01 Sep 10:00", "29 Sep 10:00", "13 Oct 10:00"]


def test_over_another_one_only_with_a_reason(ada: Person, make: Make) -> None:
    make.visit(at("09-15T10:00"))
    plan = asked(ada, make)
    without = answer_plan(ada, plan, ticked(plan.page, also=(1,)))
    assert without.status_code == 409
    assert "Please give a reason" in without.page.error("overbook_reason")
    done = answer_plan(ada, without, ticked(without.page), overbook_reason="He is always early")
    assert done.status_code == 200
    assert [each.overbook_reason for each in entries(make)] == [None, "He is always early", None, None]


def test_who_may_not_book_over_cannot_tick_it_and_is_refused(hugo: Person, make: Make) -> None:
    make.visit(at("09-15T10:00"))
    plan = asked(hugo, make)
    boxes = plan.page.all("[name=take]")
    assert [box.has_attr("disabled") for box in boxes] == [False, True, False, False]
    forced = answer_plan(hugo, plan, [str(box["value"]) for box in boxes], overbook_reason="x")
    assert forced.status_code == 403
    assert entries(make) == []


def test_a_date_may_be_left_out(rita: Person, make: Make) -> None:
    plan = asked(rita, make)
    answer_plan(rita, plan, ticked(plan.page, without=(0, 2)))
    assert starts(entries(make)) == ["15 Sep 10:00", "13 Oct 10:00"]


def test_nothing_ticked_is_said(rita: Person, make: Make) -> None:
    plan = asked(rita, make)
    answer = answer_plan(rita, plan, [])
    assert answer.status_code == 422
    assert "Please tick at least one date." in answer.page.text


def test_a_date_that_is_taken_meanwhile_stores_nothing_and_is_shown(rita: Person, make: Make) -> None:
    plan = asked(rita, make)
    make.visit(at("09-29T10:00"))
    answer = answer_plan(rita, plan, ticked(plan.page))
    assert answer.status_code == 409
    assert entries(make) == []
    assert "The calendar changed meanwhile." in answer.page.text
    assert [line[1] for line in states(answer.page)] == [True, True, False, True]
    assert "This is new since you looked." in states(answer.page)[2][2]
    assert answer_plan(rita, answer, ticked(answer.page)).status_code == 200
    assert len(entries(make)) == 3


def test_closed_days_are_left_out_until_they_are_meant(rita: Person, make: Make) -> None:
    """The clinic is closed on Sundays: of the 1st of each month only the first is a Sunday."""
    plan = asked(rita, make, repeat="month", every="1", day="2026-10-01", count="3", until="")
    assert [line[1] for line in states(plan.page)] == [True, False, True]
    assert states(plan.page)[1][2] == "The clinic is closed on that day."


def test_what_is_unusual_about_the_first_date_is_meant_for_all(rita: Person, make: Make) -> None:
    plan = asked(rita, make, start_time="20:00")
    assert {line[1:] for line in states(plan.page)} == {(True, "This is outside the opening hours.")}


def test_a_time_that_the_clocks_skip_cannot_be_ticked(olga: Person, make: Make) -> None:
    plan = asked(olga, make, kind="block", provider_id="", day="2027-03-21", start_time="02:30", every="1", count="3")
    assert [box.has_attr("disabled") for box in plan.page.all("[name=take]")] == [False, True, False]
    assert "The clocks go forward" in states(plan.page)[1][2]
    answer_plan(olga, plan, ticked(plan.page))
    assert starts(entries(make)) == ["21 Mar 02:30", "04 Apr 02:30"]


def test_the_wall_clock_stays_over_a_change_of_the_clocks(rita: Person, make: Make) -> None:
    rows = book(rita, make, day="2026-10-20", every="1", count="2")
    assert starts(rows) == ["20 Oct 10:00", "27 Oct 10:00"]


def test_lunch_on_chosen_weekdays_until_a_date(rita: Person, make: Make) -> None:
    rows = book(rita, make, kind="block", title="Lunch", provider_id="", every="1", weekdays=["0", "2"], ends="until",
                until="2026-09-16", start_time="12:00")  # fmt: skip
    assert starts(rows) == ["02 Sep 12:00", "07 Sep 12:00", "09 Sep 12:00", "14 Sep 12:00", "16 Sep 12:00"]
    assert {each.kind for each in rows} == {Kind.BLOCK}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"count": "201"}, "count", "At most 200 entries"),
        ({"count": "0"}, "count", "how many entries"),
        ({"count": "many"}, "count", "whole number"),
        ({"ends": "until", "until": ""}, "until", "Please give the last date."),
        ({"ends": "until", "until": "2026-08-01"}, "until", "No day of this series"),
        ({"ends": "until", "until": "2040-01-01"}, "until", "At most 200 entries"),
        ({"repeat": "month", "every": "6", "count": "12"}, "count", "at most 5 years"),
        ({"every": "0"}, "every", "from 1 to 52"),
        ({"every": "25", "repeat": "month"}, "every", "from 1 to 24"),
        ({"minutes": "485"}, "minutes", "at most 8 hours"),
        ({"title": ""}, "patient_name", "choose a patient"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    rita: Person, make: Make, changes: dict[str, str], field: str, words: str
) -> None:
    answer = asked(rita, make, **changes)
    assert answer.status_code == 422
    assert words in (answer.page.error(field))
    assert entries(make) == []


def test_a_double_tap_books_the_series_once(rita: Person, make: Make, last_audit: LastAudit) -> None:
    plan = asked(rita, make)
    take = ticked(plan.page)
    assert answer_plan(rita, plan, take).status_code == 200
    told = last_audit().id
    assert answer_plan(rita, plan, take).status_code == 200
    assert len(entries(make)) == 4
    assert last_audit().id == told


def test_a_new_patient_together_with_a_series(rita: Person, make: Make, app: Flask) -> None:
    new = {"new_patient": "1", "first_name": "Ida", "last_name": "Neu", "date_of_birth": "02.03.1985", "title": ""}
    rows = book(rita, make, **new)
    with app.app_context():
        assert db.session.query(Patient).count() == 1
    assert {each.patient.name for each in rows} == {"Ida Neu"}


def test_back_from_the_dates_the_form_has_what_was_typed(rita: Person, make: Make) -> None:
    plan = asked(rita, make, title="Braces, lower")
    form_again = answer_plan(rita, plan, [], back="1")
    assert form_again.page.value("title") == "Braces, lower"
    assert (form_again.page.value("repeat"), form_again.page.value("every")) == ("week", "2")


def test_ticks_that_no_screen_sends_are_refused(rita: Person, make: Make) -> None:
    answer = rita.htmx.post("/calendar/events", target="dialog", **form(make, take=["<script>"], looked="1"))
    assert answer.status_code == 422
    assert entries(make) == []


def test_two_hundred_entries_are_booked_in_one_go(rita: Person, make: Make) -> None:
    assert len(book(rita, make, every="1", count="200")) == 200


@pytest.mark.parametrize("hold", ["", "12:00"])
def test_ten_dates_and_a_hundred_cost_the_same_questions(
    rita: Person, make: Make, statements: list[str], hold: str
) -> None:
    patient = make.patient()
    if hold:
        book(rita, make, start_time=hold, every="1", count="100", booking_key="before")
    numbers = []
    for count in ("10", "100"):
        statements.clear()
        plan = asked(rita, make, patient_id=patient.id, every="1", count=count, start_time="12:00")
        assert len(states(plan.page)) == int(count)
        assert ("is taken from" in plan.page.text) == bool(hold)
        numbers.append(len(statements))
    assert numbers[0] == numbers[1], numbers


def test_a_hundred_dates_are_booked_with_the_questions_of_ten(rita: Person, make: Make, statements: list[str]) -> None:
    numbers = []
    for count, at_time in (("10", "10:00"), ("100", "12:00")):
        plan = asked(rita, make, every="1", count=count, start_time=at_time, booking_key=at_time)
        ticks = ticked(plan.page)
        statements.clear()
        assert answer_plan(rita, plan, ticks).status_code == 200
        numbers.append(len([each for each in statements if each.startswith(("SELECT", "WITH", "UPDATE"))]))
    assert numbers[0] == numbers[1], numbers


def test_the_sheet_the_chart_and_the_paper_say_which_one_it_is(rita: Person, make: Make) -> None:
    patient = make.patient()
    rows = book(rita, make, patient_id=patient.id)
    words = "3 of 4, every 2 weeks"
    for address in (
        f"/calendar/events/{rows[2].id}",
        f"/calendar/patients/{patient.id}/visits",
        "/calendar/print/day/2026-09-29",
        "/calendar/print/week/2026-09-29",
    ):
        assert words in rita.get(address).page.text, address


def test_a_week_with_series_asks_no_more(rita: Person, make: Make, statements: list[str]) -> None:
    rita.htmx.get("/calendar/week/2026-09-01", target="week-grid")
    empty = len(statements)
    book(rita, make)
    statements.clear()
    rita.htmx.get("/calendar/week/2026-09-01", target="week-grid")
    assert len(statements) == empty


def test_a_single_entry_is_booked_as_ever(rita: Person, make: Make) -> None:
    answer = asked(rita, make, repeat="", count="", every="")
    assert answer.status_code == 200, answer.page.text
    [row] = entries(make, lambda each: True)
    assert (row.start, row.series_id, row.series_slot) == (TUESDAY, None, None)
