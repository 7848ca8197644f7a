"""Month, list and picker in a real browser: by keys and by touch; a card dragged to another person."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from cpms.calendar.models import Event
from cpms.core.db import db
from tests.browser.conftest import Screen
from tests.full_week import full_week
from tests.make import Make


def at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour))


def test_keys_lead_through_the_views_and_the_picker(screen: Screen, clinic: Make, monday: date) -> None:
    clinic.visit(at(monday, 10))
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    page.locator(".cal-scroll").focus()
    page.keyboard.press("o")
    expect(page).to_have_url(re.compile(f"/calendar/month/{monday}"))
    page.locator(f"#d{monday}").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(f"#d{monday + timedelta(days=1)}")).to_be_focused()
    for week in range(1, 7):
        page.keyboard.press("ArrowDown")
        expect(page.locator(f"#d{monday + timedelta(days=1 + 7 * week)}")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/calendar/day/{monday + timedelta(days=43)}"))
    page.go_back()
    expect(page.locator("#month-grid")).to_be_visible()
    page.locator("body").press("l")
    expect(page.locator("#visit-list")).to_be_visible()
    page.locator("body").press("g")
    chosen = page.locator("#cal-go a[aria-current]")
    expect(chosen).to_be_focused()
    day = date.fromisoformat(str(chosen.get_attribute("data-date")))
    page.keyboard.press("PageDown")
    expect(page.locator("#cal-go h2")).not_to_contain_text(day.strftime("%B"))
    page.keyboard.press("PageUp")
    expect(page.locator("#cal-go a[aria-current]")).to_be_focused()
    page.keyboard.press("ArrowUp")
    wanted = day - timedelta(days=7)
    expect(page.locator(f'#cal-go [data-date="{wanted}"]')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/calendar/list/{wanted}"))
    expect(page.locator("#cal-go")).to_be_hidden()


@pytest.mark.parametrize("view", ["month", "list"])
def test_keys_that_are_pressed_before_those_of_the_view_have_come_are_not_lost(
    screen: Screen, clinic: Make, monday: date, view: str
) -> None:
    for day in (monday, monday + timedelta(days=1)):
        clinic.visit(at(day, 10))
    page = screen("rita")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/calendar-month.js", hold)
    page.goto(f"/calendar/week/{monday}")
    page.locator(".cal-scroll").focus()
    page.keyboard.press("o" if view == "month" else "l")
    all_days = page.locator(".month-day" if view == "month" else ".entry")
    expect(all_days.nth(1)).to_be_visible()
    first = page.locator(f"#d{monday}") if view == "month" else all_days.first
    first.focus()
    page.keyboard.press("ArrowDown")
    expect(first).to_be_focused()
    for each in held:
        each.continue_()
    wanted = page.locator(f"#d{monday + timedelta(days=7)}") if view == "month" else all_days.nth(1)
    expect(wanted).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(first).to_be_focused()


def test_a_finger_picks_a_month_and_opens_a_day(screen: Screen, clinic: Make, monday: date) -> None:
    page = screen("rita", width=390, height=844, touch=True)
    page.goto(f"/calendar/week/{monday}")
    page.locator(".cal-title button").tap()
    page.locator("#pick-after").tap()
    later = (monday.replace(day=1) + timedelta(days=32)).replace(day=15)
    page.locator(f'#cal-go [data-date="{later}"]').tap()
    expect(page).to_have_url(re.compile(f"/calendar/week/{later}"))
    page.locator("#cal-month").tap()
    page.locator(f"#d{later}").tap()
    expect(page).to_have_url(re.compile(f"/calendar/day/{later}"))


def test_a_card_is_dragged_to_another_person(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(at(monday, 10), minutes=60)
    page = screen("rita")
    page.goto(f"/calendar/day/{monday}")
    page.locator("#cal-by-provider").click()
    hugo = clinic.user("hugo").id
    target = page.locator(f'.col[data-provider="{hugo}"] .slots')
    card, column = page.locator(f"#e{visit.id}").bounding_box(), target.bounding_box()
    assert card is not None and column is not None
    page.mouse.move(card["x"] + 20, card["y"] + 10)
    page.mouse.down()
    page.mouse.move(column["x"] + 30, card["y"] + 10, steps=5)
    page.mouse.up()
    expect(page.locator(f'.col[data-provider="{hugo}"] #e{visit.id}')).to_be_visible()
    with clinic.app.app_context():
        assert db.session.get(Event, visit.id).provider_id == hugo


def test_filters_are_chosen_and_let_go_in_place(screen: Screen, clinic: Make, monday: date) -> None:
    clinic.visit(at(monday, 10))
    clinic.visit(at(monday, 10), chair="Chair 2", provider="hugo")
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    page.locator("#cal-filter").click()
    page.locator("#cal-filters").get_by_role("button", name="Hugo Clean").click()
    expect(page.locator("#shown-note")).to_contain_text("Only Hugo Clean. 1 of 2 shown.")
    expect(page.locator("#cal-filters")).to_be_visible()
    expect(page.locator("#week-grid .ev")).to_have_count(1)
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("#shown-note")).to_contain_text("1 of 2 shown.")
    page.locator("#cal-next").click()
    expect(page.locator("#shown-note")).to_contain_text("0 of 0 shown.")
    page.go_back()
    page.locator("#shown-all").click()
    expect(page.locator("#week-grid .ev")).to_have_count(2)
    expect(page.locator("#shown-note")).to_be_hidden()


@pytest.mark.parametrize(("width", "touch"), [(1280, False), (390, True)])
def test_nothing_stands_in_the_way_of_anybody(
    screen: Screen, clinic: Make, axe: Callable[[Page], None], monday: date, width: int, touch: bool
) -> None:
    full_week(clinic, monday, days=2, visits=6)
    page = screen("ada", width=width, height=844, touch=touch)
    for view in ("month", "list", "day"):
        page.goto(f"/calendar/{view}/{monday}")
        expect(page.locator("#shown-note")).to_contain_text("Only Dr Ada Dent.")
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".cal-title button").click()
    expect(page.locator("#cal-go h2")).to_be_visible()
    axe(page)
    page.keyboard.press("Escape")
    page.locator("#cal-filter").click()
    axe(page)
