"""The board of the day under fingers and keys, and on two screens at once."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from playwright.sync_api import Page, expect

from cpms.calendar import queries
from cpms.calendar.models import Event, Status
from cpms.core import clock
from cpms.core.db import db
from tests.browser.conftest import Screen
from tests.make import Make


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute))


def status_of(clinic: Make, visit: Event) -> Status:
    with clinic.app.app_context():
        return queries.event(visit.id).status


def arrives(clinic: Make, visit: Event, minutes: int) -> None:
    with clinic.writing():
        row = db.session.get(Event, visit.id)
        assert row is not None
        row.status, row.status_changed_at = Status.ARRIVED, clock.now() - timedelta(minutes=minutes)


def test_a_visit_walks_through_the_day_by_single_taps(screen: Screen, clinic: Make, today: date) -> None:
    visit = clinic.visit(at(today, 10), patient=clinic.patient(last_name="Berg"))
    page = screen("rita", width=390, height=844, touch=True)
    page.goto("/")
    page.wait_for_url("**/today/")
    row, step = page.locator(f"#visit-{visit.id}"), page.locator(f"#step-{visit.id}")
    step.tap()
    expect(row.locator(".walk")).to_have_text("arrived")
    expect(page.locator("#waiting-room")).to_contain_text("Berg")
    step.tap()
    expect(row.locator(".walk")).to_have_text("in the chair")
    step.tap()
    expect(page.locator(".visits.over .visit")).to_have_count(1)
    assert status_of(clinic, visit) is Status.COMPLETED
    expect(page).to_have_url(page.url.partition("?")[0])
    page.locator(".toast").last.get_by_role("button", name="Undo").tap()
    expect(row.locator(".walk")).to_have_text("in the chair")


def test_a_double_click_is_one_step(screen: Screen, clinic: Make, today: date) -> None:
    visit = clinic.visit(at(today, 10))
    page = screen("rita")
    page.goto("/today/")
    page.locator(f"#step-{visit.id}").dblclick(delay=10)
    expect(page.locator(f"#visit-{visit.id} .walk")).to_have_text("arrived")
    page.locator(f"#step-{visit.id}").evaluate(
        "(button) => button.dispatchEvent(new MouseEvent('click', {detail: 2, bubbles: true, cancelable: true}))"
    )
    page.goto("/today/")
    assert status_of(clinic, visit) is Status.ARRIVED


def test_the_menu_asks_where_the_calendar_asks(screen: Screen, clinic: Make, today: date) -> None:
    visit = clinic.visit(at(today, 10), status=Status.ARRIVED)
    page = screen("rita")
    page.goto("/today/")
    row = page.locator(f"#visit-{visit.id}")
    row.get_by_role("button", name="More").click()
    page.get_by_role("link", name="Back to: scheduled").click()
    page.locator("#dialog").get_by_label("Reason").fill("Tapped by mistake")
    page.locator("#dialog").get_by_role("button", name="Save").click()
    expect(row.locator(".walk")).to_have_text("scheduled")
    row.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Did not come").click()
    expect(page.locator(".visits.over .walk")).to_have_text("did not come")


def test_keys_go_on_where_they_were(screen: Screen, clinic: Make, today: date) -> None:
    visit = clinic.visit(at(today, 10), status=Status.ARRIVED)
    page = screen("rita")
    page.goto("/today/")
    page.locator(f"#step-{visit.id}").focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"#step-{visit.id}")).to_have_text("Done")
    expect(page.locator(f"#step-{visit.id}")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".visits.over .walk")).to_have_text("done")
    expect(page.locator(f"#ways-of-{visit.id}")).to_be_focused()


def test_another_screen_s_tap_is_seen_and_focus_and_scroll_stay(screen: Screen, clinic: Make, today: date) -> None:
    visits = [clinic.visit(at(today, 8) + timedelta(minutes=30 * number)) for number in range(16)]
    page = screen("rita", height=500)
    page.goto("/today/")
    button = page.locator(f"#ways-of-{visits[10].id}")
    button.focus()
    page.evaluate("window.scrollTo(0, 300)")
    arrives(clinic, visits[2], 12)
    expect(page.locator("#waiting-room")).to_contain_text("since 12 min")
    expect(button).to_be_focused()
    assert page.evaluate("window.scrollY") >= 300


def test_nothing_moves_under_an_open_menu(screen: Screen, clinic: Make, today: date) -> None:
    visit, other = clinic.visit(at(today, 10)), clinic.visit(at(today, 11))
    page = screen("rita")
    page.goto("/today/")
    page.locator(f"#ways-of-{visit.id}").click()
    polls: list[str] = []
    page.on("request", lambda request: polls.append(request.url) if "rev=" in request.url else None)
    arrives(clinic, other, 1)
    page.evaluate("htmx.trigger(document.getElementById('today-board'), 'every')")
    page.evaluate("fetch('/healthz')")
    expect(page.locator(f"#ways-{visit.id}")).to_be_visible()
    assert polls == []
    page.keyboard.press("Escape")
    expect(page.locator("#waiting-room li")).to_have_count(1)


def test_the_minutes_go_on_without_a_word_from_the_server(screen: Screen, clinic: Make, today: date) -> None:
    visit = clinic.visit(at(today, 10))
    arrives(clinic, visit, 58)
    page = screen("rita")
    page.clock.install()
    page.goto("/today/")
    wait = page.locator("#waiting-room .since")
    expect(wait).to_contain_text("since 58 min")
    expect(page.locator(".needs .htmx-request")).to_have_count(0)  # or the leap would be their time-out
    page.route(re.compile(r"/today/\?.*rev="), lambda route: route.fulfill(status=204))
    page.clock.fast_forward("02:10")
    expect(wait).to_have_text(re.compile(r"^since \d\d:\d\d$"))
    expect(wait).to_have_class("since num long")


def test_who_was_called_is_confirmed_and_the_line_goes(screen: Screen, clinic: Make, today: date) -> None:
    soon = today + timedelta(days=2 if today.weekday() == 5 else 1)
    visit = clinic.visit(at(soon, 10), patient=clinic.patient(mobile_phone="030 1234"))
    page = screen("rita")
    page.goto("/today/")
    expect(page.locator("#today-unconfirmed h2 .count")).to_have_text("1")
    page.locator(f"#confirm-{visit.id}").click()
    expect(page.locator("#today-unconfirmed")).to_contain_text("Nobody left to call")
    assert status_of(clinic, visit) is Status.CONFIRMED


def test_a_past_visit_gets_its_end_from_the_list(screen: Screen, clinic: Make, today: date) -> None:
    visit = clinic.visit(at(today - timedelta(days=1), 10))
    page = screen("rita")
    page.goto("/today/")
    page.locator(f"#past-{visit.id} > a").click()
    dialog = page.locator("#dialog")
    dialog.get_by_role("button", name="Done").click()
    dialog.get_by_role("button", name="Mark it anyway").click()
    expect(page.locator("#today-unfinished")).to_contain_text("Every visit of the past days has its end")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (820, 1180), (390, 844)])
def test_axe_finds_nothing_and_nothing_sticks_out(
    screen: Screen, clinic: Make, today: date, axe: Callable[[Page], None], width: int, height: int
) -> None:
    names = (
        ("Maximiliane-Theodora", "von Hohenstein-Wittgensteinburg-Lauterbach"),
        ("محمد", "الحداد"),
        ("Aleksandra", "W" * 60),
    )
    page = screen("olga", width=width, height=height, touch=width < 1000)
    page.goto("/today/")
    axe(page)
    for number, (first, last) in enumerate(names):
        patient = clinic.patient(first_name=first, last_name=last, alert_text="Latex " * 20, mobile_phone="030 1234")
        visit = clinic.visit(at(today, 8 + number), patient=patient)
        clinic.visit(at(today, 12 + number), patient=patient, status=Status.COMPLETED)
        clinic.visit(at(today + timedelta(days=1), 8 + number), patient=patient)
        clinic.visit(at(today - timedelta(days=1), 8 + number), patient=patient)
        arrives(clinic, visit, 10 * number)
    page.goto("/today/")
    expect(page.locator("#today-unfinished h2 .count")).to_have_text("3")
    expect(page.locator("#today-unasked h2 .count")).to_have_text("3")
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
