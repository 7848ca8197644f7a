"""What hours do to booking, moving, resizing and bringing back: the calendar asks, and a yes is enough."""

from datetime import date, time
from typing import Any

import pytest

from cpms.calendar import queries as calendar
from cpms.calendar.models import Event, Status
from cpms.core.db import transaction
from cpms.hours import queries, services
from cpms.hours.models import OffKind
from cpms.hours.rules import Break, DayPlan
from tests.make import TUESDAY, Make
from tests.pages import Person

NOON = TUESDAY.replace(hour=12)
LUNCH = "Dr Ada Dent has a break then: Lunch."


@pytest.fixture
def lunch(make: Make) -> None:
    """Dr Ada has lunch from 12:00 to 12:30 on every day."""
    ada_id, plan = make.user("ada").id, DayPlan(None, (Break(720, 750, "Lunch"),))
    with make.app.app_context(), transaction("test.hours", actor=None):
        services.set_days(queries.provider(ada_id), seen=0, weekdays=range(7), plan=plan)


def stored(make: Make, event_id: int) -> Event:
    with make.app.app_context():
        return calendar.event(event_id)


def close(make: Make, first: date, *, provider: str = "", starts: time | None = None, ends: time | None = None) -> None:
    provider_id = make.user(provider).id if provider else None
    with make.app.app_context(), transaction("test.hours", actor=None):
        services.add_time_off(
            kind=OffKind.SICK if provider else OffKind.CLOSED, first=first, last=first, starts=starts, ends=ends,
            name="Summer leave", provider_id=provider_id,
        )  # fmt: skip


def form(make: Make, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "visit", "day": "2026-09-01", "start_time": "12:00", "minutes": "30", "title": "Check-up",
        "chair_id": make.chair("Chair 1").id, "provider_id": make.user("ada").id,
    } | changes  # fmt: skip


def test_booking_in_a_break_asks_and_a_yes_books(rita: Person, make: Make, lunch: None) -> None:
    asked = rita.htmx.post("/calendar/events", target="dialog", **form(make))
    assert asked.status_code == 422 and LUNCH in asked.page.text and "Book it anyway" in asked.page.text
    yes = rita.htmx.post("/calendar/events", target="dialog", **form(make, confirmed=asked.page.value("confirmed")))
    assert yes.status_code == 200


def test_a_yes_to_one_question_is_none_to_another(rita: Person, make: Make, lunch: None) -> None:
    asked = rita.htmx.post("/calendar/events", target="dialog", **form(make))
    close(make, TUESDAY.date())
    again = rita.htmx.post("/calendar/events", target="dialog", **form(make, confirmed=asked.page.value("confirmed")))
    assert again.status_code == 422 and "The clinic is closed then: Summer leave." in again.page.text


def test_beside_a_break_nothing_is_asked(rita: Person, make: Make, lunch: None) -> None:
    for start in ("11:30", "12:30"):
        assert rita.htmx.post("/calendar/events", **form(make, start_time=start)).status_code == 200
    hugo = form(make, provider_id=make.user("hugo").id, chair_id=make.chair("Chair 2").id)
    assert rita.htmx.post("/calendar/events", **hugo).status_code == 200


def test_an_absence_asks_without_saying_why(rita: Person, make: Make) -> None:
    close(make, TUESDAY.date(), provider="ada", starts=time(12), ends=time(14))
    asked = rita.htmx.post("/calendar/events", target="dialog", **form(make))
    assert "Dr Ada Dent is away then, until Tue 1 Sep 2026, 14:00." in asked.page.text
    assert "sick" not in asked.page.text.lower()


def test_a_block_may_lie_anywhere(rita: Person, make: Make, lunch: None) -> None:
    assert rita.htmx.post("/calendar/events", **form(make, kind="block")).status_code == 200


def test_a_drag_into_a_break_asks(rita: Person, make: Make, lunch: None) -> None:
    visit = make.visit()
    asked = rita.htmx.post(
        "/calendar/events/move", target="week-grid", event=visit.id, version=1, start="2026-09-01T12:00", minutes=30
    )
    assert asked.status_code == 422 and LUNCH in asked.page.text
    assert stored(make, visit.id).start == TUESDAY


def test_drawing_a_visit_longer_into_a_break_asks(rita: Person, make: Make, lunch: None) -> None:
    visit = make.visit(TUESDAY.replace(hour=11, minute=30))
    asked = rita.htmx.post(
        "/calendar/events/move", target="week-grid", event=visit.id, version=1, start="2026-09-01T11:30", minutes=35
    )
    assert asked.status_code == 422 and LUNCH in asked.page.text
    key = asked.page.value("confirmed")
    fields = {"day": "2026-09-01", "start_time": "11:30", "minutes": 35, "version": 1, "confirmed": key}
    places = {"chair_id": visit.chair_id, "provider_id": visit.provider_id}
    assert rita.htmx.post(f"/calendar/events/{visit.id}/move", target="dialog", **fields, **places).status_code == 200
    assert stored(make, visit.id).minutes == 35


def test_bringing_a_cancelled_visit_back_asks(rita: Person, make: Make) -> None:
    visit = make.visit(NOON, status=Status.CANCELLED)
    close(make, TUESDAY.date())
    back = {"status": "scheduled", "reason": "Came after all", "version": visit.row_version}
    asked = rita.htmx.post(f"/calendar/events/{visit.id}/status", target="dialog", **back)
    assert asked.status_code == 422 and "Summer leave" in asked.page.text and "Mark it anyway" in asked.page.text
    assert stored(make, visit.id).status is Status.CANCELLED
    back["confirmed"] = asked.page.value("confirmed")
    assert rita.htmx.post(f"/calendar/events/{visit.id}/status", target="dialog", **back).status_code == 200


def test_putting_a_deleted_visit_back_asks_and_the_toasts_undo_does_not(rita: Person, make: Make) -> None:
    visit = make.visit(NOON)
    close(make, TUESDAY.date())
    undo = rita.htmx.post(f"/calendar/events/{visit.id}/delete", version=1).undo
    asked = rita.htmx.post(f"/calendar/events/{visit.id}/undelete", target="dialog")
    assert asked.status_code == 422 and "The clinic is closed then: Summer leave." in asked.page.text
    assert stored(make, visit.id).is_deleted
    yes = rita.htmx.post(
        f"/calendar/events/{visit.id}/undelete", target="dialog", confirmed=asked.page.value("confirmed")
    )
    assert yes.status_code == 200 and not stored(make, visit.id).is_deleted
    again = rita.htmx.post(f"/calendar/events/{visit.id}/delete", version=stored(make, visit.id).row_version).undo
    assert undo == again and rita.htmx.post(again).status_code == 200


def shades(person: Person, url: str) -> list[str]:
    found = person.get(url).page.one('#week-grid [data-day="2026-09-01"]').select(".shut")
    return [" ".join(each.classes[1:]) for each in found]


def test_the_week_of_one_dentist_shows_their_breaks(rita: Person, make: Make, lunch: None) -> None:
    ada, hugo = make.user("ada").id, make.user("hugo").id
    week = "/calendar/week/2026-09-01"
    assert shades(rita, week) == []
    assert shades(rita, f"{week}?provider={ada}") == ["t1200 h30"]
    assert shades(rita, f"{week}?provider={hugo}") == [] == shades(rita, f"{week}?provider={ada}&provider={hugo}")


def test_the_week_of_one_dentist_says_that_they_are_away(rita: Person, make: Make) -> None:
    close(make, TUESDAY.date(), provider="ada")
    page = rita.get(f"/calendar/week/2026-09-01?provider={make.user('ada').id}").page
    assert "away" in page.one('[data-day="2026-09-01"] .col-head').get_text()


def test_a_new_entry_begins_on_an_open_day(rita: Person, make: Make) -> None:
    for day in (7, 8):
        close(make, date(2026, 9, day))
    assert "day=2026-09-09" in str(rita.get("/calendar/week/2026-09-08").page.one("#cal-new")["href"])


def test_a_week_of_one_dentist_costs_six_statements(
    rita: Person, make: Make, lunch: None, statements: list[str]
) -> None:
    make.visit()
    week = f"/calendar/week/2026-09-01?provider={make.user('ada').id}"
    statements.clear()
    rita.htmx.get(week, target="week-grid")
    assert len(statements) <= 6, statements


def test_the_paper_names_the_closed_day(rita: Person, make: Make) -> None:
    close(make, TUESDAY.date())
    assert "Tue 1 Sep · Summer leave" in rita.get("/calendar/print/week/2026-09-01").page.text
