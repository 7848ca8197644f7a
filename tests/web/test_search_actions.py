"""The search field of every page: patients first, then what can be done and where it leads."""

import pytest

from tests.make import Make
from tests.pages import Person


def offered(person: Person, typed: str) -> list[str]:
    answer = person.htmx.get("/patients/find", target="search-results", q=typed)
    return [each.get_text(" ", strip=True) for each in answer.page.all('#search-results [role="option"]')]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("tomorrow", "Go to 2 September 2026"),
        ("go to 3 December", "Go to 3 December 2026"),
        ("Go to 3.12.", "Go to 3 December 2026"),
        ("Dec 3", "Go to 3 December 2026"),
        ("new pat", "New patient"),
        ("new app", "New appointment"),
        ("calen", "Calendar"),
        ("keys", "Keys"),
        ("trash", "Trash"),
    ],
)
def test_a_word_leads_somewhere(rita: Person, typed: str, first: str) -> None:
    assert offered(rita, typed)[0] == first


def test_patients_come_first_and_nothing_is_offered_twice(rita: Person, make: Make) -> None:
    make.patient(first_name="Max", last_name="Newman")
    lines = offered(rita, "new")
    assert lines[0].startswith("Max Newman")
    assert lines[1:] == ["New patient", "New appointment"]


def test_a_sheet_opens_over_the_page_and_a_place_is_gone_to(rita: Person) -> None:
    page = rita.htmx.get("/patients/find", target="search-results", q="new patient").page
    assert page.one('a[href="/patients/new"]')["hx-target"] == "#dialog"
    page = rita.htmx.get("/patients/find", target="search-results", q="calendar").page
    assert "hx-get" not in page.one('a[href="/calendar/"]').attrs


def test_only_what_a_person_may_open_is_offered(olga: Person, ada: Person, rita: Person) -> None:
    assert "Backups" in offered(olga, "backups")
    assert "Backups" not in offered(rita, "backups")
    assert "X-rays" in offered(ada, "x-rays")
    assert "X-rays" not in offered(rita, "x-rays")


def test_one_letter_is_the_beginning_of_too_much(rita: Person) -> None:
    assert "Settings" not in offered(rita, "s")


def test_the_settings_page_lists_what_the_search_finds(olga: Person) -> None:
    for link in olga.get("/settings/").page.all("main a.row-link"):
        assert link.get_text(strip=True) in offered(olga, link.get_text(strip=True))
