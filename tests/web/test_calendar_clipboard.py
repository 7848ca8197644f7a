"""Cut and copy: a visit is taken up, carried to another week, and put down with the rules of a drag."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cpms.auth.models import UserSession
from cpms.calendar import queries, services
from cpms.calendar.models import Clipboard, Event, Held, Status
from cpms.core.db import db, transaction
from tests.make import TUESDAY, Make
from tests.pages import Answer, Page, Person
from tests.series import book

WEEK = "/calendar/week/2026-09-01"
NEXT_WEEK = "/calendar/week/2026-09-08"


@pytest.fixture
def visit(make: Make) -> Event:
    patient = make.patient(first_name="Greta", last_name="Schneider")
    return make.visit(patient=patient, type_id=make.type("Check-up").id, notes="Bring the old plate")


def take_up(person: Person, visit: Event, held: str = "cut", target: str = "clipboard") -> Answer:
    return person.htmx.post("/calendar/clipboard", target=target, event=visit.id, held=held)


def strip(person: Person, url: str = WEEK) -> str:
    return person.get(url).page.one("#clipboard").get_text(" ", strip=True)


def put_down(person: Person, page: Page, start: str = "2026-09-08T11:00", **more: Any) -> Answer:
    """What a tap on a free time sends, with what the strip on the page says."""
    held = page.one("#clipboard")
    form = {"event": held["data-event"], "version": held["data-v"], "minutes": held["data-minutes"], "start": start}
    form |= {"chair": "", "to_provider": "", "copied": 1 if held["data-held"] == "copy" else ""}
    form |= {"view": "week", "day": "2026-09-08"}
    return person.htmx.post("/calendar/events/move", target="week-grid", **(form | more))


def visits(make: Make) -> list[Event]:
    with make.app.app_context():
        found = list(db.session.scalars(select(Event).where(Event.deleted_at.is_(None)).order_by(Event.id)))
        db.session.expunge_all()
        return found


def test_what_is_cut_is_told_in_every_week_and_view(rita: Person, visit: Event) -> None:
    words = "Greta Schneider , 30 min , Check-up · Tap a free time to move it there. Let go"
    assert take_up(rita, visit).page.one("#clipboard").get_text(" ", strip=True) == words
    for url in (WEEK, NEXT_WEEK, "/calendar/day/2026-12-01", "/calendar/month/2026-10-01", "/calendar/list/2026-09-01"):
        assert strip(rita, url) == words


def test_a_tap_in_another_week_moves_it(rita: Person, visit: Event, make: Make, last_audit: Any) -> None:
    take_up(rita, visit)
    answer = put_down(rita, rita.get(NEXT_WEEK).page)
    assert answer.status_code == 200 and answer.page.has(f"#week-grid #e{visit.id}")
    assert "clipboard-changed" in answer.headers["HX-Trigger"]
    [moved] = visits(make)
    assert (moved.start, moved.minutes) == (TUESDAY + timedelta(days=7, hours=1), 30)
    assert (last_audit().action, last_audit().about_id) == ("event.move", str(visit.id))
    assert rita.get(NEXT_WEEK).page.one("#clipboard").has_attr("hidden")
    assert rita.htmx.post(str(answer.page.one(".toast form")["action"])).status_code == 200
    assert visits(make)[0].start == TUESDAY


def test_a_copy_is_a_visit_of_its_own(rita: Person, visit: Event, make: Make, last_audit: Any) -> None:
    take_up(rita, visit, "copy")
    answer = put_down(rita, rita.get(NEXT_WEEK).page)
    assert answer.status_code == 200 and "Booked: Greta Schneider" in answer.toast
    first, copy = visits(make)
    same = ("patient_id", "provider_id", "chair_id", "type_id", "title", "color", "notes", "minutes")
    assert [getattr(first, name) for name in same] == [getattr(copy, name) for name in same]
    assert (first.start, copy.start) == (TUESDAY, TUESDAY + timedelta(days=7, hours=1))
    assert last_audit().action == "event.create"
    assert strip(rita) == ""
    assert rita.htmx.post(str(answer.page.one(".toast form")["action"])).status_code == 200
    assert len(visits(make)) == 1


def test_a_taken_time_is_asked_about_and_the_hand_stays_full(rita: Person, visit: Event, make: Make) -> None:
    make.visit(TUESDAY + timedelta(days=7, hours=1))
    take_up(rita, visit)
    answer = put_down(rita, rita.get(NEXT_WEEK).page)
    assert answer.status_code == 409 and "is taken from 11:00" in answer.page.text
    assert strip(rita)
    form = {name: answer.page.value(name) for name in ("version", "seen", "day", "start_time", "minutes", "chair_id")}
    form |= {"provider_id": answer.page.value("provider_id"), "overbook_reason": "Toothache"}
    assert rita.htmx.post(f"/calendar/events/{visit.id}/move", target="dialog", **form).status_code == 200
    assert strip(rita) == ""


def test_a_copy_to_a_taken_time_is_asked_about_in_its_form(rita: Person, visit: Event, make: Make) -> None:
    make.visit(TUESDAY + timedelta(days=7, hours=1))
    take_up(rita, visit, "copy")
    answer = put_down(rita, rita.get(NEXT_WEEK).page)
    assert answer.status_code == 409 and len(visits(make)) == 2
    page = answer.page
    names = ("kind", "patient_id", "title", "day", "start_time", "type_id", "minutes", "chair_id", "provider_id")
    form = {name: page.value(name) for name in (*names, "notes", "booking_key", "from_clipboard")}
    assert form["notes"] == "Bring the old plate"
    answer = rita.htmx.post("/calendar/events", target="dialog", **form, overbook_reason="Toothache")
    assert answer.status_code == 200 and len(visits(make)) == 3
    assert strip(rita) == ""


def test_a_closed_day_is_asked_about_as_after_a_drag(rita: Person, visit: Event) -> None:
    take_up(rita, visit)
    answer = put_down(rita, rita.get(NEXT_WEEK).page, "2026-09-13T11:00")
    assert answer.status_code == 422 and "The clinic is closed on that day." in answer.page.text


def test_who_was_faster_wins_and_the_strip_is_renewed(rita: Person, visit: Event, make: Make) -> None:
    take_up(rita, visit)
    page = rita.get(NEXT_WEEK).page
    with make.writing():
        row = queries.event(visit.id)
        at = {"start": TUESDAY + timedelta(hours=3), "end": TUESDAY + timedelta(hours=4)}
        services.move_event(row, seen=1, chair_id=row.chair_id, provider_id=row.provider_id, confirmed=True, **at)
    answer = put_down(rita, page)
    assert answer.status_code == 409 and "clipboard-changed" in answer.headers["HX-Trigger"]
    assert put_down(rita, Page(rita.htmx.get("/calendar/clipboard", target="clipboard").html)).status_code == 200


def test_it_is_let_go_without_a_trace(rita: Person, visit: Event, last_audit: Any) -> None:
    rita.get(WEEK)
    before = last_audit().id
    take_up(rita, visit)
    answer = rita.htmx.post("/calendar/clipboard/let-go", target="clipboard")
    assert answer.page.one("#clipboard").has_attr("hidden")
    assert strip(rita) == "" and last_audit().id == before


def test_it_is_in_one_hand_only(rita: Person, visit: Event, sign_in: Callable[[str], Person]) -> None:
    take_up(rita, visit)
    assert strip(sign_in("rita")) == "" and strip(sign_in("olga")) == "", "another browser holds nothing"


def test_it_goes_with_the_session(rita: Person, visit: Event, make: Make) -> None:
    take_up(rita, visit)
    with make.app.app_context(), transaction("test.forget", actor=None):
        for row in db.session.scalars(select(UserSession)):
            db.session.delete(row)
    with make.app.app_context():
        assert db.session.scalar(select(Clipboard)) is None


def test_a_finished_visit_is_copied_and_not_cut(rita: Person, make: Make) -> None:
    done = make.visit(status=Status.COMPLETED)
    refused = take_up(rita, done)
    assert refused.status_code == 422 and "A finished visit stays where it was." in refused.page.text
    assert take_up(rita, done, "copy").status_code == 200
    sheet = rita.get(f"/calendar/events/{done.id}").page
    assert [each["value"] for each in sheet.all('button[name="held"]')] == ["copy"]


def test_from_the_sheet_it_is_taken_up_with_a_word(rita: Person, visit: Event) -> None:
    sheet = rita.get(f"/calendar/events/{visit.id}").page
    assert [each["value"] for each in sheet.all('button[name="held"]')] == [Held.CUT, Held.COPY]
    answer = take_up(rita, visit, target="dialog")
    assert "Greta Schneider is cut." in answer.toast
    assert "dialog-close" in answer.headers["HX-Trigger"] and "clipboard-changed" in answer.headers["HX-Trigger"]


def test_what_was_deleted_slips_out_of_the_hand(rita: Person, visit: Event, make: Make) -> None:
    take_up(rita, visit)
    with make.writing():
        services.delete_event(queries.event(visit.id), seen=visit.row_version)
    assert strip(rita) == ""


def test_what_nobody_can_hold_is_refused(rita: Person, visit: Event) -> None:
    assert rita.htmx.post("/calendar/clipboard", event=visit.id, held="steal").status_code == 400
    assert rita.htmx.post("/calendar/clipboard", event="x", held="cut").status_code == 400
    assert rita.htmx.post("/calendar/clipboard", event=987654, held="cut").status_code == 404


def test_a_copy_of_what_was_deleted_elsewhere_is_not_booked(rita: Person, visit: Event, make: Make) -> None:
    take_up(rita, visit, "copy")
    page = rita.get(NEXT_WEEK).page
    with make.writing():
        services.delete_event(queries.event(visit.id), seen=visit.row_version)
    answer = put_down(rita, page)
    assert answer.status_code == 409 and "deleted meanwhile" in answer.toast
    assert "clipboard-changed" in answer.headers["HX-Trigger"]
    assert visits(make) == []


def test_a_copy_is_of_the_visit_that_the_strip_names(rita: Person, visit: Event, make: Make) -> None:
    take_up(rita, visit, "copy")
    page = rita.get(NEXT_WEEK).page
    other = make.patient(first_name="Otto", last_name="Maier")
    with make.writing():
        queries.event(visit.id).patient_id = other.id
    answer = put_down(rita, page)
    assert answer.status_code == 409 and "clipboard-changed" in answer.headers["HX-Trigger"]
    assert len(visits(make)) == 1, "the strip said Greta, and nobody booked anything for Otto"
    assert put_down(rita, rita.get(NEXT_WEEK).page).status_code == 200


def test_a_series_that_is_put_down_leaves_the_hand(rita: Person, make: Make) -> None:
    row = book(rita, make, patient_id=make.patient().id)[1]
    take_up(rita, row)
    asked = put_down(rita, rita.get(NEXT_WEEK).page, "2026-09-16T11:00")
    assert asked.status_code == 422 and asked.page.has("[name=scope]")
    form = {"day": "2026-09-16", "start_time": "11:00", "minutes": row.minutes, "chair_id": row.chair_id}
    form |= {"provider_id": row.provider_id, "version": row.row_version, "scope": "following"}
    assert rita.htmx.post(f"/calendar/events/{row.id}/move", target="dialog", **form).status_code == 200
    assert strip(rita) == ""


def test_a_copy_that_becomes_a_series_leaves_the_hand(rita: Person, visit: Event, make: Make) -> None:
    take_up(rita, visit, "copy")
    book(rita, make, patient_id=visit.patient_id, day="2026-09-02", from_clipboard="1")
    assert strip(rita) == ""
