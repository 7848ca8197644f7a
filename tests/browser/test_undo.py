"""A wrong save is taken back with one tap, and the page shows it."""

from datetime import date, datetime, time

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
    page.locator("#dialog").get_by_role("button", name="More").click()
    page.get_by_role("link", name="History").click()
    expect(page.locator("#dialog")).to_contain_text("From: Tue 1 Sep, 10:00")
    page.get_by_role("link", name="Back").click()
    expect(page.locator("#dialog")).to_contain_text("Chair 1 · Dr Ada Dent")


def test_a_chart_whose_visit_lost_its_time_comes_back_without_it(screen: Screen, clinic: Make, monday: date) -> None:
    mia = clinic.patient(first_name="Mia", last_name="Berg")
    start = datetime.combine(monday, time(10))
    clinic.visit(start, patient=mia)
    page = screen("rita")
    page.goto(f"/patients/{mia.id}")
    page.get_by_role("button", name="More about this patient").click()
    page.get_by_role("button", name="Delete…").click()
    expect(page.locator("#dialog")).to_contain_text("1 coming visit is taken off the calendar")
    page.locator("#dialog").get_by_role("button", name="Delete").click()
    page.wait_for_url("**/patients/")
    clinic.visit(start, patient=clinic.patient(first_name="Ida", last_name="Kern"))
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator("#dialog")).to_contain_text("Chair 1 is taken from 10:00 to 10:30: Ida Kern.")
    page.get_by_role("button", name="Restore without them").click()
    page.wait_for_url(f"**/patients/{mia.id}")
    expect(page.locator(".toast")).to_contain_text("1 visit stays in the trash.")
    page.goto("/audit/trash")
    page.get_by_role("button", name="Put it back").click()
    expect(page.locator(".toast")).to_contain_text("Chair 1 is taken")


def test_the_log_finds_a_patient_and_checks_the_trail(screen: Screen, clinic: Make) -> None:
    mia = clinic.patient(first_name="Mia", last_name="Berg")
    page = screen("olga")
    page.goto("/audit/")
    page.get_by_role("button", name="Check now").click()
    expect(page.locator("#trail")).to_contain_text("Checked")
    page.locator("#audit-patient").fill("ber")
    page.get_by_role("option", name="Mia Berg").click()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#log-lines")).to_contain_text("Only about Mia Berg")
    assert f"patient_id={mia.id}" in page.url


def test_an_undo_in_a_visit_s_history_is_shown_there(screen: Screen, clinic: Make, monday: date) -> None:
    start = datetime.combine(monday, time(10))
    visit = clinic.visit(start)
    page = screen("rita")
    page.goto(f"/calendar/day/{monday}")
    page.locator(f"#e{visit.id}").click()
    page.get_by_role("link", name="Edit").click()
    page.locator("#dialog summary").click()
    page.locator("#dialog [name=notes]").fill("Bring the old plate")
    page.locator("#dialog").get_by_role("button", name="Save").click()
    page.locator(f"#e{visit.id}").click()
    page.locator("#dialog").get_by_role("button", name="More").click()
    page.get_by_role("link", name="History").click()
    page.locator("#dialog .history li", has_text="Bring the old plate").get_by_role("button", name="Undo").click()
    expect(page.locator("#dialog")).to_contain_text("taken back by Rita Desk")
