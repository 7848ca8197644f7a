"""Closed days of the clinic, and public holidays."""

from datetime import date
from typing import Any

import pytest

from cpms.auth import queries as auth
from cpms.hours import queries
from tests.make import TUESDAY, Make
from tests.pages import Person

LEAVE = {"name": "Summer leave", "first": "2026-09-03", "last": "2026-09-04"}
WEEK = "/calendar/week/2026-09-01"


def head(person: Person, day: str) -> str:
    return person.get(WEEK).page.one(f'#week-grid [data-day="{day}"] .col-head').get_text(" ", strip=True)


def test_olga_closes_the_clinic_and_the_days_say_so(olga: Person, rita: Person, last_audit: Any) -> None:
    poll = str(rita.get(WEEK).page.one("#week-grid")["hx-get"])
    answer = olga.htmx.post("/hours/closed", target="dialog", **LEAVE)
    assert answer.status_code == 200 and last_audit().action == "hours.close"
    assert "Summer leave" in head(rita, "2026-09-03") and "Summer leave" in head(rita, "2026-09-04")
    assert "Summer leave" not in head(rita, "2026-09-05")
    assert rita.htmx.get(poll, target="week-grid").status_code == 200, "open calendars hear of it"
    shut = rita.get(WEEK).page.one('#week-grid [data-day="2026-09-03"]').select(".shut")
    assert [each["class"] for each in shut] == ["shut t0800 h600"]
    day = rita.get("/calendar/day/2026-09-03").page
    assert day.one(".cal-title").get_text(" ", strip=True) == "Thu 3 Sep 2026 · Summer leave"
    assert "The clinic is closed on this day" in day.text


def test_closed_days_need_a_name(olga: Person) -> None:
    answer = olga.htmx.post("/hours/closed", target="dialog", **(LEAVE | {"name": " "}))
    assert answer.status_code == 422 and "give it a name" in answer.page.error("name")


def test_closed_days_are_the_owners(rita: Person, olga: Person) -> None:
    olga.htmx.post("/hours/closed", **LEAVE)
    assert rita.htmx.post("/hours/closed", **LEAVE).status_code == 403
    url = str(olga.get("/hours/").page.one('#hours a[href^="/hours/off/"]')["href"])
    assert rita.get(url).status_code == 403 and rita.htmx.post(f"{url}/delete", version=1).status_code == 403
    assert not rita.get("/hours/").page.has('#hours a[href^="/hours/off/"]')


def test_closing_moves_no_visit_and_undo_opens_again(olga: Person, rita: Person, make: Make) -> None:
    visit = make.visit(TUESDAY.replace(day=3))
    undo = olga.htmx.post("/hours/closed", **LEAVE).undo
    assert rita.get(WEEK).page.has(f"#e{visit.id}")
    assert "1 booked visit lies outside" in olga.htmx.get("/calendar/outside/note").page.text
    assert olga.htmx.post(undo).status_code == 200
    assert "Summer leave" not in head(rita, "2026-09-03")


def test_a_week_of_leave_is_drawn_as_high_as_any(olga: Person, rita: Person) -> None:
    olga.htmx.post("/hours/closed", **(LEAVE | {"first": "2026-08-31", "last": "2026-09-06"}))
    page = rita.get(WEEK).page
    assert len(page.all("#week-grid [data-day]")) == 6
    assert "f8 span-10" in page.one("#week-grid")["class"]


def test_without_a_country_there_are_no_public_holidays(olga: Person) -> None:
    assert "No country is chosen" in olga.get("/hours/holidays").page.text
    assert "days like any other" in olga.get("/hours/").page.text


@pytest.fixture
def berlin(olga: Person) -> None:
    assert olga.htmx.post("/hours/holidays/country", country="DE", region="BE").status_code == 200


def test_the_owner_sees_the_years_list_with_names(olga: Person, berlin: None, last_audit: Any) -> None:
    assert last_audit().action == "hours.country"
    page = olga.get("/hours/holidays?year=2026").page
    days = [line.get_text(" ", strip=True) for line in page.all("#holidays .list > li")]
    assert len(days) == 10
    assert days[0].startswith("Thu 1 Jan New Year's Day closed")
    assert days[1] == "Sun 8 Mar Women's Day closed on this weekday anyway"
    assert "2026 · Germany, Berlin" in page.text


def test_another_country_shows_its_regions_before_anything_is_saved(olga: Person, berlin: None) -> None:
    page = olga.htmx.get("/hours/holidays?country=AT&region=BE", target="holidays").page
    assert "Wien" in page.one("#region").get_text()
    assert page.value("region") == "" and "2026 · Germany, Berlin" in page.text


def test_countries_stand_in_the_order_of_the_readers_alphabet(olga: Person, make: Make) -> None:
    with make.writing():
        auth.user(olga.id or 0).language = "tr"
    names = [each.get_text() for each in olga.get("/hours/holidays").page.one("#country").select("option")]
    assert names.index("Cibuti") < names.index("Çekya") < names.index("Danimarka")
    assert names.index("Irak") < names.index("İran") < names.index("Jamaika")
    assert names.index("Özbekistan") < names.index("Pakistan")


def test_a_region_of_another_country_is_refused(olga: Person) -> None:
    olga.htmx.post("/hours/holidays/country", country="FR", region="BE")
    assert olga.get("/hours/holidays").page.one("#holidays h2").get_text(" ", strip=True).startswith("2026 · France")
    assert "France," not in olga.get("/hours/").page.text


def test_a_public_holiday_closes_the_calendar_until_the_owner_opens(olga: Person, rita: Person, berlin: None) -> None:
    url = "/calendar/week/2026-12-21"

    def christmas() -> Any:
        return rita.get(url).page.one('#week-grid [data-day="2026-12-25"]')

    assert "Christmas Day" in christmas().select_one(".col-head").get_text()
    assert len(christmas().select(".shut")) == 1
    answer = olga.htmx.post("/hours/holidays/2026-12-25/open")
    assert answer.status_code == 200 and "open on Fri 25 Dec 2026" in answer.toast
    assert "Christmas Day" not in christmas().get_text() and christmas().select(".shut") == []
    undone = olga.htmx.post(answer.undo)
    assert undone.status_code == 200 and "Christmas Day" in christmas().get_text()
    olga.htmx.post("/hours/holidays/2026-12-25/open")
    olga.htmx.post("/hours/holidays/2026-12-25/closed")
    assert "Christmas Day" in christmas().get_text()


def test_only_a_public_holiday_is_opened(olga: Person, berlin: None) -> None:
    assert olga.htmx.post("/hours/holidays/2026-12-23/open").status_code == 422
    assert olga.htmx.post("/hours/holidays/2026-02-30/open").status_code == 404


def test_the_log_names_country_and_day(olga: Person, berlin: None) -> None:
    olga.htmx.post("/hours/holidays/2026-12-25/open")
    words = olga.get("/audit/").page.text
    assert "Public holidays of: nothing → Germany" in words
    assert "opened the clinic on a public holiday · Christmas Day" in words


def test_an_opened_holiday_is_no_closed_day_to_edit(olga: Person, berlin: None, make: Make) -> None:
    olga.htmx.post("/hours/holidays/2026-12-25/open")
    with make.app.app_context():
        row = queries.open_on(date(2026, 12, 25))
        assert row is not None
        url = f"/hours/off/{row.id}"
    assert olga.htmx.get(url, target="dialog").status_code == 404
    assert olga.htmx.post(url, version=1, name="Leave", first="2026-12-25").status_code == 404
