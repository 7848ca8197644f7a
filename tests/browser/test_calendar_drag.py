"""Moving and resizing visits by mouse and by finger, in the shipped server and a real browser."""

import re
from datetime import date, datetime, time, timedelta

from playwright.sync_api import Locator, Page, expect

from cpms.calendar.models import Status
from tests.browser.conftest import Screen
from tests.make import Make


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute))


def card(page: Page, event_id: int, column: str = "") -> Locator:
    return page.locator(f"{column} #e{event_id}")


def minute_height(page: Page) -> float:
    return page.evaluate("""() => {
        const grid = document.getElementById("week-grid");
        return grid.querySelector(".col .slots").offsetHeight / (grid.dataset.to - grid.dataset.from);
    }""")


def column_width(page: Page) -> float:
    boxes = [page.locator("#week-grid .col").nth(number).bounding_box() for number in (0, 1)]
    return boxes[1]["x"] - boxes[0]["x"]


def carry(page: Page, what: Locator, *, columns: int = 0, minutes: float = 0, lower_edge: bool = False) -> None:
    """Take a card into the hand and bring it so many columns and minutes further, without letting go."""
    box = what.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + (box["height"] - 4 if lower_edge else 6)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 6, y + 6)
    page.mouse.move(x + columns * column_width(page), y + minutes * minute_height(page), steps=5)


def place_of(clinic: Make, event_id: int) -> tuple[datetime, int, int]:
    from cpms.calendar import queries

    with clinic.app.app_context():
        event = queries.event(event_id)
        return event.start, event.minutes, event.chair_id


def test_a_visit_is_moved_by_mouse_and_is_still_there_after_a_reload(
    screen: Screen, clinic: Make, monday: date
) -> None:
    visit = clinic.visit(at(monday, 10), minutes=30)
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    carry(page, card(page, visit.id), columns=1, minutes=90)
    page.mouse.up()
    expect(page.locator(".toast")).to_contain_text("11:30")
    moved = card(page, visit.id, f'[data-day="{monday + timedelta(days=1)}"]')
    expect(moved).to_have_class(re.compile("t1130 h30"))
    expect(moved).not_to_have_class(re.compile("pending|lifted"))
    page.reload()
    expect(moved).to_contain_text("11:30")


def test_undo_takes_the_move_back_at_once(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(at(monday, 10), minutes=30)
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    carry(page, card(page, visit.id), minutes=60)
    page.mouse.up()
    page.get_by_role("button", name="Undo").click()
    expect(card(page, visit.id)).to_have_class(re.compile("t1000 h30"))


def test_the_lower_edge_makes_a_visit_longer(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(at(monday, 10), minutes=30)
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    carry(page, card(page, visit.id), minutes=30, lower_edge=True)
    page.mouse.up()
    expect(card(page, visit.id)).to_have_class(re.compile("t1000 h60"))
    expect(page.locator(".toast")).to_be_visible()
    assert place_of(clinic, visit.id)[:2] == (at(monday, 10), 60)


def test_the_lower_edge_shows_that_it_can_be_taken(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(at(monday, 10), minutes=30)
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    card(page, visit.id).hover(position={"x": 20, "y": 5})
    grip = "(card) => [getComputedStyle(card, '::before').cursor, getComputedStyle(card, '::before').backgroundImage]"
    cursor, mark = card(page, visit.id).evaluate(grip)
    assert cursor == "ns-resize" and "gradient" in mark


def test_on_the_day_another_column_is_another_chair(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(at(monday, 10), minutes=45, chair="Chair 1")
    page = screen("rita")
    page.goto(f"/calendar/day/{monday}")
    carry(page, card(page, visit.id), columns=1)
    page.mouse.up()
    expect(page.locator(".toast")).to_contain_text("Chair 2")
    assert place_of(clinic, visit.id) == (at(monday, 10), 45, clinic.chair("Chair 2").id)


def test_escape_and_leaving_the_grid_put_the_card_back(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(at(monday, 10), minutes=30)
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    before = card(page, visit.id).bounding_box()
    carry(page, card(page, visit.id), columns=1, minutes=60)
    expect(card(page, visit.id)).to_have_class(re.compile("lifted"))
    page.keyboard.press("Escape")
    page.mouse.up()
    assert card(page, visit.id).bounding_box() == before
    carry(page, card(page, visit.id), columns=1, minutes=60)
    page.mouse.move(700, 20, steps=3)
    page.mouse.up()
    assert card(page, visit.id).bounding_box() == before
    expect(page.locator("#dialog")).not_to_be_visible()
    assert place_of(clinic, visit.id)[0] == at(monday, 10)


def test_a_taken_slot_sends_the_card_back_and_asks(screen: Screen, clinic: Make, monday: date) -> None:
    clinic.visit(at(monday, 11), minutes=30, patient=clinic.patient(last_name="Sitting"))
    visit = clinic.visit(at(monday, 10), minutes=30)
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    carry(page, card(page, visit.id), minutes=60)
    page.mouse.up()
    expect(page.locator("#dialog")).to_contain_text("Sitting")
    expect(card(page, visit.id)).to_have_class(re.compile("t1000"))
    page.get_by_label("Reason to book it anyway").fill("Broken tooth")
    page.get_by_role("button", name="Move it anyway").click()
    expect(page.locator("#dialog")).not_to_be_visible()
    expect(card(page, visit.id)).to_have_class(re.compile("t1100.* over"))


def test_somebody_elses_change_shows_the_true_grid_and_says_why(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(at(monday, 10), minutes=30)
    page, other = screen("rita"), screen("ada")
    page.goto(f"/calendar/week/{monday}")
    other.goto(f"/calendar/week/{monday}")
    carry(page, card(page, visit.id), minutes=60)
    carry(other, card(other, visit.id), columns=1)
    other.mouse.up()
    expect(other.locator(".toast")).to_be_visible()
    page.mouse.up()
    expect(page.locator(".toast.error")).to_be_visible()
    expect(card(page, visit.id, f'[data-day="{monday + timedelta(days=1)}"]')).to_have_class(re.compile("t1000"))


def test_a_lost_connection_sends_the_card_back(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(at(monday, 10), minutes=30)
    page = screen("rita", tolerate=("ERR_INTERNET_DISCONNECTED", "Failed to fetch"))
    page.goto(f"/calendar/week/{monday}")
    before = card(page, visit.id).bounding_box()
    page.context.set_offline(True)
    carry(page, card(page, visit.id), minutes=60)
    page.mouse.up()
    expect(page.locator("#offline")).to_be_visible()
    page.wait_for_function("() => !document.querySelector('.pending')")
    assert abs(card(page, visit.id).bounding_box()["x"] - before["x"]) < 1
    page.context.set_offline(False)
    assert place_of(clinic, visit.id)[0] == at(monday, 10)


def test_a_finished_visit_does_not_lift(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(at(monday, 10), minutes=30, status=Status.COMPLETED)
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    carry(page, card(page, visit.id), minutes=60)
    expect(card(page, visit.id)).not_to_have_class(re.compile("lifted"))
    page.mouse.up()


class Finger:
    """A finger on the glass, as the browser's own input events."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)
        self.page = page

    def _send(self, kind: str, x: float = 0, y: float = 0) -> None:
        points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def down(self, x: float, y: float) -> None:
        self.x, self.y = x, y
        self._send("touchStart", x, y)

    def slide(self, dx: float, dy: float, steps: int = 8) -> None:
        for step in range(1, steps + 1):
            self._send("touchMove", self.x + dx * step / steps, self.y + dy * step / steps)
        self.x, self.y = self.x + dx, self.y + dy

    def up(self) -> None:
        self._send("touchEnd")


def test_a_finger_lifts_after_a_long_press(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(at(monday, 10), minutes=30)
    page = screen("rita", width=820, height=1180, touch=True)
    page.goto(f"/calendar/week/{monday}")
    box = card(page, visit.id).bounding_box()
    finger = Finger(page)
    finger.down(box["x"] + 20, box["y"] + 8)
    expect(card(page, visit.id)).to_have_class(re.compile("lifted"))
    finger.slide(0, 60 * minute_height(page))
    finger.up()
    expect(card(page, visit.id)).to_have_class(re.compile("t1100 h30"))
    expect(page.locator(".toast")).to_contain_text("11:00")
    expect(page.locator("#dialog")).not_to_be_visible()


def test_a_card_held_by_a_finger_shows_its_grip_and_can_be_stretched(
    screen: Screen, clinic: Make, monday: date
) -> None:
    visit = clinic.visit(at(monday, 10), minutes=30)
    page = screen("rita", width=820, height=1180, touch=True)
    page.goto(f"/calendar/week/{monday}")
    box = card(page, visit.id).bounding_box()
    finger = Finger(page)
    finger.down(box["x"] + 20, box["y"] + 8)
    expect(card(page, visit.id)).to_have_class(re.compile("lifted"))
    finger.up()
    expect(card(page, visit.id)).to_have_class(re.compile("held"))
    finger.down(box["x"] + box["width"] / 2, box["y"] + box["height"] + 5)
    finger.slide(0, 30 * minute_height(page))
    finger.up()
    expect(card(page, visit.id)).to_have_class(re.compile("t1000 h60"))


def test_a_finger_that_slides_scrolls(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(at(monday, 11), minutes=60)
    page = screen("rita", width=390, height=600, touch=True)
    page.goto(f"/calendar/week/{monday}")
    box = card(page, visit.id).bounding_box()
    finger = Finger(page)
    finger.down(box["x"] + 20, box["y"] + 10)
    finger.slide(0, -120)
    expect(card(page, visit.id)).not_to_have_class(re.compile("lifted"))
    finger.up()
    page.wait_for_function("() => document.querySelector('.cal-scroll').scrollTop > 40")
    assert place_of(clinic, visit.id)[0] == at(monday, 11)
