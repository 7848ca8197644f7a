"""Pictures come into a chart by dropping them, and into a mount by finger or mouse."""

import base64
from pathlib import Path

from playwright.sync_api import Locator, Page, Route, expect

from cpms.backups import restore
from cpms.core.files import in_turn
from cpms.xrays.models import XrayKind
from tests.browser.conftest import Screen
from tests.make import Make
from tests.pictures import png

DROP = """([selector, files]) => {
  const transfer = new DataTransfer();
  for (const [name, content] of files) {
    transfer.items.add(new File([Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0))], name));
  }
  const place = document.querySelector(selector);
  for (const type of ["dragover", "drop"]) {
    place.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer }));
  }
}"""


def drop(page: Page, **files: bytes) -> None:
    content = [[name, base64.b64encode(data).decode()] for name, data in files.items()]
    page.evaluate(DROP, ["#xrays", content])


def store(page: Page) -> None:
    page.get_by_role("button", name="Store").click()


def lines(page: Page) -> Locator:
    return page.locator("#xray-upload li.uploaded")


def test_dropped_files_are_stored_one_by_one_and_appear(screen: Screen, clinic: Make) -> None:
    patient = clinic.patient()
    page = screen("ada")
    page.goto(f"/xrays/of/{patient.id}")
    drop(page, one=png(shade=1), two=b"Dear colleague, no picture at all", three=png(shade=3))
    expect(page.get_by_role("button", name="Store")).to_be_focused()  # two steps: drop, and Enter
    page.keyboard.press("Enter")
    expect(lines(page)).to_have_count(3)
    expect(lines(page).nth(0)).to_contain_text("stored")
    expect(lines(page).nth(1)).to_contain_text("two is not a picture that is taken here")
    expect(page.locator(".film")).to_have_count(2)
    drop(page, again=png(shade=1))
    store(page)
    expect(lines(page).last).to_contain_text("in this chart already")
    page.reload()  # asks nothing: all of it is stored
    expect(page.locator(".film")).to_have_count(2)


def test_a_connection_that_breaks_keeps_nothing_and_says_so(screen: Screen, clinic: Make) -> None:
    patient = clinic.patient()
    page = screen("ada", tolerate=("net::ERR",))
    page.goto(f"/xrays/of/{patient.id}")
    broken = 0

    def break_once(route: Route) -> None:
        nonlocal broken
        if route.request.method == "POST" and not broken:
            broken += 1
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route(f"**/xrays/of/{patient.id}", break_once)
    drop(page, one=png(shade=1), two=png(shade=2))
    store(page)
    expect(page.locator("#xray-upload [data-uploads] .problem")).to_have_text(
        "The connection broke; nothing of this file was kept. Please try again."
    )
    expect(page.locator(".film")).to_have_count(1)
    page.get_by_role("button", name="Try again").click()  # the file is still in the list
    expect(page.locator(".film")).to_have_count(2)
    expect(page.locator("#xray-upload [data-uploads] .problem")).to_have_count(0)


def test_a_file_that_comes_at_a_bad_moment_is_sent_again(screen: Screen, clinic: Make) -> None:
    patient, instance = clinic.patient(), Path(clinic.app.config["CPMS_INSTANCE"])
    page = screen("ada", tolerate=("503",))
    page.goto(f"/xrays/of/{patient.id}")
    drop(page, one=png(shade=1))
    restore.folder(instance).mkdir(exist_ok=True)
    with in_turn(restore.hold(instance)):
        store(page)
        expect(lines(page)).to_contain_text("A backup is being put back. Nothing can be saved until that is over")
    page.get_by_role("button", name="Try again").click()
    expect(lines(page)).to_contain_text("stored")
    expect(page.locator(".film")).to_have_count(1)


def test_a_file_over_the_limit_is_not_even_sent(screen: Screen, clinic: Make) -> None:
    patient = clinic.patient()
    page = screen("ada")
    page.goto(f"/xrays/of/{patient.id}")
    page.eval_on_selector("#xray-upload", "(form) => { form.dataset.most = 10; }")
    drop(page, large=png())
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    store(page)
    expect(page.locator("#xray-upload .problem")).to_contain_text("larger than 25 MB")
    assert "POST" not in sent


def mounted(clinic: Make, page: Page) -> None:
    patient = clinic.patient()
    for shade in (1, 2):
        clinic.xray(patient, png(shade=shade), kind=XrayKind.BITEWING)
    page.goto(f"/xrays/of/{patient.id}/mounts")
    page.get_by_role("button", name="Four bitewings").click()
    expect(page.locator(".tray [data-pick]")).to_have_count(2)


def test_a_picture_is_placed_by_two_taps_and_turned(screen: Screen, clinic: Make) -> None:
    page = screen("ada", width=390, height=844, touch=True)
    mounted(clinic, page)
    page.locator(".tray [data-pick]").first.tap()
    page.locator(".cell-b2 [data-pick]").tap()
    expect(page.locator(".cell-b2.taken")).to_have_count(1)
    page.locator(".cell-b2 [data-pick]").tap()
    page.get_by_role("button", name="Turn").tap()
    expect(page.locator(".cell-b2 img.turn-90")).to_have_count(1)
    page.get_by_role("button", name="Take out").tap()  # what was turned is still in hand
    expect(page.locator(".tray [data-pick]")).to_have_count(2)
    expect(page.locator(".toast")).to_have_count(1)  # the newest step's
    page.locator(".toast").get_by_role("button", name="Undo").tap()
    expect(page.locator(".cell-b2 img.turn-90")).to_have_count(1)


def test_a_picture_is_dragged_to_its_place_and_to_another(screen: Screen, clinic: Make) -> None:
    page = screen("ada")
    mounted(clinic, page)
    drag(page, page.locator(".tray [data-pick]").first, page.locator(".cell-b1"))
    expect(page.locator(".cell-b1.taken")).to_have_count(1)
    drag(page, page.locator(".cell-b1 [data-pick]"), page.locator(".cell-b4"))
    expect(page.locator(".cell-b4.taken")).to_have_count(1)
    expect(page.locator(".cell-b1.taken")).to_have_count(0)


def test_a_mount_is_worked_by_keys(screen: Screen, clinic: Make) -> None:
    page = screen("ada")
    mounted(clinic, page)
    page.locator(".tray [data-pick]").first.press("Enter")
    page.locator(".cell-b3 [data-pick]").press("Enter")
    expect(page.locator(".cell-b3.taken")).to_have_count(1)
    expect(page.locator(".cell-b3 [data-pick]")).to_be_focused()
    page.keyboard.press("Enter")
    turn = page.get_by_role("button", name="Turn")
    for degrees in (90, 180):
        turn.press("Enter")
        expect(page.locator(f".cell-b3 img.turn-{degrees}")).to_have_count(1)
        expect(turn).to_be_focused()
    page.get_by_role("button", name="Take out").press("Enter")
    expect(page.locator(".cell-b3.taken")).to_have_count(0)
    expect(page.locator(".cell-b3 [data-pick]")).to_be_focused()


def test_a_finger_drags_and_the_next_tap_is_a_tap(screen: Screen, clinic: Make) -> None:
    page = screen("ada", width=820, height=1180, touch=True)
    mounted(clinic, page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    first = page.locator(".tray [data-pick]").first
    swipe(page, first, page.locator("h1"))  # to where nothing lies
    expect(page.locator("[data-pick][aria-pressed=true]")).to_have_count(0)
    first.tap()
    expect(first).to_have_attribute("aria-pressed", "true")
    first.tap()
    expect(first).to_have_attribute("aria-pressed", "false")
    swipe(page, first, page.locator(".cell-b1"))
    expect(page.locator(".cell-b1.taken")).to_have_count(1)
    expect(page.locator("[data-pick][aria-pressed=true]")).to_have_count(0)
    swipe(page, page.locator(".cell-b1 [data-pick]"), page.locator(".cell-b4"))
    expect(page.locator(".cell-b4.taken")).to_have_count(1)
    expect(page.locator("[data-pick][aria-pressed=true]")).to_have_count(0)
    assert len(sent) == 2, sent


def swipe(page: Page, what: Locator, to: Locator) -> None:
    """A finger, as the device reports it: no mouse comes along."""
    start, end = what.bounding_box(), to.bounding_box()
    assert start and end
    x, y = start["x"] + start["width"] / 2, start["y"] + start["height"] / 2
    dx, dy = end["x"] + end["width"] / 2 - x, end["y"] + end["height"] / 2 - y
    device = page.context.new_cdp_session(page)
    places = [(x, y), (x, y + dy / 4), *((x + dx * step / 4, y + dy * step / 4) for step in (2, 3, 4, 4, 4, 4))]
    for number, (at_x, at_y) in enumerate(places):
        kind = "touchMove" if number else "touchStart"
        device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": at_x, "y": at_y}]})
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    device.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def drag(page: Page, what: Locator, to: Locator) -> None:
    start, end = what.bounding_box(), to.bounding_box()
    assert start and end
    page.mouse.move(start["x"] + 20, start["y"] + 20)
    page.mouse.down()
    page.mouse.move(start["x"] + 40, start["y"] + 40)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=5)
    page.mouse.up()
