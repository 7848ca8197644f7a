"""What a person does with the plan of a series, for the tests of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from cpms.calendar.models import Event
from cpms.core.db import db
from tests.make import Make
from tests.pages import Answer, Page, Person


def form(make: Make, **changes: Any) -> dict[str, Any]:
    """What the dialog of a new entry sends when it repeats: every second week, four times, from Tuesday on."""
    return {
        "kind": "visit",
        "title": "Braces",
        "day": "2026-09-01",
        "start_time": "10:00",
        "minutes": "30",
        "chair_id": make.chair("Chair 1").id,
        "provider_id": make.user("ada").id,
        "booking_key": "k1",
        "repeat": "week",
        "every": "2",
        "ends": "count",
        "count": "4",
    } | changes


def states(page: Page) -> list[tuple[str, bool, str]]:
    """The lines of a plan: the date, whether it is ticked, what is said of it."""
    return [
        (
            each.select_one(".num").get_text(" ", strip=True),
            each.select_one("[name=take]").has_attr("checked"),
            " ".join(each.select_one(".plan-said").get_text(" ").split()),
        )
        for each in page.all(".plan > li")
    ]


def ticked(page: Page, *, also: tuple[int, ...] = (), without: tuple[int, ...] = ()) -> list[str]:
    """The ticks as they stand, with some more lines or without some."""
    boxes = page.all("[name=take]")
    return [
        str(box["value"])
        for number, box in enumerate(boxes)
        if (box.has_attr("checked") or number in also) and number not in without
    ]


def answer_plan(person: Person, plan: Answer, take: list[str], **more: Any) -> Answer:
    """Send the plan with those ticks."""
    sheet = plan.page.one("form[hx-target='#dialog']")
    hidden: dict[str, Any] = {}
    for each in sheet.select("input[type=hidden]"):
        if each["name"] != "csrf_token":
            hidden.setdefault(str(each["name"]), []).append(str(each.get("value", "")))
    return person.htmx.post(str(sheet["action"]), target="dialog", **(hidden | {"take": take} | more))


def book(person: Person, make: Make, **changes: Any) -> list[Event]:
    """A booked series, the plan taken as it is."""
    plan = person.htmx.post("/calendar/events", target="dialog", **form(make, **changes))
    assert plan.status_code == 422, plan.page.text
    done = answer_plan(person, plan, ticked(plan.page))
    assert done.status_code == 200, done.page.text
    return entries(make)


def entries(make: Make, choose: Callable[[Event], bool] = lambda each: each.series_id is not None) -> list[Event]:
    """What is on the calendar of series, by start."""
    with make.app.app_context():
        found = [each for each in db.session.query(Event).order_by(Event.start, Event.id) if choose(each)]
        db.session.expunge_all()
    return [each for each in found if each.deleted_at is None]


def starts(rows: list[Event]) -> list[str]:
    return [f"{each.start:%d %b %H:%M}" for each in rows]


def at(words: str) -> datetime:
    return datetime.fromisoformat(f"2026-{words}")
