"""A wrong save is taken back with one tap, and the page shows it."""

from playwright.sync_api import expect

from tests.browser.conftest import Screen
from tests.make import Make


def test_the_last_save_is_taken_back_from_its_toast(screen: Screen, clinic: Make) -> None:
    patient = clinic.patient(mobile_phone="030 1")
    page = screen("rita")
    page.goto(f"/patients/{patient.id}/edit")
    page.get_by_label("Mobile phone").fill("030 2")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/patients/{patient.id}")
    expect(page.locator("#chart-head")).to_contain_text("030 2")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator("#chart-head")).to_contain_text("030 1")
    expect(page.locator(".toast")).to_contain_text("Taken back")


def test_an_entry_s_history_opens_from_its_sheet(screen: Screen, clinic: Make) -> None:
    visit = clinic.visit()
    page = screen("rita")
    page.goto("/calendar/day/2026-09-01")
    page.locator(f"#e{visit.id}").click()
    page.get_by_role("button", name="More").click()
    page.get_by_role("link", name="History").click()
    expect(page.locator("#dialog")).to_contain_text("From: Tue 1 Sep, 10:00")
    page.get_by_role("link", name="Back").click()
    expect(page.locator("#dialog")).to_contain_text("Chair 1 · Dr Ada Dent")
