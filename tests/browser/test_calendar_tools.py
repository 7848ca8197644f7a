"""The tools around the calendar: how many lines they take, and that nothing of them is cut."""

from datetime import date, datetime, time, timedelta

import pytest
from playwright.sync_api import Page, expect

from cpms.calendar.models import Status
from cpms.settings import services as settings
from tests.browser.conftest import Screen
from tests.full_week import full_week
from tests.make import Make

LINES = """() => {
    const tools = [...document.querySelector(".cal-bar").querySelectorAll(".button, .cal-title button")];
    const seen = tools.filter((tool) => tool.checkVisibility() && !tool.closest("[popover], .cal-beside"));
    return new Set(seen.map((tool) => Math.round(tool.getBoundingClientRect().top))).size;
}"""
CUT = """() => {
    const bar = document.querySelector(".cal-bar");
    const tools = [...bar.querySelectorAll(":is(.button, .chip, .cal-title button) > span")];
    const isCut = (word) => {
        const row = word.closest(".cal-beside");
        const edge = (row?.checkVisibility() ? row : bar).getBoundingClientRect();
        const box = word.getBoundingClientRect();
        const isShown = box.width > 0 && box.top < edge.bottom;
        return isShown && (word.scrollWidth > word.offsetWidth + 1 || box.right > edge.right || box.left < edge.left);
    };
    return tools.filter((word) => !word.closest("[popover]") && isCut(word)).map((word) => word.innerText);
}"""


def speak(clinic: Make, language: str) -> None:
    with clinic.writing():
        settings.change_settings(language=language, is_demo=True)


def shown(page: Page, name: str) -> bool:
    """Whether something beside the title stands in the line that is seen."""
    row, thing = page.locator(".cal-beside").bounding_box(), page.locator(name).first.bounding_box()
    assert row is not None and thing is not None
    return thing["y"] + thing["height"] <= row["y"] + row["height"]


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize(("width", "lines"), [(1920, 1), (1500, 1), (1280, 1), (1000, 1), (820, 2), (390, 2)])
def test_the_tools_stand_in_a_line_or_two(
    screen: Screen, clinic: Make, monday: date, language: str, width: int, lines: int
) -> None:
    speak(clinic, language)
    page = screen("rita", width=width, height=844, touch=width < 1000)
    for view in ("week", "day", "month"):
        page.goto(f"/calendar/{view}/{monday}")
        assert page.evaluate(LINES) == lines, view
        assert page.evaluate(CUT) == [], view
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("language", ["en", "tr"])
def test_what_has_no_room_beside_the_title_is_behind_the_filter(
    screen: Screen, clinic: Make, monday: date, language: str
) -> None:
    speak(clinic, language)
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    hugo = clinic.user("hugo").id
    assert shown(page, f"#cal-chip-provider-{hugo}")
    page.get_by_role("group").get_by_role("button", name="Hugo Clean").click()
    expect(page.locator(f"#cal-chip-provider-{hugo}")).to_have_attribute("aria-pressed", "true")
    page.goto(f"/calendar/day/{monday}")
    assert shown(page, ".cal-by")
    page.set_viewport_size({"width": 1000, "height": 800})
    assert not shown(page, ".cal-by")
    page.locator("#cal-filter").click()
    page.locator("#cal-filter-by-provider").click()
    expect(page.locator(f'.col[data-provider="{hugo}"]')).to_be_visible()


def test_the_row_of_days_is_the_top_of_the_grid_on_a_phone(screen: Screen, clinic: Make, monday: date) -> None:
    full_week(clinic, monday, chairs=2, days=6, visits=5)
    page = screen("rita", width=390, height=844, touch=True)
    page.goto(f"/calendar/week/{monday}")
    days = page.locator(".cal-days")
    row, grid = days.bounding_box(), page.locator(".cal-scroll").bounding_box()
    assert row is not None and grid is not None
    assert row["y"] + row["height"] == pytest.approx(grid["y"], abs=0.5)
    assert days.evaluate("(row) => row.scrollWidth <= row.clientWidth"), "all six are in sight"
    assert row["height"] <= 46


@pytest.mark.parametrize(("width", "highest"), [(390, 150), (820, 90)])
def test_the_lines_to_be_rebooked_are_tight(
    screen: Screen, clinic: Make, today: date, width: int, highest: int
) -> None:
    patient = clinic.patient(first_name="Mia", last_name="Berg", mobile_phone="0151 7305044")
    start = datetime.combine(today - timedelta(days=7), time(10))
    visit = clinic.visit(start, patient=patient, status=Status.NO_SHOW)
    page = screen("rita", width=width, height=844, touch=True)
    page.goto("/calendar/rebook")
    line = page.locator(f"#rebook-{visit.id}")
    box, name, phone = (
        each.bounding_box()
        for each in (line, line.get_by_role("link", name="Mia Berg", exact=True), line.locator('[href^="tel:"]'))
    )
    assert box is not None and name is not None and phone is not None
    assert box["height"] <= highest
    assert name["y"] + name["height"] / 2 == pytest.approx(phone["y"] + phone["height"] / 2, abs=2)
    for link in line.locator("a").all():
        place = link.bounding_box()
        assert place is not None and place["height"] >= 44


def test_keys_see_what_has_no_room_and_leave_the_row_as_it_was(screen: Screen, clinic: Make, monday: date) -> None:
    page = screen("rita", width=1280, height=800)
    page.goto(f"/calendar/day/{monday}")
    row = page.locator(".cal-beside")
    page.locator("#cal-list").focus()
    reached = 0
    while True:
        page.keyboard.press("Tab")
        held = page.locator(":focus")
        if held.get_attribute("id") == "cal-filter":
            break
        inner, outer = held.bounding_box(), row.bounding_box()
        assert inner and outer and inner["y"] >= outer["y"]
        assert inner["y"] + inner["height"] <= outer["y"] + outer["height"]
        reached += 1
    assert reached == row.locator("button").count() > 4
    assert row.evaluate("(row) => row.scrollTop") == 0
    assert (
        page.locator("#cal-by-chair").evaluate("(button) => button.getBoundingClientRect().top")
        > row.bounding_box()["y"]
    )  # type: ignore[index]
