"""What a device keeps: the frame's files, and today's list until the session, the person or the day is over."""

from datetime import datetime, time
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Screen
from tests.browser.test_auth_lock import unlock
from tests.make import Make
from tests.server import Server

GONE = ("net::ERR_", "htmx:error")
KEPT = """async () => {
    const found = {};
    for (const name of await caches.keys()) {
        const requests = await (await caches.open(name)).keys();
        found[name.split("-")[0]] = requests.map((request) => new URL(request.url).pathname);
    }
    return found;
}"""
HAS_LIST = "async () => Boolean(await caches.match('/today/sheet', {cacheName: 'day'}))"


def until(page: Page, question: str, answer: Any) -> None:
    """Ask the page again and again: what a worker does no page waits for."""
    for _each in range(100):
        if page.evaluate(question) == answer:
            return
        page.wait_for_timeout(100)
    assert page.evaluate(question) == answer


def test_today_s_list_is_read_without_the_server_and_nothing_else_is_kept(
    screen: Screen, clinic: Make, running: Server, today: Any
) -> None:
    clinic.visit(datetime.combine(today, time(10)), patient=clinic.patient(first_name="Mia", last_name="Berg"))
    page = screen("rita", tolerate=GONE, service_workers="allow")
    page.goto("/today/")
    until(page, HAS_LIST, True)
    page.goto("/patients/")
    found = page.evaluate(KEPT)
    assert found.keys() == {"shell", "day"} and found["day"] == ["/today/sheet"]
    assert all(path.startswith("/static/") or path == "/offline" for path in found["shell"])
    page.goto("/today/sheet")
    expect(page.locator("main")).to_contain_text("Mia Berg")
    expect(page.locator(".when-kept")).to_be_hidden()

    running.stop()
    try:
        page.goto("/patients/")
        expect(page.locator("h1")).to_have_text("No connection to the clinic's server")
        page.get_by_role("link", name="Today's list").click()
        expect(page.locator("main")).to_contain_text("Mia Berg")
        expect(page.locator(".when-kept")).to_contain_text("not the present state")
        # The day has passed.
        page.evaluate("""async () => {
            const box = await caches.open("day"), copy = await box.match("/today/sheet");
            const headers = new Headers(copy.headers);
            headers.set("X-Sheet-Until", "1");
            await box.put("/today/sheet", new Response(await copy.text(), {headers}));
        }""")
        page.goto("/today/sheet")
        expect(page.locator("h1")).to_have_text("No connection to the clinic's server")
        expect(page.get_by_role("link", name="Today's list")).to_be_hidden()
        assert "day" not in page.evaluate(KEPT)
    finally:
        running.start()
    page.get_by_role("link", name="Try again").click()
    expect(page.locator(".when-kept")).to_be_hidden()
    expect(page.locator("main")).to_contain_text("Mia Berg")


def test_it_goes_with_a_locked_screen_and_all_goes_at_signing_out(screen: Screen, clinic: Make) -> None:
    page = screen("rita", service_workers="allow", tolerate=("Clear-Site-Data",))
    page.goto("/today/")
    until(page, HAS_LIST, True)
    page.get_by_role("button", name="Menu of Rita Desk").click()
    page.get_by_role("button", name="Lock this screen").click()
    expect(page.locator("#lock")).to_be_visible()
    until(page, HAS_LIST, False)
    page.locator("#lock").get_by_label("User name").fill("hugo")
    unlock(page)
    page.get_by_role("button", name="Menu of Hugo Clean").click()
    until(page, HAS_LIST, True)
    assert page.evaluate("caches.match('/today/sheet').then((copy) => copy.headers.get('X-Sheet-For'))") == str(
        clinic.user("hugo").id
    )
    page.get_by_role("button", name="Sign out, switch user").click()
    page.wait_for_url("**/login")
    until(page, KEPT, {})
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0


def test_without_a_safe_connection_nothing_is_kept_and_nothing_is_said(screen: Screen, clinic: Make) -> None:
    page = screen("rita")
    page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'serviceWorker', {get: () => undefined});"
        "Object.defineProperty(globalThis, 'caches', {get: () => undefined});"
    )
    page.goto("/today/")
    expect(page.locator("#today-board")).to_be_visible()
    page.goto("/login")  # and the day opens again
    expect(page.locator("#today-board")).to_be_visible()


def test_a_page_that_was_reloaded_by_force_tells_the_worker_too(screen: Screen, clinic: Make) -> None:
    page = screen("rita", service_workers="allow")
    page.goto("/today/")
    until(page, HAS_LIST, True)
    # Only the worker can forget here: what it has under way no page can stop.
    page.add_init_script("Object.defineProperty(globalThis, 'caches', {get: () => undefined})")
    page.context.new_cdp_session(page).send("Page.reload", {"ignoreCache": True})
    page.wait_for_function("navigator.serviceWorker?.controller === null && document.body?.dataset.keepsFor")
    other = page.context.new_page()
    other.goto("/auth/profile")
    until(other, HAS_LIST, True)
    page.get_by_role("button", name="Menu of Rita Desk").click()
    page.get_by_role("button", name="Lock this screen").click()
    expect(page.locator("#lock")).to_be_visible()
    until(other, HAS_LIST, False)


def test_the_page_without_a_server_speaks_as_who_reads_here_now(screen: Screen, clinic: Make, running: Server) -> None:
    page = screen("rita", tolerate=GONE, service_workers="allow")
    page.goto("/today/")
    until(page, HAS_LIST, True)
    page.goto("/auth/profile")
    page.get_by_role("button", name="Türkçe").click()
    expect(page.locator("html")).to_have_attribute("lang", "tr")
    until(page, "caches.match('/offline').then((copy) => copy?.headers.get('Content-Language'))", "tr")
    running.stop()
    try:
        page.goto("/patients/")
        expect(page.locator("html")).to_have_attribute("lang", "tr")
        expect(page.locator("h1")).not_to_contain_text("No connection")
    finally:
        running.start()
