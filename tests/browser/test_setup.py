"""The first page of a new clinic."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_migrate import upgrade
from playwright.sync_api import Browser, expect

from config import Config
from cpms import create_app
from cpms.core.db import db
from cpms.setup import services
from tests.server import Server


@pytest.fixture
def link(tmp_path: Path) -> Iterator[str]:
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(tmp_path)}))
    with app.app_context():
        upgrade()
        token = services.open_door()
        db.session.remove()
        db.engine.dispose()
    with Server(tmp_path) as server:
        yield f"{server.address}/setup/{token}"


def test_the_time_zone_is_that_of_the_browser_until_somebody_chooses(browser: Browser, link: str) -> None:
    page = browser.new_page(timezone_id="Europe/Istanbul", locale="en-GB")
    page.goto(link)
    zone = page.locator("#time_zone")
    expect(zone).to_have_value("Europe/Istanbul")
    zone.select_option("America/New_York")
    page.evaluate("document.querySelector('form').noValidate = true")
    page.get_by_role("button", name="Open the clinic").click()
    expect(page.locator("[aria-invalid]").first).to_be_visible()
    expect(zone).to_have_value("America/New_York")
    page.close()
