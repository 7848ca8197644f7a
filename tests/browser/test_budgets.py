"""The click budgets of a day at the desk, counted by the page itself: a press of a finger or of the mouse is an action,
and so is a key; letters typed in one go are one."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Screen
from tests.browser.test_calendar_book import tap_half_past_ten
from tests.browser.test_calendar_drag import carry
from tests.make import Make
from tests.pictures import png

COUNT = """
addEventListener("pointerdown", () => acted("tap"), true);
addEventListener("keydown", ({key}) => acted(key.length === 1 && key !== "/" ? "letters" : key), true);
"""


class Hand:
    """What a person did since `begin`."""

    def __init__(self, page: Page) -> None:
        self.done: list[str] = []
        page.expose_function("acted", self._act)
        page.add_init_script(COUNT)

    def begin(self) -> None:
        self.done.clear()

    def _act(self, what: str) -> None:
        if what != "letters" or self.done[-1:] != ["letters"]:
            self.done.append(what)


@pytest.fixture
def desk(screen: Screen) -> Iterator[tuple[Page, Hand]]:
    """The dentist's screen: one page on which all of it is done."""
    page = screen("ada")
    yield page, Hand(page)


def test_a_day_at_the_desk_stays_within_its_budgets(desk: tuple[Page, Hand], clinic: Make, today: date) -> None:
    page, hand = desk
    irem = clinic.patient(first_name="İrem", last_name="Çığ", alert_text="Penicillin")
    visit = clinic.visit(datetime.combine(today, time(9)), patient=irem)
    toast = page.locator(".toast")

    page.goto("/today/")
    expect(page.locator(f"#visit-{visit.id}")).to_contain_text("Penicillin")
    assert hand.done == [], "allergies are seen before anybody sits down, without a tap"

    page.locator(f"#step-{visit.id}").click()
    expect(page.locator(f"#visit-{visit.id} .walk")).to_have_text("arrived")
    assert hand.done == ["tap"], "arrived"

    hand.begin()
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator(f"#visit-{visit.id} .walk")).to_have_text("scheduled")
    assert hand.done == ["tap"], "taken back"

    hand.begin()
    page.keyboard.press("/")
    page.keyboard.type("cig")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/patients/{irem.id}")
    assert hand.done == ["/", "letters", "Enter"], "a patient from anywhere"
    expect(page.locator("#chart-head")).to_contain_text("Penicillin")

    page.goto(f"/xrays/of/{irem.id}")
    hand.begin()
    with page.expect_file_chooser() as chooser:
        page.locator("#xray-files").click()
    chooser.value.set_files(
        [{"name": f"{n}.png", "mimeType": "image/png", "buffer": png(shade=n)} for n in (1, 2, 3)]
    )  # an action of its own, which the page does not see
    page.get_by_role("button", name="Store").click()
    expect(page.locator(".film")).to_have_count(3)
    assert hand.done == ["tap", "tap"], "three X-rays"


def test_booking_and_moving_stay_within_theirs(desk: tuple[Page, Hand], clinic: Make, monday: date) -> None:
    page, hand = desk
    clinic.patient(first_name="İrem", last_name="Çığ")
    dialog, toast = page.locator("#dialog"), page.locator(".toast")

    hand.begin()
    tap_half_past_ten(page, monday, clinic)
    page.keyboard.type("cig")
    page.keyboard.press("Enter")
    expect(dialog.locator("[name=patient_id]")).not_to_have_value("")
    page.keyboard.press("Enter")
    expect(toast.last).to_contain_text("Booked: İrem Çığ")
    assert hand.done == ["tap", "letters", "Enter", "Enter"], "a patient who is known"

    hand.begin()
    carry(page, page.locator("#week-grid .ev"), minutes=60)
    page.mouse.up()
    expect(page.locator("#week-grid .ev")).to_have_class(re.compile("t1130"))
    assert hand.done == ["tap"], "one drag"

    hand.begin()
    tap_half_past_ten(page, monday, clinic)
    page.keyboard.type("Wanda Maximova")
    page.get_by_role("option", name="New patient: Wanda Maximova").wait_for()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("First name")).to_have_value("Wanda")
    for field in ("First name", "Last name", "Date of birth", "Mobile phone"):
        expect(dialog.get_by_label(field)).to_be_visible()
    dialog.get_by_label("Date of birth").press_sequentially("3.4.1991")
    page.keyboard.press("Enter")
    expect(toast.last).to_contain_text("Booked: Wanda Maximova")
    assert hand.done == ["tap", "letters", "Enter", "letters", "Enter"], "somebody new, in the same dialog"
