"""The week and the day on the screen: every card readable, slots that open, keys that lead around."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from playwright.sync_api import Page, expect

from cpms.calendar import services
from cpms.calendar.models import Event, Kind, Status
from cpms.core.db import db
from tests.browser.conftest import Screen
from tests.full_week import full_week
from tests.make import Make

NAMES = (
    "Yıldız",
    "Müller-Lüdenscheidt",
    "Li",
    "O'Connor",
    "Papadopoulou",
    "محمد عبد الرحمن",
    "Şahin",
    "Okonkwo",
)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute))


UNREADABLE = """(cards) => {
    const bad = [];
    const heads = document.querySelector(".hours").offsetWidth;
    for (const card of cards) {
        card.scrollIntoView({block: "center", inline: "center"});
        const name = card.querySelector("b");
        const range = document.createRange();
        range.selectNodeContents(name);
        const text = range.getBoundingClientRect(), box = card.getBoundingClientRect();
        const shown = Math.min(text.right, box.right) - Math.max(text.left, box.left);
        const full = name.scrollWidth > name.clientWidth && name.clientWidth ? name.scrollWidth : text.width;
        const hit = document.elementFromPoint(Math.max(text.left, box.left) + 4, text.top + text.height / 2);
        const high = Math.min(text.bottom, box.bottom + 1) - Math.max(text.top, box.top - 1);
        if (shown < Math.min(full, 56) - 0.5 || hit?.closest(".ev") !== card || high < 12)
            bad.push([card.id, name.textContent, shown, full, high, hit?.outerHTML?.slice(0, 80)]);
    }
    return bad;
}"""


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height", "touch"), [(1280, 800, False), (390, 844, True)])
def test_three_hundred_visits_on_five_chairs_are_all_there_and_readable(
    screen: Screen, clinic: Make, monday: date, width: int, height: int, touch: bool
) -> None:
    assert full_week(clinic, monday) == 300
    page = screen("rita", width=width, height=height, touch=touch)
    page.goto(f"/calendar/week/{monday}")
    cards = page.locator("#week-grid .ev")
    expect(cards).to_have_count(300)
    assert cards.evaluate_all(UNREADABLE) == []
    assert min(cards.evaluate_all("(cards) => cards.map((card) => card.offsetWidth)")) >= 63


def test_days_and_hours_stay_in_sight_while_the_grid_scrolls(screen: Screen, clinic: Make, monday: date) -> None:
    full_week(clinic, monday, days=5, visits=4)
    page = screen("rita", width=820, height=700)
    page.goto(f"/calendar/week/{monday}")
    pane = page.locator(".cal-scroll")
    before = [page.locator(each).first.bounding_box() for each in (".col-head a strong", ".hours")]
    pane.evaluate("(pane) => pane.scrollTo(120, 150)")
    after = [page.locator(each).first.bounding_box() for each in (".col-head a strong", ".hours")]
    assert after[0]["y"] == before[0]["y"]
    assert after[0]["x"] >= after[1]["x"] + after[1]["width"] - 1
    assert after[1]["x"] == before[1]["x"]


def test_twelve_at_the_same_time_lie_side_by_side(screen: Screen, clinic: Make, monday: date) -> None:
    with clinic.writing():
        for number in range(12):
            chair = services.add_chair(name=f"Room {number}")
            db.session.flush()
            db.session.add(
                Event(
                    start=at(monday, 10),
                    end=at(monday, 10, 15),
                    chair_id=chair.id,
                    kind=Kind.BLOCK,
                    title=f"B{number}",
                )
            )
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    boxes = page.locator("#week-grid .ev").evaluate_all(
        "(cards) => cards.map((card) => card.getBoundingClientRect()).map(({left, right}) => [left, right])"
    )
    assert len(boxes) == 12
    for (_, right), (left, _) in zip(sorted(boxes), sorted(boxes)[1:], strict=False):
        assert left >= right
    assert all(right - left >= 63 for left, right in boxes)


def test_a_tap_on_a_free_slot_opens_the_form_with_time_and_chair(screen: Screen, clinic: Make, monday: date) -> None:
    page = screen("rita", width=820, height=1180, touch=True)
    page.goto(f"/calendar/day/{monday}")
    second = page.locator(f'.col[data-chair="{clinic.chair("Chair 2").id}"] .slots')
    box = second.bounding_box()
    hour = box["height"] / 10  # the clinic is open from 8 to 18
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + 2.6 * hour)
    dialog = page.locator("#dialog")
    expect(dialog.get_by_label("From")).to_have_value("10:30")
    expect(dialog.get_by_label("Date", exact=True)).to_have_value(str(monday))
    expect(dialog.get_by_label("Chair")).to_have_value(str(clinic.chair("Chair 2").id))


def test_a_tap_on_a_card_opens_its_sheet(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(at(monday, 10), patient=clinic.patient(last_name="Yıldız", alert_text="Penicillin"))
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    page.locator(f"#e{visit.id}").click()
    expect(page.locator("#dialog")).to_contain_text("Penicillin")
    page.keyboard.press("Escape")
    expect(page.locator("#dialog")).not_to_be_visible()


def test_a_change_on_one_device_is_on_the_other_within_five_seconds(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(at(monday, 10))
    page = screen("rita", height=500)
    page.clock.install()
    page.goto(f"/calendar/week/{monday}")
    expect(page.locator("#week-grid")).to_have_attribute("hx-trigger", re.compile("^every 4s,"))
    page.locator(f"#e{visit.id}").focus()
    page.evaluate("document.querySelector('.cal-scroll').scrollTop = 30")
    clinic.visit(at(monday, 9), chair="Chair 2", provider="hugo", patient=clinic.patient(last_name="Newcomer"))
    page.clock.run_for(5000)
    expect(page.locator("#week-grid")).to_contain_text("Newcomer")
    assert page.evaluate("document.activeElement.id") == f"e{visit.id}"
    assert page.evaluate("document.querySelector('.cal-scroll').scrollTop") == 30
    clinic.visit(at(monday, 11), chair="Chair 2", provider="hugo", patient=clinic.patient(last_name="Latecomer"))
    page.clock.run_for(5000)
    expect(page.locator("#week-grid")).to_contain_text("Latecomer")


def test_the_next_week_comes_without_a_new_page(screen: Screen, clinic: Make, monday: date) -> None:
    clinic.visit(at(monday + timedelta(days=7), 10), patient=clinic.patient(last_name="Later"))
    page = screen("rita", height=500)
    page.goto(f"/calendar/week/{monday}")
    page.evaluate("window.stillHere = true")
    page.locator(".cal-scroll").evaluate("(pane) => { pane.scrollTop = 60; }")
    page.get_by_role("link", name="Next week").click()
    expect(page.locator("#week-grid")).to_contain_text("Later")
    assert page.evaluate("window.stillHere")
    assert page.url.endswith(f"/calendar/week/{monday + timedelta(days=7)}")
    assert page.locator(".cal-scroll").evaluate("(pane) => pane.scrollTop") == 60
    assert page.evaluate("document.activeElement.id") == "cal-next"
    page.go_back()
    expect(page.locator("#week-grid")).not_to_contain_text("Later")


def test_the_line_of_now_stands_at_the_clinics_time(screen: Screen, clinic: Make, today: date) -> None:
    clinic.visit(at(today, 0, 30), minutes=15)
    clinic.visit(at(today, 23, 30), minutes=15)
    page = screen("rita", timezone_id="Pacific/Auckland")
    page.goto(f"/calendar/day/{today}")
    now = page.locator("#calendar").get_attribute("data-now")
    assert now is not None
    minute = int(now[11:13]) * 60 + int(now[14:16])
    line = page.locator(".col.today .now-line").first
    shown = line.evaluate("(line) => getComputedStyle(line).getPropertyValue('--now')")
    assert abs(int(shown) - minute) <= 1


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_arrows_walk_slots_and_cards_and_enter_opens(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(at(monday, 8, 30), minutes=30)
    page = screen("rita")
    page.goto(f"/calendar/day/{monday}")
    page.locator(f"#e{visit.id}").focus()
    press(page, "ArrowUp")
    expect(page.locator(".slot")).to_be_focused()
    expect(page.locator(".slot")).to_have_attribute("aria-label", "Chair 1 08:15")
    press(page, "ArrowDown")
    expect(page.locator(f"#e{visit.id}")).to_be_focused()
    press(page, "ArrowDown")
    expect(page.locator(".slot")).to_have_attribute("aria-label", "Chair 1 09:00")
    press(page, "ArrowRight", "ArrowDown", "Enter")
    dialog = page.locator("#dialog")
    expect(dialog.get_by_label("From")).to_have_value("09:15")
    expect(dialog.get_by_label("Chair")).to_have_value(str(clinic.chair("Chair 2").id))


def test_arrows_walk_a_calendar_that_was_just_opened(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(at(monday, 8, 30))
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    page.wait_for_selector("[tabindex='-1'].ev")  # the keys have come
    press(page, "ArrowDown")
    expect(page.locator(f"#e{visit.id}")).to_be_focused()


def test_a_card_is_picked_up_carried_and_let_go_by_keys(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(at(monday, 8, 30), minutes=30)
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    card = page.locator(f"#e{visit.id}")
    card.focus()
    press(page, "m", "ArrowDown", "ArrowDown", "ArrowRight", "Escape")
    expect(card).not_to_have_class(re.compile("lifted"))
    press(page, "m", "ArrowDown", "ArrowRight", "Shift+ArrowDown")
    expect(page.locator("#calendar output")).to_contain_text("08:45–09:30")
    press(page, "Enter")
    expect(page.locator(f'[data-day="{monday + timedelta(days=1)}"] #e{visit.id}')).to_have_class(
        re.compile("t0845 h45")
    )
    expect(card).to_be_focused()


def test_letters_lead_around(screen: Screen, monday: date, today: date) -> None:
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    press(page, "PageDown")
    expect(page).to_have_url(re.compile(f"/week/{monday + timedelta(days=7)}"))
    press(page, "PageUp")
    expect(page).to_have_url(re.compile(f"/week/{monday}"))
    press(page, "d")
    expect(page).to_have_url(re.compile("/calendar/day/"))
    press(page, "t")
    expect(page).to_have_url(re.compile(f"/day/{today}"))
    press(page, "w")
    expect(page).to_have_url(re.compile("/calendar/week/"))
    press(page, "n")
    expect(page.locator("#dialog")).to_contain_text("New appointment")


@pytest.mark.parametrize(("width", "touch"), [(1280, False), (390, True)])
def test_nothing_stands_in_the_way_of_anybody(
    screen: Screen, clinic: Make, axe: Callable[[Page], None], monday: date, width: int, touch: bool
) -> None:
    page = screen("rita", width=width, height=844, touch=touch)
    page.goto(f"/calendar/week/{monday}")
    axe(page)
    full_week(clinic, monday, days=2, visits=6)
    for number, status in enumerate((Status.CANCELLED, Status.NO_SHOW)):
        clinic.visit(at(monday + timedelta(days=3), 9 + number), status=status)
    clinic.block(at(monday + timedelta(days=3), 12))
    page.goto(f"/calendar/week/{monday}?cancelled=1")
    axe(page)
    page.goto(f"/calendar/day/{monday}")
    axe(page)
