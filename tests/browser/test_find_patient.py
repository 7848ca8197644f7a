"""A patient from anywhere: `/`, letters, Enter."""

from collections.abc import Callable
from datetime import date

from playwright.sync_api import Page, expect

from tests.browser.conftest import Screen
from tests.make import Make


def test_slash_letters_enter(screen: Screen, clinic: Make) -> None:
    clinic.patient(first_name="Max", last_name="Huber")
    patient = clinic.patient(first_name="İrem", last_name="Çığ")
    page = screen("rita")
    page.goto("/settings/")
    page.keyboard.press("/")
    page.keyboard.type("em cig")
    expect(page.locator("#search-results [role=option]").first).to_contain_text("İrem Çığ")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/patients/{patient.id}")
    expect(page.locator("h1")).to_have_text("İrem Çığ")


def test_enter_waits_for_the_answer_to_what_was_typed(screen: Screen, clinic: Make) -> None:
    clinic.patient(first_name="Ada", last_name="Kaya")
    patient = clinic.patient(first_name="Bea", last_name="Kayalı")
    page = screen("rita")
    page.goto("/patients/")
    page.keyboard.press("Control+k")
    page.keyboard.type("kaya")
    expect(page.locator("#search-results [role=option]").first).to_contain_text("Ada Kaya")
    page.keyboard.type("lı")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/patients/{patient.id}")


def test_arrows_walk_and_escape_gives_the_focus_back(screen: Screen, clinic: Make) -> None:
    clinic.patient(first_name="Ada", last_name="Kaya")
    patient = clinic.patient(first_name="Bea", last_name="Kaya")
    page = screen("rita")
    page.goto("/patients/")
    page.get_by_role("link", name="New patient").focus()
    page.keyboard.press("Control+k")
    page.keyboard.type("kaya")
    second = page.locator("#search-results [role=option]").nth(1)
    expect(second).to_contain_text("Bea Kaya")
    page.keyboard.press("Escape")
    expect(page.locator("#search-results")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="New patient")).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("kaya")
    expect(second).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/patients/{patient.id}")


def test_a_new_patient_of_what_was_typed(screen: Screen, clinic: Make, axe: Callable[[Page], None]) -> None:
    first = clinic.patient(first_name="Selma", last_name="Yıldız", date_of_birth=date(1985, 3, 2))
    page = screen("rita")
    page.goto("/settings/")
    page.keyboard.press("/")
    page.keyboard.type("Zeynep Yıldız")
    page.get_by_role("option", name="New patient: Zeynep Yıldız").click()
    dialog = page.locator("#dialog")
    expect(dialog.get_by_label("First name")).to_have_value("Zeynep")
    dialog.get_by_role("button", name="Register").click()
    expect(dialog.get_by_label("Date of birth")).to_be_focused()
    dialog.get_by_label("Date of birth").fill("2.3.1985")
    dialog.get_by_role("button", name="Register").click()
    expect(dialog.get_by_role("link", name="Selma Yıldız")).to_have_attribute("href", f"/patients/{first.id}")
    expect(dialog.get_by_label("This is a different person")).to_be_focused()
    axe(page)
    dialog.get_by_label("This is a different person").check()
    dialog.get_by_role("button", name="Register").click()
    page.wait_for_url("**/patients/2")
    expect(page.locator("h1")).to_have_text("Zeynep Yıldız")
    expect(page.locator(".toast")).to_contain_text("Zeynep Yıldız is registered")


def test_the_list_narrows_while_typing(screen: Screen, clinic: Make) -> None:
    clinic.patient(first_name="Ada", last_name="Kaya")
    clinic.patient(first_name="Bea", last_name="Huber")
    page = screen("rita")
    page.goto("/patients/")
    expect(page.get_by_label("Search the patients")).to_be_focused()
    page.keyboard.type("hub")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody th")).to_have_text("Bea Huber")
    assert "q=hub" in page.url
    page.get_by_text("Archived", exact=True).click()
    expect(page.locator("#patient-list")).to_contain_text("Nobody is found")


def test_two_editors_in_two_browsers(screen: Screen, clinic: Make, axe: Callable[[Page], None]) -> None:
    patient = clinic.patient(notes="old")
    first, second = screen("olga"), screen("rita")
    for page in (first, second):
        page.goto(f"/patients/{patient.id}/edit")
    first.get_by_label("Notes").fill("from olga")
    first.get_by_role("button", name="Store").click()
    first.wait_for_url(f"**/patients/{patient.id}")
    second.get_by_label("Notes").fill("from rita")
    second.get_by_role("button", name="Store").click()
    expect(second.locator("#notes-hint")).to_contain_text("Stored now: from olga")
    expect(second.get_by_label("Notes")).to_be_focused()
    expect(second.get_by_label("Notes")).to_have_value("from rita")
    axe(second)
    second.get_by_role("button", name="Store").click()
    second.wait_for_url(f"**/patients/{patient.id}")
    expect(second.locator("main")).to_contain_text("from rita")
