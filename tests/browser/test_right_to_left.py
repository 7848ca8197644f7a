"""A pseudo right-to-left run: the pages as somebody sees them whose language is written from the right."""

from datetime import date, datetime, time, timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Screen
from tests.make import Make

PAGES = (
    *("/today/", "/calendar/week/{monday}", "/calendar/day/{monday}", "/patients/", "/patients/{patient}"),
    *("/xrays/of/{patient}", "/settings/clinic", "/audit/", "/backups/", "/auth/profile"),
)


def turned(page: Page) -> None:
    """Every page from here on comes from the right."""

    def turn(route: Route) -> None:
        if route.request.resource_type != "document":
            return route.fallback()
        answer = route.fetch()
        return route.fulfill(response=answer, body=answer.text().replace('dir="ltr"', 'dir="rtl"', 1))

    page.route("**/*", turn)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_a_page_from_the_right_fits_the_screen(
    screen: Screen, clinic: Make, monday: date, width: int, height: int
) -> None:
    patient = clinic.patient(alert_text="Latex")
    clinic.visit(datetime.combine(monday, time(10)), patient=patient)
    clinic.xray(patient)
    page = screen("olga", width=width, height=height, touch=width < 700)
    turned(page)
    for address in PAGES:
        page.goto(address.format(monday=monday, patient=patient.id))
        seen = page.evaluate("""() => ({
            wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
            side: document.querySelector("main").getBoundingClientRect().left,
        })""")
        assert seen["wide"] <= 0, address
        assert seen["side"] < 100, f"{address}: the menu stays on the left"


def test_the_week_from_the_right_begins_on_the_right(screen: Screen, clinic: Make, monday: date) -> None:
    page = screen("rita", width=1280, height=800)
    turned(page)
    page.goto(f"/calendar/week/{monday}")
    days = page.locator(".col").evaluate_all("all => all.map((each) => each.getBoundingClientRect().left)")
    assert days == sorted(days, reverse=True)
    slot = page.locator(".slot")
    for height in (90, 100):  # a pointer that stands still moves nothing
        page.locator(".col .slots").first.hover(position={"x": 20, "y": height})
    column = page.locator(".col").first.bounding_box()
    expect(slot).to_be_visible()
    framed = slot.bounding_box()
    assert column and framed and abs(column["x"] - framed["x"]) < 4
    page.locator(".cal-scroll").focus()
    page.keyboard.press("ArrowLeft")
    expect(slot).to_have_attribute("data-day", str(monday + timedelta(days=1)))
