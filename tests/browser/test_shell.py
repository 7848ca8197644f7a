"""The frame around every page: search, keys, toasts, errors."""

from collections.abc import Callable
from datetime import date, datetime, time

import pytest
from playwright.sync_api import Page, expect

from cpms.settings import services as settings
from tests.browser.conftest import Screen
from tests.browser.test_auth_lock import end_sessions, unlock
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


def test_what_can_be_taken_back_stays_over_a_new_page(screen: Screen, clinic: Make, monday: date) -> None:
    visits = [clinic.visit(datetime.combine(monday, time(hour))) for hour in (9, 10)]
    page = screen("rita")
    page.goto(f"/calendar/day/{monday}")
    toast = page.locator(".toast")
    for visit in visits:
        page.locator(f"#e{visit.id}").click()
        page.locator("#dialog").get_by_role("button", name="More").click()
        page.get_by_role("button", name="Take off the calendar").click()
        expect(page.locator(f"#e{visit.id}")).to_have_count(0)
        page.goto("/settings/")
        expect(toast).to_contain_text("Taken off the calendar")
        if visit is visits[0]:
            toast.get_by_role("button", name="Undo").click()
            expect(toast).to_contain_text("Back on the calendar")
        else:
            with page.expect_response("**/toasts/dismiss"):
                toast.get_by_role("button", name="Dismiss").click()
        page.goto(f"/calendar/day/{monday}")
        expect(toast).to_have_count(0)
    expect(page.locator(f"#e{visits[0].id}")).to_be_visible()


def test_a_sheet_that_is_a_page_waits_for_the_session_with_what_was_typed(screen: Screen, clinic: Make) -> None:
    page = screen("rita")
    page.goto("/patients/new")
    for label, words in (("First name", "Wanda"), ("Last name", "Maximova"), ("Date of birth", "3.4.1991")):
        page.get_by_label(label).fill(words)
    end_sessions(clinic, "rita")
    page.get_by_role("button", name="Save patient").click()
    unlock(page)
    page.wait_for_url("**/patients/1")
    expect(page.locator("h1")).to_have_text("Wanda Maximova")


def test_the_menu_is_a_rail_with_words_a_narrow_rail_or_a_bar_of_five(screen: Screen, clinic: Make) -> None:
    page = screen("olga")
    page.goto("/settings/")
    rail = page.locator(".rail")
    links = page.locator(".rail li:visible > :is(a, button)")
    for width, wide in ((1280, 200), (1199, 72), (700, 72), (699, 699)):
        page.set_viewport_size({"width": width, "height": 800})
        box = rail.bounding_box()
        assert box is not None and box["width"] == wide, width
        expect(links).to_have_count(5)
        for link in links.all():
            place = link.bounding_box()
            icon, word = link.locator(".icon").bounding_box(), link.locator("span").bounding_box()
            assert place and icon and word and place["height"] >= (38 if width > 1199 else 44)
            assert (word["x"] > icon["x"] + icon["width"]) == (width >= 1200)
    assert box["y"] + box["height"] == 800


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("width", [1199, 820, 700, 390])
def test_no_word_of_the_menu_touches_the_edge_of_its_tile(
    screen: Screen, clinic: Make, language: str, width: int
) -> None:
    with clinic.writing():
        settings.change_settings(language=language)
    page = screen("olga", width=width)
    for address in ("/today/", "/calendar/", "/patients/", "/xrays/", "/settings/"):
        page.goto(address)
        tile = page.locator(".rail li:visible > [aria-current]")
        place, word = tile.bounding_box(), tile.locator("span").bounding_box()
        assert place and word
        assert min(word["x"] - place["x"], place["x"] + place["width"] - word["x"] - word["width"]) >= 3, address


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("width", [1280, 1000, 820, 700])
def test_the_clinic_s_name_has_room_beside_the_word_that_it_is_a_demo(
    screen: Screen, clinic: Make, language: str, width: int
) -> None:
    with clinic.writing():
        settings.change_settings(language=language, is_demo=True, clinic_name="Demo Dental")
    page = screen("rita", width=width)
    page.goto("/today/")
    name = page.locator(".top-clinic")
    expect(name).to_have_text("Demo Dental")
    assert name.evaluate("(name) => name.scrollWidth <= name.clientWidth")
    person = page.locator(".person").bounding_box()
    assert person is not None and person["x"] + person["width"] <= width


def test_what_could_be_undone_a_minute_ago_is_not_offered_on_a_page_that_nobody_saw(
    screen: Screen, clinic: Make, monday: date
) -> None:
    visit = clinic.visit(datetime.combine(monday, time(9)))
    page = screen("rita", tolerate=("htmx:error: timeout",))  # no answer is as quick as this minute
    page.clock.install()
    page.goto(f"/calendar/day/{monday}")
    page.locator(f"#e{visit.id}").click()
    page.locator("#dialog").get_by_role("button", name="More").click()
    page.get_by_role("button", name="Take off the calendar").click()
    toast = page.locator(".toast")
    expect(toast).to_contain_text("Taken off the calendar")
    page.evaluate("Object.defineProperty(document, 'hidden', {get: () => true})")
    page.clock.run_for(12_000)
    expect(toast).to_be_visible()
    page.clock.run_for(60_000)
    expect(toast).to_have_count(0)
