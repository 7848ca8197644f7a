"""The help sheet of keys tells no lie: each key that it names is listened to, and each that a page carries is named."""

import re

from config import ROOT
from cpms.web.keys import GROUPS, LINK, said
from tests.pages import Person

SCRIPTS = ROOT / "cpms/static/js"
ALL = [key for _title, _needs, keys in GROUPS for key in keys]


def links(person: Person) -> set[str]:
    pages = [person.get(f"/calendar/{view}/2026-09-01").page for view in ("week", "day", "month", "list")]
    return {each["data-key"] for page in pages for each in page.all("[data-key]")}


def test_every_key_of_the_sheet_is_listened_to(rita: Person) -> None:
    there = links(rita)
    for key in ALL:
        for name in key.keys:
            if key.by == LINK:
                assert name in there, name
            elif not (key.by == "calendar.js" and name == "Enter"):  # of a link or a button, which the browser presses
                pressed = re.escape(name.split("+")[-1])
                assert re.search(rf'"{pressed}"|\b{pressed}:', (SCRIPTS / key.by).read_text()), key


def test_every_key_that_a_page_carries_is_on_the_sheet(rita: Person) -> None:
    assert links(rita) == {name for key in ALL if key.by == LINK for name in key.keys}
    templates = (ROOT / "cpms/templates").rglob("*.html")
    written = {key for path in templates for key in re.findall(r'data[-_]key="([^"{]+)"', path.read_text())}
    assert written <= links(rita)


def test_the_sheet_shows_them_and_is_a_page_too(rita: Person) -> None:
    for answer in (rita.get("/keys"), rita.htmx.get("/keys", target="dialog")):
        text = answer.page.text
        for key in ALL:
            assert str(key.what) in text
            assert all(said(name) in text for name in key.keys)
    assert rita.get("/keys").page.one("#user-menu [data-keys]")["href"] == "/keys"


def test_the_viewer_s_own_list_is_named_to_those_who_see_pictures(ada: Person, rita: Person) -> None:
    assert "An open X-ray has keys of its own" in ada.get("/keys").page.text
    assert "An open X-ray has keys of its own" not in rita.get("/keys").page.text
