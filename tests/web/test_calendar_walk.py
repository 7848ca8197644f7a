"""A visit walks through the day: confirmed, arrived, in the chair, done; and the ways back."""

from datetime import timedelta
from typing import Any

import pytest

from cpms.calendar.models import Event, Status
from cpms.core.db import db
from tests.make import TUESDAY, Make
from tests.pages import Answer, Person


@pytest.fixture
def visit(make: Make) -> Event:
    return make.visit(patient=make.patient(alert_text="Allergic to penicillin"))


def status_of(make: Make, visit: Event) -> Status:
    with make.app.app_context():
        found = db.session.get(Event, visit.id)
        assert found is not None
        return found.status


def step(person: Person, visit: Event, status: str, *, version: int | None = None, **more: Any) -> Answer:
    return person.htmx.post(
        f"/calendar/events/{visit.id}/status",
        target="dialog",
        status=status,
        version=version or visit.row_version,
        **more,
    )


def test_the_sheet_shows_the_alert_before_everything_else(rita: Person, visit: Event) -> None:
    page = rita.htmx.get(f"/calendar/events/{visit.id}", target="dialog").page
    assert page.one(".alert-strip").get_text(strip=True) == "Allergic to penicillin"
    assert page.text.index("Allergic") < page.text.index("When")


def test_every_step_is_a_link_or_a_form_that_works_without_scripts(rita: Person, make: Make, visit: Event) -> None:
    missed = make.visit(TUESDAY + timedelta(hours=1), status=Status.NO_SHOW)
    for event in (visit, missed):
        page = rita.get(f"/calendar/events/{event.id}").page
        assert not page.has(".main .sheet-body button[hx-get], .sheet-foot button[hx-get]")
        assert page.has(f'.sheet a[href="/calendar/day/{event.start:%Y-%m-%d}"]')
        for link in page.all('.main .sheet a[hx-target="#dialog"]'):
            assert link["href"] == link["hx-get"]
            assert rita.get(str(link["href"])).status_code == 200
    assert rita.get(f"/calendar/events/{visit.id}").page.has(f'a[href="/calendar/events/{visit.id}/move"]')


def test_one_tap_and_the_patient_has_arrived(rita: Person, visit: Event, make: Make, last_audit: Any) -> None:
    sheet = rita.htmx.get(f"/calendar/events/{visit.id}", target="dialog").page
    assert sheet.one(".sheet-foot .button.primary")["value"] == "arrived"
    answer = step(rita, visit, "arrived")
    assert answer.status_code == 200 and "calendar-changed" in answer.headers["HX-Trigger"]
    assert status_of(make, visit) is Status.ARRIVED
    assert last_audit().action == "event.status"


def test_a_wrong_tap_is_taken_back_with_one_tap(rita: Person, visit: Event, make: Make) -> None:
    undo = str(step(rita, visit, "arrived").page.one(".toast form")["hx-post"])
    assert rita.htmx.post(undo).status_code == 200
    assert status_of(make, visit) is Status.SCHEDULED


def test_a_way_back_that_is_taken_meanwhile_says_so(rita: Person, visit: Event, make: Make) -> None:
    undo = str(step(rita, visit, "cancelled", reason="The patient is ill").page.one(".toast form")["hx-post"])
    make.visit(patient=make.patient(last_name="Koç"))
    answer = rita.htmx.post(undo)
    assert answer.status_code == 409 and "Chair 1 is taken from 10:00 to 10:30: Selma Koç." in answer.toast
    assert not answer.page.has("form[action*=status]"), "nothing is there that a page could show"
    assert status_of(make, visit) is Status.CANCELLED


def test_the_way_back_of_an_overbooked_visit_keeps_its_reason(rita: Person, visit: Event, make: Make) -> None:
    over = make.visit(overbook_reason="Toothache")
    undo = str(step(rita, over, "cancelled", reason="The patient is ill").page.one(".toast form")["hx-post"])
    assert rita.htmx.post(undo).status_code == 200
    assert status_of(make, over) is Status.SCHEDULED


def test_a_reason_that_is_too_long_comes_back_with_its_sentence(rita: Person, visit: Event, make: Make) -> None:
    answer = step(rita, visit, "cancelled", reason="x" * 201)
    assert answer.status_code == 422 and "At most 200 characters" in answer.page.error("reason")
    assert answer.page.value("reason") == "x" * 201
    answer = step(rita, visit, "cancelled", reason="Ill", overbook_reason="x" * 201)
    assert answer.status_code == 422 and "At most 200 characters" in answer.page.error("overbook_reason")
    assert status_of(make, visit) is Status.SCHEDULED


def test_a_version_of_thousands_of_digits_is_no_version(rita: Person, visit: Event) -> None:
    assert rita.htmx.post(f"/calendar/events/{visit.id}/delete", version="9" * 5000).status_code == 409
    assert step(rita, visit, "arrived", version="9" * 5000).status_code == 400  # type: ignore[arg-type]


def test_the_way_back_asks_for_a_reason(rita: Person, visit: Event, make: Make, last_audit: Any) -> None:
    step(rita, visit, "no_show")
    asked = step(rita, visit, "arrived", version=2)
    assert asked.status_code == 422 and "reason" in asked.page.error("reason")
    assert status_of(make, visit) is Status.NO_SHOW
    assert step(rita, visit, "arrived", version=2, reason="Was only late").status_code == 200
    assert (status_of(make, visit), last_audit().reason) == (Status.ARRIVED, "Was only late")


def test_cancelling_asks_why_and_frees_the_chair(rita: Person, visit: Event, make: Make) -> None:
    dialog = rita.htmx.get(f"/calendar/events/{visit.id}/status?status=cancelled", target="dialog")
    assert dialog.page.has('[name="reason"]')
    assert step(rita, visit, "cancelled").status_code == 422
    assert step(rita, visit, "cancelled", reason="The patient is ill").status_code == 200
    assert make.visit().id


def test_of_two_taps_at_two_desks_the_second_is_told(rita: Person, ada: Person, visit: Event) -> None:
    assert step(rita, visit, "arrived").status_code == 200
    late = step(ada, visit, "in_chair")
    assert late.status_code == 409 and "Somebody else" in late.toast
    assert "arrived" in late.page.one(".facts").get_text(), "the sheet shows what is true now"


@pytest.mark.parametrize("status", ["", "dancing", "SCHEDULED"])
def test_a_status_that_does_not_exist_is_refused(rita: Person, visit: Event, make: Make, status: str) -> None:
    assert step(rita, visit, status).status_code == 400
    assert status_of(make, visit) is Status.SCHEDULED


def test_an_entry_leaves_the_calendar_and_comes_back(rita: Person, visit: Event, make: Make, last_audit: Any) -> None:
    answer = rita.htmx.post(f"/calendar/events/{visit.id}/delete", version=visit.row_version)
    assert "Taken off the calendar" in answer.toast
    assert last_audit().action == "event.delete"
    assert not rita.get("/calendar/week/2026-09-01").page.has("#week-grid .ev")
    assert "was taken off" in rita.get(f"/calendar/events/{visit.id}").page.text
    rita.htmx.post(str(answer.page.one(".toast form")["hx-post"]))
    assert rita.get("/calendar/week/2026-09-01").page.has("#week-grid .ev")


def test_an_overbooked_entry_comes_back_only_by_somebody_who_may_overbook(
    hugo: Person, rita: Person, make: Make
) -> None:
    make.visit()
    over = make.visit(overbook_reason="Toothache")
    rita.htmx.post(f"/calendar/events/{over.id}/delete", version=over.row_version)
    assert hugo.htmx.post(f"/calendar/events/{over.id}/undelete").status_code == 409
    assert rita.htmx.post(f"/calendar/events/{over.id}/undelete").status_code == 200


@pytest.mark.parametrize("status", ["arrived", "in_chair", "completed", "no_show"])
@pytest.mark.parametrize("days", [-1, 2])
def test_a_step_of_a_visit_on_another_day_is_asked_about_first(
    rita: Person, make: Make, status: str, days: int
) -> None:
    visit = make.visit(TUESDAY + timedelta(days=days))
    asked = step(rita, visit, status)
    assert asked.status_code == 422 and status_of(make, visit) is Status.SCHEDULED
    day = "Mon 31 Aug 2026" if days < 0 else "Thu 3 Sep 2026"
    assert f"This visit is on {day}. Mark it as “" in asked.page.one(".alert.warn").get_text()
    assert not asked.page.has("[name=reason]"), "a step forward needs no reason"
    answer = step(rita, visit, status, told_day=asked.page.value("told_day"))
    assert answer.status_code == 200 and status_of(make, visit) is Status(status)


def test_a_step_back_on_another_day_is_taken_back_with_one_tap(rita: Person, make: Make) -> None:
    visit = make.visit(TUESDAY - timedelta(days=1), status=Status.COMPLETED)
    back = step(rita, visit, "arrived", reason="Tapped by mistake")
    assert back.status_code == 200, "the dialog of a step back shows the day"
    assert rita.htmx.post(str(back.page.one(".toast form")["hx-post"])).status_code == 200
    assert status_of(make, visit) is Status.COMPLETED


def test_confirming_a_visit_of_another_day_is_what_telephones_are_for(rita: Person, make: Make) -> None:
    assert step(rita, make.visit(TUESDAY + timedelta(days=2)), "confirmed").status_code == 200


def test_the_sheet_is_read_before_anything_is_done(rita: Person, visit: Event) -> None:
    page = rita.htmx.get(f"/calendar/events/{visit.id}", target="dialog").page
    assert page.one("[autofocus]").name == "h1", "a second Enter must not say that the patient has arrived"


def test_every_way_on_stands_once_on_the_sheet(rita: Person, visit: Event) -> None:
    page = rita.htmx.get(f"/calendar/events/{visit.id}", target="dialog").page
    words = [each.get_text(strip=True) for each in page.all(".sheet :is(button, a.button, .menu-item)")]
    assert words.count("Edit") == words.count("Confirmed") == words.count("Arrived") == 1
    assert "More" in words, "a menu has a word"
    assert not page.has(".sheet-body .button.quiet"), "a step looks like a button"
