"""Goals 9 to 11: Chromium slowed down six times, as slow as a cheap tablet. Left out where there is none."""

import http.cookies
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import beside, data
from bench.chromium import ARGUMENTS, CHROMIUM, SLOWER, WINDOW
from bench.desk import cookie
from bench.run import Run
from bench.served import serving
from bench.table import Line, ratio
from config import Config
from cpms import create_app

# Painted: the frame after the one in which the new grid stands in the document.
NEXT = """() => new Promise((done) => {
  const start = performance.now(), old = document.querySelector("#week-grid").getAttribute("aria-label");
  const look = () => {
    const grid = document.querySelector("#week-grid");
    if (grid && grid.getAttribute("aria-label") !== old)
      requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  document.querySelector("#cal-next").click();
})"""
BARE = """(url) => new Promise((done) => {
  const start = performance.now();
  fetch(url, { headers: { "HX-Request": "true", "HX-Target": "section#calendar" } })
    .then((answer) => answer.text())
    .then((html) => {
      document.querySelector("#main").innerHTML = html;
      requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
    });
})"""
FRAMES = """() => {
  window.frames_seen = [];
  let last = performance.now();
  const tick = (now) => { window.frames_seen.push(now - last); last = now; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}"""


def figures(run: Run) -> list[Line]:
    if CHROMIUM is None:
        print("LEFT OUT: the browser's figures, because there is no Chromium", file=sys.stderr)
        return []
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only this theme needs it

    clinic = run.fresh("browser")
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(clinic.folder)}))
    morsel = next(iter(http.cookies.SimpleCookie(cookie(app, "rita", at=datetime.now(UTC))).values()))
    monday = data.AS_OF - timedelta(days=data.AS_OF.weekday())
    rounds = 5 if run.quick else 12
    ours, bare = [], []
    with serving(clinic) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        address = f"http://127.0.0.1:{server.port}"
        context = browser.new_context(base_url=address, **WINDOW)
        context.add_cookies([{"name": morsel.key, "value": morsel.value, "url": address}])
        beside_theirs = beside.figures(context, clinic, rounds)
        page = context.new_page()
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        page.set_default_timeout(60_000)
        before = monday - timedelta(days=7)
        for number in range(-1, rounds):
            page.goto(f"/calendar/week/{before}", wait_until="networkidle")
            page.wait_for_selector("#cal-next[data-htmx-powered]")  # before, it would be a plain link
            mine = page.evaluate(NEXT)
            page.goto(f"/calendar/week/{before}", wait_until="networkidle")
            theirs = page.evaluate(BARE, f"/calendar/week/{monday}")
            if number >= 0:
                ours.append(mine)
                bare.append(theirs)
        worst = _worst_frame_of_a_drag(page)
        browser.close()
    return [
        ratio("10", f"next week until painted, CPU {SLOWER} times slower / fetch + innerHTML", ours, bare, 1.3),
        *beside_theirs,
        Line("11", "worst frame of a drag", worst, "ms", 150),
    ]


def _worst_frame_of_a_drag(page: Any) -> float:
    """Drags the first card that may move over a day of the grid, in steps as a hand makes them."""
    sunday = data.AS_OF + timedelta(days=6 - data.AS_OF.weekday())
    page.goto(f"/calendar/week/{sunday}", wait_until="networkidle")
    box = page.locator("#week-grid .ev:not([data-fixed])").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 6
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 2, y + 6)
    page.evaluate(FRAMES)
    for step in range(40):
        page.mouse.move(x + 2 * step, y + 6 + 3 * step)
    worst = max(page.evaluate("() => window.frames_seen"))
    page.keyboard.press("Escape")
    page.mouse.up()
    return float(worst)
