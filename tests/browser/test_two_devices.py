"""What one desk does another sees, whatever is being typed there; and a server that is away for a while."""

import re
from datetime import date, datetime, time

from playwright.sync_api import Page, expect

from tests.browser.conftest import Screen
from tests.make import Make
from tests.server import Server

GONE = ("net::ERR_", "htmx:error", "status of 502")


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute))


def test_a_move_is_behind_a_form_that_is_being_filled_in(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(at(monday, 10))
    rita, ada = screen("rita"), screen("ada", height=500)
    ada.clock.install()
    for page in (rita, ada):
        page.goto(f"/calendar/day/{monday}")
    ada.locator(".cal-scroll").evaluate("(pane) => { pane.scrollTop = 40; }")
    ada.keyboard.press("n")
    notes = ada.locator("#dialog [name=title]")
    notes.fill("half a sentence")
    notes.evaluate("(field) => field.setSelectionRange(4, 6)")

    rita.locator(f"#e{visit.id}").focus()
    for key in ("m", "ArrowDown", "Enter"):
        rita.keyboard.press(key)
    expect(rita.locator(f"#e{visit.id}")).to_have_class(re.compile("t1015"))

    ada.clock.run_for(5000)
    expect(ada.locator(f"#e{visit.id}")).to_have_class(re.compile("t1015"))
    expect(notes).to_be_focused()
    expect(notes).to_have_value("half a sentence")
    assert notes.evaluate("(field) => [field.selectionStart, field.selectionEnd]") == [4, 6]
    assert ada.locator(".cal-scroll").evaluate("(pane) => pane.scrollTop") == 40


def banner(page: Page) -> str:
    expect(page.locator("#offline")).to_be_visible()
    return page.locator("#offline").inner_text()


def test_a_server_that_is_away_takes_nothing_that_was_typed(
    screen: Screen, clinic: Make, running: Server, monday: date
) -> None:
    page, calendar = screen("rita", tolerate=GONE), screen("ada", tolerate=GONE)
    calendar.goto(f"/calendar/day/{monday}")
    page.goto("/patients/")
    page.get_by_role("link", name="New patient").first.click()
    sheet = page.locator("#dialog")
    sheet.get_by_label("First name").fill("Wanda")
    sheet.get_by_label("Last name").fill("Maximova")
    sheet.get_by_label("Date of birth").fill("3.4.1991")
    save = sheet.get_by_role("button", name="Save patient")
    running.stop()
    try:
        save.click()
        assert re.search(
            r"No connection to the clinic's server\. What you see is from \d\d:\d\d\.", banner(page).replace("\n", " ")
        )
        expect(save).to_be_disabled()
        expect(sheet.get_by_label("First name")).to_have_value("Wanda")
        banner(calendar)  # by itself
    finally:
        running.start()
    expect(page.locator("#offline")).to_be_hidden()
    expect(calendar.locator("#offline")).to_be_hidden()
    expect(save).to_be_enabled()
    save.click()
    page.wait_for_url(re.compile(r"/patients/\d+$"))
    expect(page.locator("h1")).to_have_text("Wanda Maximova")


def test_a_proxy_before_a_stopped_server_is_no_server(screen: Screen, clinic: Make, monday: date) -> None:
    page = screen("rita", tolerate=GONE)
    page.goto(f"/calendar/day/{monday}")
    page.route("**/*", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"))
    banner(page)
    page.unroute("**/*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#offline")).to_be_hidden()
