"""The sheet of a visit and the frame of a slot, by keys and by finger."""

from datetime import date, datetime, time, timedelta

from playwright.sync_api import expect

from cpms.calendar import queries
from cpms.calendar.models import Status
from tests.browser.conftest import Screen
from tests.make import Make


def status_of(clinic: Make, event_id: int) -> Status:
    with clinic.app.app_context():
        return queries.event(event_id).status


def test_enter_twice_on_a_card_changes_nothing(screen: Screen, clinic: Make, today: date) -> None:
    visit = clinic.visit(datetime.combine(today, time(10)))
    page = screen("rita")
    page.goto(f"/calendar/week/{today}")
    page.locator(f"#e{visit.id}").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#sheet-title")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator(f"#e{visit.id}")).to_be_focused()
    assert status_of(clinic, visit.id) is Status.SCHEDULED


def test_a_visit_of_another_day_arrives_only_after_a_question(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(datetime.combine(monday + timedelta(days=1), time(10)))
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    page.locator(f"#e{visit.id}").click()
    page.get_by_role("button", name="Arrived").click()
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("Mark it as “arrived” anyway?")
    expect(page.locator("#dialog [type=submit]")).not_to_be_focused()
    assert status_of(clinic, visit.id) is Status.SCHEDULED
    dialog.get_by_role("button", name="Mark it anyway").click()
    expect(dialog).to_be_hidden()
    assert status_of(clinic, visit.id) is Status.ARRIVED


def test_the_frame_of_a_slot_does_not_lie_over_the_new_card(screen: Screen, clinic: Make, monday: date) -> None:
    patient = clinic.patient(last_name="Koç")
    page = screen("rita", width=820, height=1180, touch=True)
    page.goto(f"/calendar/day/{monday}")
    box = page.locator(".col .slots").first.bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + 2.6 * box["height"] / 10)
    expect(page.locator(".slot")).to_be_visible()
    page.locator("#patient_name").fill("koc")
    page.locator("#patient-options [role=option]").first.click()
    expect(page.locator("#patient_id")).to_have_value(str(patient.id))
    page.locator("#dialog .sheet-foot .primary").click()
    expect(page.locator("#week-grid .ev")).to_contain_text("Koç")
    expect(page.locator(".slot")).to_be_hidden()


def test_the_frame_of_a_slot_goes_with_its_form(screen: Screen, clinic: Make, monday: date) -> None:
    page = screen("rita", width=390, height=844, touch=True)
    page.goto(f"/calendar/day/{monday}")
    box = page.locator(".col .slots").first.bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + 2.6 * box["height"] / 10)
    expect(page.locator("#dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator(".slot")).to_be_hidden()
