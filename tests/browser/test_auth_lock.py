"""A session that ends under somebody's hands: the page is covered, and nothing that was typed is lost."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from cpms.auth import queries, services
from cpms.core.db import transaction
from tests.browser.conftest import Screen
from tests.conftest import PASSPHRASE
from tests.make import Make


def end_sessions(clinic: Make, username: str) -> None:
    """From another machine, as an idle limit or the owner would."""
    with clinic.app.app_context(), transaction("session.end", actor=None):
        user = queries.user_named(username)
        assert user is not None
        services.end_sessions(user)


def unlock(page: Page, password: str = PASSPHRASE) -> None:
    sheet = page.locator("#lock")
    sheet.get_by_label("Password").fill(password)
    sheet.get_by_role("button", name="Sign in").click()


def test_what_was_typed_stays_and_is_stored_after_signing_in_again(screen: Screen, clinic: Make) -> None:
    page = screen("rita")
    page.goto("/auth/profile")
    page.get_by_label("Name").fill("Rita Moreno")
    end_sessions(clinic, "rita")
    page.get_by_role("button", name="Save").click()
    sheet = page.locator("#lock")
    expect(sheet).to_be_visible()
    expect(sheet.get_by_label("User name")).to_have_value("rita")
    expect(sheet.get_by_label("Password")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(sheet).to_be_visible()
    unlock(page, "wrong")
    expect(sheet.get_by_role("alert")).to_contain_text("do not belong together")
    unlock(page)
    expect(page.locator("#toasts")).to_contain_text("Saved.")
    expect(page.get_by_label("Name")).to_have_value("Rita Moreno")
    assert clinic.user("rita").display_name == "Rita Moreno"


def test_whoever_locks_their_screen_comes_back_to_it(screen: Screen, clinic: Make) -> None:
    page = screen("rita")
    page.goto("/auth/profile")
    page.get_by_label("E-mail").fill("rita@example.org")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("Saved.")
    page.get_by_label("Name").fill("Rita half ty")
    page.get_by_role("button", name="Menu of Rita Desk").click()
    page.get_by_role("button", name="Lock this screen").click()
    expect(page.locator("#lock")).to_be_visible()
    assert page.locator(".toast").count() == 0, "a sentence may name a patient"
    unlock(page)
    expect(page.locator("#lock")).to_be_hidden()
    expect(page.get_by_label("Name")).to_have_value("Rita half ty")


def test_somebody_else_at_a_locked_screen_gets_their_own_day(screen: Screen, clinic: Make) -> None:
    page = screen("rita")
    page.goto("/auth/profile")
    page.get_by_label("Name").fill("Rita half ty")
    end_sessions(clinic, "rita")
    page.get_by_role("button", name="Save").click()
    page.locator("#lock").get_by_label("User name").fill("hugo")
    unlock(page)
    page.wait_for_url("**/today/**")
    expect(page.get_by_role("button", name="Menu of Hugo Clean")).to_be_visible()
    assert clinic.user("rita").display_name == "Rita Desk"


def test_after_signing_out_the_way_back_shows_nothing(screen: Screen) -> None:
    page = screen("rita")
    page.goto("/auth/profile")
    page.get_by_role("button", name="Menu of Rita Desk").click()
    page.get_by_role("button", name="Sign out, switch user").click()
    page.wait_for_url("**/login")
    page.go_back()
    expect(page.get_by_role("heading", name="Test Dental")).to_be_visible()
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


def test_olga_lets_somebody_in_and_sees_the_password_once(screen: Screen, clinic: Make) -> None:
    page = screen("olga")
    page.goto("/auth/users")
    page.get_by_role("link", name="New user").click()
    sheet = page.locator("#dialog")
    sheet.get_by_label("Name", exact=True).fill("Nina New")
    sheet.get_by_label("User name").fill("nina")
    sheet.get_by_label("E-mail").fill("olga@example.org")
    sheet.get_by_label("Role").select_option("assistant")
    sheet.get_by_role("button", name="Save").click()
    expect(sheet).to_contain_text("Somebody has this e-mail address already.")
    expect(sheet.get_by_label("E-mail")).to_be_focused()
    sheet.get_by_label("E-mail").fill("nina@example.org")
    sheet.get_by_role("button", name="Save").click()
    expect(sheet.locator("[data-one-time]")).to_be_visible()
    expect(page.locator("#user-list")).to_contain_text("Nina New")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(page.locator("[data-one-time]")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_are_readable_for_everybody(
    screen: Screen, axe: Callable[[Page], None], clinic: Make, width: int
) -> None:
    page = screen("olga", width=width, height=844)
    olga = clinic.user("olga").id
    for url in (
        "/settings/",
        "/settings/clinic",
        "/auth/users",
        "/auth/users/new",
        f"/auth/users/{olga}",
        f"/auth/users/{olga}/reset-password",
        "/auth/profile",
        "/auth/profile/password",
    ):
        page.goto(url)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), url
    page.goto("/auth/profile", wait_until="networkidle")  # the mark of the backups has asked, too
    end_sessions(clinic, "olga")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#lock")).to_be_visible()
    axe(page)
    page.goto("/login")
    axe(page)


def test_a_page_without_the_frame_is_covered_too(screen: Screen, clinic: Make) -> None:
    page = screen("rita")
    page.goto("/today/sheet")
    end_sessions(clinic, "rita")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#lock")).to_be_visible()
    unlock(page)
    expect(page.locator("#lock")).to_be_hidden()
