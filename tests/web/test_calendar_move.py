"""Moving by dragging, and by the dialog that keyboards use."""

from datetime import timedelta
from typing import Any

import pytest

from cpms.calendar.models import Event, Status
from cpms.core.db import db, transaction
from tests.make import TUESDAY, Make
from tests.pages import Answer, Person

LATER = TUESDAY + timedelta(hours=1)


@pytest.fixture
def visit(make: Make) -> Event:
    return make.visit()


def drag(person: Person, visit: Event, **changes: Any) -> Answer:
    """Let the card go somewhere on the week's grid."""
    sent = {
        "event": visit.id,
        "version": visit.row_version,
        "start": f"{LATER:%Y-%m-%dT%H:%M}",
        "minutes": 30,
        "chair": "",
        "view": "week",
        "day": "2026-09-01",
        "provider": "",
        "chair_filter": "",
        "cancelled": "",
    }
    return person.htmx.post("/calendar/events/move", target="week-grid", **(sent | changes))


def stored(make: Make, visit: Event) -> Event:
    with make.app.app_context():
        found = db.session.get(Event, visit.id)
        assert found is not None
        db.session.expunge_all()
        return found


def test_rita_drags_a_visit_and_the_answer_is_the_grid(rita: Person, visit: Event, make: Make, last_audit: Any) -> None:
    answer = drag(rita, visit)
    assert answer.status_code == 200
    assert "11:00" in answer.page.one(f"#week-grid #e{visit.id}").get_text()
    assert stored(make, visit).start == LATER
    assert (last_audit().action, last_audit().about_id) == ("event.move", str(visit.id))


def test_the_move_is_still_there_after_a_reload(rita: Person, visit: Event) -> None:
    drag(rita, visit)
    card = rita.get("/calendar/week/2026-09-01").page.one(f"#e{visit.id}")
    assert "t1100" in card["class"]


def test_one_tap_takes_the_move_back(rita: Person, visit: Event, make: Make) -> None:
    undo = str(drag(rita, visit).page.one(".toast form")["hx-post"])
    assert rita.htmx.post(undo, target="week-grid").status_code == 200
    assert stored(make, visit).start == TUESDAY


def test_a_longer_card_is_a_longer_visit(rita: Person, visit: Event, make: Make) -> None:
    assert drag(rita, visit, start=f"{TUESDAY:%Y-%m-%dT%H:%M}", minutes=60).status_code == 200
    assert stored(make, visit).minutes == 60


def test_dropping_in_another_chair_s_column_changes_the_chair(rita: Person, visit: Event, make: Make) -> None:
    chair = make.chair("Chair 2").id
    assert drag(rita, visit, chair=chair, view="day").status_code == 200
    assert stored(make, visit).chair_id == chair


def test_a_stale_drag_gets_the_true_grid_and_the_reason(rita: Person, visit: Event, make: Make) -> None:
    drag(rita, visit)
    answer = drag(rita, visit, start=f"{TUESDAY + timedelta(hours=3):%Y-%m-%dT%H:%M}")
    assert answer.status_code == 409
    assert "t1100" in answer.page.one(f"#week-grid #e{visit.id}")["class"]
    assert "Somebody else changed this" in answer.toast
    assert stored(make, visit).start == LATER


def test_a_drag_onto_somebody_asks_with_the_dialog(rita: Person, visit: Event, make: Make) -> None:
    make.visit(LATER, patient=make.patient(last_name="Koç"))
    answer = drag(rita, visit)
    assert answer.status_code == 409
    assert "t1000" in answer.page.one(f"#week-grid #e{visit.id}")["class"], "the card is back"
    asked = answer.page.one('hx-partial[hx-target="#dialog"]')
    assert "Chair 1 is taken from 11:00 to 11:30: Selma Koç." in asked.get_text(" ", strip=True)
    assert asked.select_one('[name="overbook_reason"]') is not None
    assert stored(make, visit).start == TUESDAY


def test_a_drag_outside_the_hours_asks_first(rita: Person, visit: Event, make: Make) -> None:
    answer = drag(rita, visit, start="2026-09-01T19:00")
    assert answer.status_code == 422
    key = answer.page.one('hx-partial [name="confirmed"]')["value"]
    form = {
        "day": "2026-09-01",
        "start_time": "19:00",
        "minutes": 30,
        "chair_id": visit.chair_id,
        "provider_id": visit.provider_id,
        "version": visit.row_version,
        "confirmed": key,
    }
    assert rita.htmx.post(f"/calendar/events/{visit.id}/move", target="dialog", **form).status_code == 200
    assert stored(make, visit).start.hour == 19


def test_a_finished_visit_does_not_move(rita: Person, make: Make) -> None:
    done = make.visit(status=Status.COMPLETED)
    answer = drag(rita, done)
    assert answer.status_code == 422 and "stays where it was" in answer.toast


@pytest.mark.parametrize(
    "changes",
    [
        {"start": "soon"},
        {"start": "2026-09-01T10:00:30"},
        {"start": "2026-09-01T10:00+02:00"},
        {"minutes": "long"},
        {"event": "x"},
        {"version": ""},
        {"view": "year"},
    ],
)
def test_what_no_screen_sends_is_refused(rita: Person, visit: Event, make: Make, changes: dict[str, str]) -> None:
    assert drag(rita, visit, **changes).status_code == 400
    assert stored(make, visit).start == TUESDAY


def test_a_visit_that_is_not_there_is_a_404(rita: Person, visit: Event) -> None:
    assert drag(rita, visit, event=4711).status_code == 404


def test_a_deleted_visit_does_not_move(rita: Person, visit: Event) -> None:
    rita.htmx.post(f"/calendar/events/{visit.id}/delete", version=visit.row_version)
    answer = drag(rita, visit, version=visit.row_version + 1)
    assert answer.status_code == 409 and "deleted" in answer.toast


def test_the_dialog_moves_without_dragging(rita: Person, visit: Event, make: Make) -> None:
    page = rita.htmx.get(f"/calendar/events/{visit.id}/move", target="dialog").page
    form = {name: page.value(name) for name in ("day", "start_time", "minutes", "chair_id", "provider_id", "version")}
    answer = rita.htmx.post(
        f"/calendar/events/{visit.id}/move", target="dialog", **form | {"start_time": "14:30", "day": "2026-09-02"}
    )
    assert answer.status_code == 200
    assert stored(make, visit).start == TUESDAY.replace(day=2, hour=14, minute=30)


def test_of_two_editors_the_second_sees_both_and_loses_nothing(
    rita: Person, ada: Person, visit: Event, make: Make
) -> None:
    page = rita.htmx.get(f"/calendar/events/{visit.id}/edit", target="dialog").page
    names = ("kind", "patient_id", "patient_name", "title", "day", "start_time", "minutes", "chair_id", "provider_id")
    form = {name: page.value(name) for name in (*names, "version")}
    assert ada.htmx.post(f"/calendar/events/{visit.id}/edit", **form | {"title": "Ada's words"}).status_code == 200
    late = rita.htmx.post(f"/calendar/events/{visit.id}/edit", target="dialog", **form | {"title": "Rita's words"})
    assert late.status_code == 409
    assert late.page.value("title") == "Rita's words" and "Ada's words" in late.page.text
    assert stored(make, visit).title == "Ada's words"
    again = form | {"title": "Rita's words", "version": late.page.value("version")}
    assert rita.htmx.post(f"/calendar/events/{visit.id}/edit", target="dialog", **again).status_code == 200
    assert stored(make, visit).title == "Rita's words"


def test_a_chair_given_up_stays_on_its_visits(olga: Person, rita: Person, visit: Event, make: Make) -> None:
    from cpms.calendar import queries, services

    with make.app.app_context(), transaction("chair.retire", actor=None):
        chair = queries.chair(visit.chair_id)
        services.retire_chair(chair, seen=chair.row_version)
    assert drag(rita, visit).status_code == 200
    assert rita.htmx.get(f"/calendar/events/{visit.id}/edit", target="dialog").page.value("chair_id") == str(
        visit.chair_id
    )
