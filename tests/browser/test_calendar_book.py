"""Booking by hand, counted in actions: what a desk does fifty times a day."""

from datetime import date

from playwright.sync_api import Page, expect

from tests.browser.conftest import Screen
from tests.make import Make


def tap_half_past_ten(page: Page, monday: date, clinic: Make) -> None:
    """The second chair's free slot at 10:30 of a day that is open from 8 to 18."""
    page.goto(f"/calendar/day/{monday}")
    column = page.locator(f'.col[data-chair="{clinic.chair("Chair 2").id}"] .slots')
    box = column.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 2.6 * box["height"] / 10)
    expect(page.locator("#dialog").get_by_label("From")).to_have_value("10:30")


def test_slot_letters_enter_enter(screen: Screen, clinic: Make, monday: date) -> None:
    patient = clinic.patient(first_name="İrem", last_name="Çığ")
    page = screen("rita")
    tap_half_past_ten(page, monday, clinic)
    page.keyboard.type("cig")
    page.keyboard.press("Enter")
    expect(page.locator("#dialog [name=patient_id]")).to_have_value(str(patient.id))
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Booked: İrem Çığ")
    expect(page.locator("#week-grid .ev")).to_contain_text("Çığ")
    expect(page.locator("#dialog")).to_be_hidden()


def test_escape_in_the_patient_s_field_leaves_who_was_chosen(screen: Screen, clinic: Make, monday: date) -> None:
    patient = clinic.patient(last_name="Çığ")
    page = screen("rita")
    tap_half_past_ten(page, monday, clinic)
    page.keyboard.type("cig")
    page.keyboard.press("Enter")
    chosen = page.locator("#dialog [name=patient_id]")
    expect(chosen).to_have_value(str(patient.id))
    page.locator("#dialog [name=patient_name]").press("Escape")
    expect(page.get_by_text("Throw away what you typed?")).to_be_visible()
    page.get_by_role("button", name="Keep editing").click()
    expect(chosen).to_have_value(str(patient.id))
    expect(page.locator("#dialog [name=patient_name]")).to_have_value("Selma Çığ")


def test_a_new_patient_and_the_first_visit_are_one_dialog(screen: Screen, clinic: Make, monday: date) -> None:
    page = screen("rita")
    tap_half_past_ten(page, monday, clinic)
    page.keyboard.type("Wanda Maximova")
    page.locator("#patient-options").get_by_text("New patient: Wanda Maximova").click()
    dialog = page.locator("#dialog")
    expect(dialog.get_by_label("First name")).to_have_value("Wanda")
    expect(dialog.get_by_label("Last name")).to_have_value("Maximova")
    dialog.get_by_label("Date of birth").fill("1991-04-03")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Booked: Wanda Maximova")
    expect(page.locator("#week-grid .ev")).to_contain_text("Maximova")


def test_what_is_asked_is_in_sight_after_a_field_further_down_was_wrong(screen: Screen, monday: date) -> None:
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    page.get_by_role("link", name="New appointment").click()
    page.get_by_role("combobox", name="Patient", exact=True).press_sequentially("Wanda Maximova")
    page.locator("#patient-options").get_by_text("New patient: Wanda Maximova").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Date of birth").fill("1991-04-03")
    dialog.get_by_label("From").fill("05:03")
    page.get_by_role("button", name="Book", exact=True).click()
    expect(dialog.get_by_label("From")).to_be_focused()
    dialog.get_by_label("From").fill("05:00")
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.get_by_role("button", name="Book it anyway")).to_be_visible()
    asked = dialog.locator(".alert").bounding_box()
    head = dialog.locator(".sheet-head").bounding_box()
    assert asked and head and asked["y"] >= head["y"] + head["height"]
