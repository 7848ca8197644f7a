"""What comes out of the printer."""

import re
from datetime import date

from playwright.sync_api import Page, expect

from tests.browser.conftest import Screen
from tests.full_week import full_week
from tests.make import Make

LANDSCAPE = rb"/MediaBox\s*\[\s*0 0 84[12]\.?\d* 59[45]\.?\d*\s*\]"


def sheets(page: Page) -> int:
    """How many sheets of A4 it takes, all of them landscape."""
    made = page.pdf(prefer_css_page_size=True)
    count = len(re.findall(rb"/Type\s*/Page\b", made))
    assert len(re.findall(LANDSCAPE, made)) == count
    return count


def test_the_grid_is_one_sheet_without_tools(screen: Screen, clinic: Make, monday: date) -> None:
    full_week(clinic, monday, chairs=3, days=5, visits=11)
    page = screen("rita")
    for view in ("week", "day"):
        page.goto(f"/calendar/{view}/{monday}")
        expect(page.locator(".cal-letterhead")).to_be_hidden()
        assert sheets(page) == 1
        page.set_viewport_size({"width": 1047, "height": 700})  # what a sheet of A4 has inside its margins
        page.emulate_media(media="print")
        for gone in (".cal-bar", ".rail", ".top", ".toasts"):
            expect(page.locator(gone)).to_be_hidden()
        expect(page.locator(".cal-letterhead")).to_contain_text("Test Dental")
        assert page.evaluate("document.documentElement.scrollWidth") <= 1047
        last = page.locator(".col").last.bounding_box()
        assert last is not None and last["x"] + last["width"] <= 1048
        page.emulate_media(media="screen")


def test_a_busy_week_is_printed_with_every_name(screen: Screen, clinic: Make, monday: date) -> None:
    made = full_week(clinic, monday, chairs=5, days=5, visits=12)
    page = screen("rita")
    page.goto(f"/calendar/print/week/{monday}")
    page.set_viewport_size({"width": 1047, "height": 700})
    page.emulate_media(media="print")
    expect(page.locator(".toolbar")).to_be_hidden()
    assert page.locator(".paper-week strong.num").count() == made
    cut = "(names) => names.filter((each) => each.scrollWidth > each.clientWidth + 1 && each.clientWidth).length"
    assert page.locator(".paper-week li").evaluate_all(cut) == 0
    assert sheets(page) <= 4
