"""Finding a time from within a form: what was typed stays, one tap fills the rest."""

from datetime import date, datetime, time

from playwright.sync_api import expect

from tests.browser.conftest import Screen
from tests.make import Make


def test_a_found_time_fills_the_form_and_what_was_typed_stays(screen: Screen, clinic: Make, monday: date) -> None:
    clinic.visit(datetime.combine(monday, time(8)), minutes=60)
    page = screen("rita", width=390, height=844, touch=True)
    page.goto(f"/calendar/events/new?start={monday}T17:00&provider={clinic.user('ada').id}")
    page.locator("[name=title]").fill("Chipped corner")
    page.get_by_role("button", name="Find a time").click()
    panel = page.locator("#free-panel")
    panel.get_by_label("Time of day").select_option("morning")
    panel.get_by_role("button", name="Back").click()
    expect(page.locator("[name=title]")).to_have_value("Chipped corner")
    expect(page.locator("[name=start_time]")).to_have_value("17:00")
    page.get_by_role("button", name="Find a time").click()
    panel.locator(".free-answer").first.click()
    expect(page.locator("[name=start_time]")).to_have_value("09:00")
    expect(page.locator("[name=day]")).to_have_value(str(monday))
    expect(page.locator("[name=title]")).to_have_value("Chipped corner")


def test_the_times_are_those_of_the_last_question_however_fast_it_was_asked(
    screen: Screen, clinic: Make, monday: date
) -> None:
    page = screen("rita")
    page.goto(f"/calendar/events/new?start={monday}T09:00&provider={clinic.user('ada').id}")
    page.get_by_role("button", name="Find a time").click()
    panel = page.locator("#free-panel")
    expect(panel.locator(".free-answer").first).to_be_visible()
    expect(panel.locator("#free-type")).to_be_focused()
    page.route("**/calendar/free?*", lambda _: None)  # the server is slower than whoever asks
    for choice in ("morning", "afternoon", "morning", "afternoon"):
        panel.get_by_label("Time of day").select_option(choice)
    page.unroute("**/calendar/free?*")
    expect(panel.locator(".free-answer").first).to_contain_text("12:00")
