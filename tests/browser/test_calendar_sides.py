"""What is beside the grid: the row of days when the week is wider than the screen, and the sentences that come up."""

from datetime import date, datetime, time, timedelta

from playwright.sync_api import expect

from tests.browser.conftest import Screen
from tests.full_week import full_week
from tests.make import Make


def test_a_week_that_fits_needs_no_row_of_days(screen: Screen, clinic: Make, monday: date) -> None:
    full_week(clinic, monday, chairs=2, days=6, visits=5)
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    expect(page.locator(".col")).to_have_count(6)
    expect(page.locator(".cal-days")).to_be_hidden()
    room = page.locator(".cal-scroll").evaluate("(pane) => pane.scrollWidth - pane.clientWidth")
    assert room <= 0, "six open days stand side by side at 1280"


def test_the_days_beyond_the_edge_are_one_tap_away(screen: Screen, clinic: Make, monday: date) -> None:
    full_week(clinic, monday, chairs=4, days=6, visits=5)
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    saturday = page.locator(".cal-days").get_by_role("button", name="Sat")
    expect(saturday).to_be_visible()
    expect(saturday).not_to_have_attribute("aria-current", "true")
    saturday.click()
    expect(saturday).to_have_attribute("aria-current", "true")
    expect(page.locator(f'[data-day="{monday + timedelta(days=5)}"] .col-head')).to_be_in_viewport()


def test_toasts_do_not_pile_up_nor_cover_the_buttons_of_a_dialog(screen: Screen, clinic: Make, monday: date) -> None:
    visit = clinic.visit(datetime.combine(monday, time(10)))
    page = screen("rita", width=390, height=844, touch=True)
    page.goto(f"/calendar/day/{monday}")
    for number in (1, 2, 2, 3, 4, 4):
        page.evaluate(
            """(words) => {
                const toast = document.createElement("div");
                toast.className = "toast";
                toast.append(document.createElement("p"));
                toast.firstChild.textContent = words;
                document.getElementById("toasts").append(toast);
            }""",
            f"Sentence {number}",
        )
    page.locator(f"#e{visit.id}").tap()
    expect(page.locator("#dialog .toast")).to_have_text(["Sentence 2", "Sentence 3", "Sentence 4"])
    lowest = page.locator("#dialog .toast").last.bounding_box()
    foot = page.locator("#dialog .sheet-foot").bounding_box()
    assert lowest is not None and foot is not None
    assert lowest["y"] + lowest["height"] < foot["y"]


def test_the_grid_is_one_stop_and_arrows_walk_inside(screen: Screen, clinic: Make, monday: date) -> None:
    first = clinic.visit(datetime.combine(monday, time(10)))
    clinic.visit(datetime.combine(monday, time(11)))
    page = screen("rita")
    page.goto(f"/calendar/week/{monday}")
    page.locator("#main").focus()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to calendar")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".cal-scroll")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"#e{first.id}")).to_be_focused()
    page.keyboard.press("ArrowRight")
    for _ in range(9):
        page.keyboard.press("ArrowUp")
    expect(page.locator(f'[data-day="{monday + timedelta(days=1)}"] .col-head a')).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(f'[data-day="{monday}"] .col-head a')).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".slot")).to_have_attribute("data-at", "08:00")
    clinic.visit(datetime.combine(monday, time(9)), chair="Chair 2", provider="hugo")
    expect(page.locator(".ev")).to_have_count(3)
    page.locator(f"#e{first.id}").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("!document.activeElement.closest('.grid')"), "no card is a stop, nor one that came just now"


def test_a_form_that_is_a_page_comes_back_as_a_page(screen: Screen, clinic: Make, monday: date) -> None:
    page = screen("rita")
    page.goto(f"/calendar/events/new?start={monday}T10:00")
    page.get_by_role("button", name="Book").click()
    expect(page.locator(".problem")).to_contain_text("choose a patient")
    expect(page.locator("[name=patient_name]")).to_have_count(1)
    expect(page.locator("#dialog")).to_be_hidden()


def test_a_phone_has_room_to_search_and_to_book(screen: Screen, clinic: Make, monday: date) -> None:
    page = screen("rita", width=390, height=844, touch=True)
    page.goto(f"/calendar/day/{monday}")
    new = page.get_by_role("link", name="New appointment")
    expect(new).to_contain_text("New")
    box = new.bounding_box()
    assert box is not None and box["width"] >= 44 and box["height"] >= 44
    expect(page.locator(".cal-title .icon")).to_be_visible()
