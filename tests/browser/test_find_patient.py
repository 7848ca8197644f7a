"""A patient from anywhere: `/`, letters, Enter."""

from collections.abc import Callable
from datetime import date

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.conftest import Screen
from tests.make import Make


@pytest.mark.parametrize("address", ["/settings/", "/patients/"])  # the second stands in a search field of its own
def test_slash_letters_enter(screen: Screen, clinic: Make, address: str) -> None:
    clinic.patient(first_name="Max", last_name="Huber")
    patient = clinic.patient(first_name="İrem", last_name="Çığ")
    page = screen("rita")
    page.goto(address)
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
    dialog.get_by_role("button", name="Save patient").click()
    expect(dialog.get_by_label("Date of birth")).to_be_focused()
    dialog.get_by_label("Date of birth").fill("2.3.1985")
    dialog.get_by_role("button", name="Save patient").click()
    expect(dialog.get_by_role("link", name="Selma Yıldız")).to_have_attribute("href", f"/patients/{first.id}")
    expect(dialog.get_by_label("This is a different person")).to_be_focused()
    axe(page)
    dialog.get_by_label("This is a different person").check()
    dialog.get_by_role("button", name="Save patient").click()
    page.wait_for_url("**/patients/2")
    expect(page.locator("h1")).to_have_text("Zeynep Yıldız")
    expect(page.locator(".toast")).to_contain_text("Zeynep Yıldız is saved")


def test_the_list_narrows_while_typing(screen: Screen, clinic: Make) -> None:
    clinic.patient(first_name="Ada", last_name="Kaya")
    clinic.patient(first_name="Bea", last_name="Huber")
    page = screen("rita")
    page.goto("/patients/")
    expect(page.get_by_label("Search the patients")).to_be_focused()
    page.keyboard.type("hub")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody th")).to_have_text("Bea Huber")
    page.wait_for_url("**/patients/?q=hub*")
    page.get_by_text("Archived", exact=True).click()
    expect(page.locator("#patient-list")).to_contain_text("Nobody is found")


def test_two_editors_in_two_browsers(screen: Screen, clinic: Make, axe: Callable[[Page], None]) -> None:
    patient = clinic.patient(notes="old")
    first, second = screen("olga"), screen("rita")
    for page in (first, second):
        page.goto(f"/patients/{patient.id}/edit")
    first.get_by_label("Notes").fill("from olga")
    first.get_by_role("button", name="Save").click()
    first.wait_for_url(f"**/patients/{patient.id}")
    second.get_by_label("Notes").fill("from rita")
    second.get_by_role("button", name="Save").click()
    expect(second.locator("#notes-hint")).to_contain_text("Saved now: from olga")
    expect(second.get_by_label("Notes")).to_be_focused()
    expect(second.get_by_label("Notes")).to_have_value("from rita")
    axe(second)
    second.get_by_role("button", name="Save").click()
    second.wait_for_url(f"**/patients/{patient.id}")
    expect(second.locator("main")).to_contain_text("from rita")


def test_an_archived_patient_is_found_and_cannot_be_booked(screen: Screen, clinic: Make) -> None:
    clinic.patient(first_name="Olga", last_name="Archivova", archived=True)
    page = screen("rita")
    page.goto("/settings/")
    page.keyboard.press("/")
    page.keyboard.type("archivova")
    expect(page.locator("#search-results [role=option]").first).to_contain_text("archived")
    page.goto("/calendar/events/new")
    page.locator("#patient_name").press_sequentially("archivova")
    expect(page.locator("#patient-options")).to_contain_text("archived, cannot be booked")
    expect(page.locator("#patient-options [data-value]")).to_have_count(0)


def test_a_changed_page_is_not_left_without_a_question(screen: Screen, clinic: Make) -> None:
    patient = clinic.patient()
    page = screen("rita")
    questions: list[str] = []

    def stay(dialog: Dialog) -> None:
        questions.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.goto(f"/patients/{patient.id}/edit")
    page.get_by_role("link", name="Calendar").click()
    page.wait_for_url("**/calendar/**")
    assert questions == [], "nothing was typed"

    page.goto(f"/patients/{patient.id}/edit")
    page.get_by_label("Notes").fill("half a sentence")
    page.get_by_label("Date of birth").fill("31.2.1985")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#date_of_birth-error")).to_be_visible()
    with page.expect_event("dialog"):
        page.get_by_role("link", name="Calendar").click()
    assert questions == ["beforeunload"]
    expect(page.get_by_label("Notes")).to_have_value("half a sentence")

    page.get_by_label("Date of birth").fill("1.2.1985")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/patients/{patient.id}")
    assert questions == ["beforeunload"], "what is saved is left without a question"
