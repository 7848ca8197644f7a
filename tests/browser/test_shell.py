"""The frame around every page: search, keys, toasts, errors."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Screen
from tests.make import Make


def test_the_search_field_does_things_and_the_list_of_keys_opens(
    screen: Screen, clinic: Make, axe: Callable[[Page], None]
) -> None:
    page = screen("rita")
    page.goto("/settings/")
    page.keyboard.press("?")
    sheet = page.locator("#dialog")
    expect(sheet.get_by_role("heading", name="Keys")).to_be_focused()
    expect(sheet).to_contain_text("Pick it up")
    axe(page)
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()

    page.keyboard.press("Control+k")
    page.keyboard.type("new app")
    expect(page.locator("#search-results [role=option]").first).to_have_text("New appointment")
    page.keyboard.press("Enter")
    expect(sheet).to_contain_text("New appointment")
    page.keyboard.press("Escape")
    expect(page.get_by_role("combobox", name="Search patients and actions")).to_have_value("")

    page.keyboard.press("/")
    page.keyboard.type("what? ")
    expect(sheet).to_be_hidden()
    page.keyboard.press("Control+a")
    page.keyboard.type("tomorrow")
    expect(page.locator("#search-results [role=option]").first).to_contain_text("Go to")
    page.keyboard.press("Enter")
    page.wait_for_url("**/calendar/day/*")
