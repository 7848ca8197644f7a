"""The shipped server and a real Chromium: `screen("rita")` is a page of somebody who is signed in.

One server runs for all tests of a process; each test begins with the furnished database, put back under the
server's hands. Its clock is the real one: `today` is the clinic's date. A page that breaks the security
policy, writes an error to the console or asks another machine for something fails its test.
"""

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect

from bench.chromium import ARGUMENTS, CHROMIUM
from config import Config
from cpms import create_app
from cpms.core import clock
from cpms.core.db import db
from tests.make import Make
from tests.server import Server, session_cookie

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "tests/vendor/axe-core-4.14.1/axe.min.js"

if CHROMIUM is None:
    if os.environ.get("CI") == "true":
        raise RuntimeError("Chromium is missing, and with CI=true no test is left out")
    collect_ignore_glob = ["test_*.py"]
    sys.__stderr__.write("LEFT OUT: tests/browser, because there is no Chromium (sudo apt install chromium)\n")

_restores = count(1)


class Screen(Protocol):
    def __call__(
        self,
        username: str | None = ...,
        *,
        width: int = ...,
        height: int = ...,
        touch: bool = ...,
        theme: str = ...,
        tolerate: tuple[str, ...] = ...,
        **options: Any,
    ) -> Page: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def live_app(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The application of the test's own hands, over the database that the server serves."""
    folder = tmp_path_factory.mktemp("live")
    shutil.copy(template_db, folder / "clinic.db")
    return create_app(Config.from_env({"CPMS_INSTANCE": str(folder)}), TESTING=False)


@pytest.fixture(scope="session")
def running(live_app: Flask) -> Iterator[Server]:
    """The shipped server; a test that stops it starts it again."""
    with Server(Path(live_app.config["CPMS_INSTANCE"])) as server:
        yield server


@pytest.fixture(scope="session")
def server(running: Server) -> str:
    """The address of the shipped server."""
    return running.address


@pytest.fixture
def clinic(server: str, live_app: Flask, template_db: Path) -> Make:
    """Makes records in the clinic that the server serves, which is empty but for its furniture."""
    live = Path(live_app.config["CPMS_INSTANCE"]) / "clinic.db"
    with live_app.app_context():
        db.engine.dispose()
    source, target = sqlite3.connect(template_db), sqlite3.connect(live, timeout=30)
    source.backup(target)  # page by page through the lock, so that the server's connections see a whole database
    # A number that no earlier test had: the server may still hold what it drew for that one.
    target.execute("UPDATE calendar_revision SET number = number + ?", (1_000_000 * next(_restores),))
    target.commit()
    source.close()
    target.close()
    return Make(live_app)


@pytest.fixture
def today(clinic: Make) -> date:
    """The clinic's date."""
    with clinic.app.app_context():
        return clock.today()


@pytest.fixture
def monday(today: date) -> date:
    """Next week's Monday: all of that week is still to come."""
    return today + timedelta(days=7 - today.weekday())


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    expect.set_options(timeout=15_000)  # a busy machine takes its time; what is there is seen at once
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, "--font-render-hinting=none"])
    yield chromium
    chromium.close()


@pytest.fixture
def screen(browser: Browser, server: str, clinic: Make) -> Iterator[Screen]:
    """A browser of its own for somebody, signed in (None: not). Addresses are relative: `page.goto("/")`.

    `tolerate`: parts of the console's messages that the test itself provokes. Pages have no worker that keeps the day's
    sheet on the device, unless the test says `service_workers="allow"`.
    """
    contexts, problems = [], []

    def at(
        username: str | None = "rita",
        *,
        width: int = 1280,
        height: int = 800,
        touch: bool = False,
        theme: str = "light",
        tolerate: tuple[str, ...] = (),
        **options: Any,
    ) -> Page:
        context = browser.new_context(
            base_url=server,
            viewport={"width": width, "height": height},
            has_touch=touch,
            is_mobile=touch,
            color_scheme=theme,
            locale="en-GB",
            **{"service_workers": "block"} | options,
        )
        contexts.append(context)
        context.set_default_timeout(15_000)
        if username is not None:
            name, value = clinic.app.config["SESSION_COOKIE_NAME"], session_cookie(clinic.app, username)
            context.add_cookies([{"name": name, "value": value, "url": server}])
        context.add_init_script(
            "document.addEventListener('securitypolicyviolation', (event) =>"
            " console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));"
        )
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text) if _is_bad(message, tolerate) else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "request",
            lambda request: problems.append(request.url) if not request.url.startswith((server, "blob:")) else None,
        )
        return page

    yield at
    for context in contexts:
        context.close()
    assert not problems, problems


def _is_bad(message: ConsoleMessage, tolerate: tuple[str, ...]) -> bool:
    # Chromium reports a 4xx that the page asked for (a refused move, a bad form) as an error of the console.
    known = ("status of 4", "registration blocked by Playwright", *tolerate)
    return message.type in {"error", "warning"} and not any(words in message.text for words in known)


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Fails on anything that axe-core finds on the page, and in dark on its colours, which alone are others there."""

    def check(page: Page) -> None:
        page.evaluate(AXE.read_text())  # through the debugger, which the page's policy does not bind
        for theme, rules in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            options = {"resultTypes": ["violations"], **rules}
            found = page.evaluate("async (options) => (await axe.run(options)).violations", options)
            lines = [
                f"{theme}: {each['id']}: {each['help']}: {node['target']} {node['failureSummary']}"
                for each in found
                for node in each["nodes"][:3]
            ]
            assert not found, "\n".join(lines)

    return check
