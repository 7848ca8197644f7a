"""A visit is cut or copied and put down in another week, by keys and by touch."""

from datetime import date, datetime, time, timedelta

from playwright.sync_api import expect

from cpms.calendar.models import Event
from cpms.core.db import db
from tests.browser.conftest import Screen
from tests.make import Make


def test_keys_cut_a_visit_and_put_it_down_next_week(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(datetime.combine(monday, time(9)), patient=clinic.patient(last_name="Schneider"))
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    page.locator(f"#e{visit.id}").focus()
    page.keyboard.press("x")
    expect(page.locator("#clipboard")).to_contain_text("Schneider")
    expect(page.locator(f"#e{visit.id}.cut")).to_be_visible()
    page.keyboard.press("PageDown")
    later = monday + timedelta(days=7)
    column = page.locator(f'.col[data-day="{later}"]')
    expect(column).to_be_visible()
    expect(page.locator("#clipboard")).to_contain_text("Schneider")
    page.locator(".cal-scroll").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(page.locator(".slot")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#clipboard")).to_be_hidden()
    expect(page.locator(f"#e{visit.id}")).to_be_visible()
    with clinic.app.app_context():
        assert later <= db.session.get(Event, visit.id).start.date() < later + timedelta(days=7)


def test_a_finger_copies_a_visit_and_escape_lets_go(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(datetime.combine(monday, time(9)), patient=clinic.patient(last_name="Schneider"))
    page = screen("rita", width=820, height=1180, touch=True)
    page.goto(f"/calendar/day/{monday}")
    for _ in range(2):
        page.locator(f"#e{visit.id}").tap()
        page.locator("#dialog").get_by_role("button", name="More").tap()
        page.locator("#dialog").get_by_role("button", name="Copy, to book it once more").tap()
        expect(page.locator("#clipboard")).to_contain_text("Tap a free time to book it once more.")
        expect(page.locator("#dialog")).not_to_be_visible()
        if page.locator(".ev").count() == 1:
            box = page.locator(".col .slots").first.bounding_box()
            assert box is not None
            page.touchscreen.tap(box["x"] + 40, box["y"] + box["height"] * 0.6)
            expect(page.locator("#week-grid .ev")).to_have_count(2)
            expect(page.locator("#clipboard")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#clipboard")).to_be_hidden()
    stored = page.evaluate("[...Object.entries(localStorage), ...Object.entries(sessionStorage)].flat().join()")
    assert "Schneider" not in stored and f"{visit.id}" not in stored
