"""The week and the day on the screen."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cpms.calendar.models import Event, Kind, Status
from cpms.calendar.views import charts
from cpms.core import clock
from cpms.core.db import db
from tests.conftest import NOW
from tests.make import TUESDAY, Make
from tests.pages import Page, Person

WEEK = "/calendar/week/2026-09-01"


def cards(person: Person, url: str = WEEK) -> list[str]:
    return [card.get_text(" ", strip=True) for card in person.get(url).page.all("#week-grid .ev")]


def fill_week(make: Make, days: int = 5, a_day: int = 6) -> int:
    patient = make.patient()
    monday = TUESDAY - timedelta(days=1)
    for day in range(days):
        for slot in range(a_day):
            make.visit(monday + timedelta(days=day, minutes=30 * slot), patient=patient)
    return days * a_day


def test_the_calendar_opens_at_this_week_and_on_a_telephone_at_today(rita: Person) -> None:
    assert rita.get("/calendar/").headers["Location"] == "/calendar/week/2026-09-01"
    phone = rita.client.get("/calendar/", headers={"User-Agent": "Mozilla/5.0 (Linux; Android) Mobile Mobi"})
    assert phone.headers["Location"] == "/calendar/day/2026-09-01"


def test_every_visit_of_the_week_is_there_with_the_last_name_first(rita: Person, make: Make) -> None:
    count = fill_week(make)
    shown = cards(rita)
    assert len(shown) == count
    assert all(words.startswith("Yıldız1") for words in shown)


def test_cancelled_and_missed_ones_are_shown_only_when_asked_for(rita: Person, make: Make) -> None:
    make.visit(status=Status.CANCELLED)
    make.visit(TUESDAY + timedelta(hours=1), status=Status.NO_SHOW)
    make.visit(TUESDAY + timedelta(hours=2))
    assert len(cards(rita)) == 1
    assert len(cards(rita, WEEK + "?cancelled=1")) == 3


def test_the_filters_are_in_the_address(rita: Person, make: Make) -> None:
    make.visit()
    make.visit(chair="Chair 2", provider="hugo")
    hugo = make.user("hugo").id
    page = rita.get(f"{WEEK}?provider={hugo}").page
    assert len(page.all("#week-grid .ev")) == 1
    assert f"provider={hugo}" in str(page.one("#week-grid")["hx-get"])


def test_a_day_has_one_column_for_each_chair(rita: Person, make: Make) -> None:
    make.visit(chair="Chair 2", provider="hugo")
    page = rita.get("/calendar/day/2026-09-01").page
    assert len(page.all("#week-grid [data-chair]")) == 2
    column = page.one(f'#week-grid [data-chair="{make.chair("Chair 2").id}"][data-day]')
    assert len(column.select(".ev")) == 1


def test_the_closed_sunday_is_left_out_unless_somebody_comes(rita: Person, make: Make) -> None:
    assert len(rita.get(WEEK).page.all("#week-grid [data-day]")) == 6
    make.visit(TUESDAY.replace(day=6))
    assert len(rita.get(WEEK).page.all("#week-grid [data-day]")) == 7


def test_an_early_visit_widens_the_grid(rita: Person, make: Make) -> None:
    make.visit(TUESDAY.replace(hour=6, minute=30))
    assert "f6" in rita.get(WEEK).page.one("#week-grid").classes


def test_a_poll_with_the_newest_revision_gets_nothing(rita: Person, make: Make) -> None:
    make.visit()
    poll = str(rita.get(WEEK).page.one("#week-grid")["hx-get"])
    assert rita.htmx.get(poll, target="week-grid").status_code == 204
    make.visit(TUESDAY + timedelta(hours=1))
    news = rita.htmx.get(poll, target="week-grid")
    assert news.status_code == 200 and len(news.page.all(".ev")) == 2


def test_a_changed_name_is_news_for_open_calendars(rita: Person, make: Make) -> None:
    from cpms.core.db import transaction
    from cpms.patients import queries

    visit = make.visit()
    poll = str(rita.get(WEEK).page.one("#week-grid")["hx-get"])
    with make.app.app_context(), transaction("patient.update", actor=None):
        queries.patient(visit.patient_id).alert_text = "Latex"
    news = rita.htmx.get(poll, target="week-grid")
    assert news.status_code == 200 and "Latex" not in news.page.text, "the mark says that there is one, not which"
    assert news.page.has(f"#e{visit.id} i") or "alert" in news.html


def test_a_day_that_does_not_exist_is_a_404(rita: Person) -> None:
    for address in ("/calendar/week/2026-02-30", "/calendar/day/tomorrow", "/calendar/week/9999-01-01"):
        assert rita.get(address).status_code == 404


def test_the_calendar_has_a_first_and_a_last_day(rita: Person) -> None:
    for view in ("day", "week"):
        for day, edge in (("1950-01-01", "#cal-previous"), ("2149-12-31", "#cal-next")):
            page = rita.get(f"/calendar/{view}/{day}").page
            assert page.one(edge)["href"] == f"/calendar/{view}/{day}"
        assert rita.get(f"/calendar/{view}/2150-01-01").status_code == 404


def test_over_midnight_another_day_is_today(rita: Person, sign_in: Callable[[str], Person]) -> None:
    poll = str(rita.get(WEEK).page.one("#week-grid")["hx-get"])
    assert rita.htmx.get(poll, target="week-grid").status_code == 204
    with clock.freeze(datetime(2026, 9, 2, 7, 0, tzinfo=UTC)):
        news = sign_in("rita").htmx.get(poll, target="week-grid")
    assert news.status_code == 200
    assert news.page.one(".col.today")["data-day"] == "2026-09-02"
    assert poll.endswith(f"rev={news.page.one('#week-grid')['data-rev']}"), "the page tells its late answers by it"


def test_blocks_and_visits_look_different(rita: Person, make: Make) -> None:
    make.block()
    card = rita.get(WEEK).page.one("#week-grid .ev")
    assert "block" in card.classes and card.get_text(" ", strip=True).startswith("Lunch")
    assert Kind.BLOCK == "block"


def test_a_week_costs_the_same_statements_with_thirty_and_with_three_hundred_visits(
    rita: Person, make: Make, statements: list[str]
) -> None:
    fill_week(make, days=5, a_day=6)
    rita.get(WEEK)
    statements.clear()
    rita.get(WEEK)
    few = len(statements)
    for day in range(5):
        for slot in range(12, 20):
            for chair, provider in (("Chair 1", "ada"), ("Chair 2", "hugo")):
                start = TUESDAY - timedelta(days=1) + timedelta(days=day, minutes=30 * slot - 150)
                make.visit(start, chair=chair, provider=provider, overbook_reason="full")
    statements.clear()
    rita.get(WEEK)
    assert len(statements) == few
    statements.clear()
    rita.htmx.get(WEEK, target="week-grid")
    assert len(statements) <= 6


def test_a_poll_costs_three_statements(rita: Person, statements: list[str]) -> None:
    poll = str(rita.get(WEEK).page.one("#week-grid")["hx-get"])
    statements.clear()
    assert rita.htmx.get(poll, target="week-grid").status_code == 204
    assert len(statements) <= 3, statements


def test_the_patient_s_visits_are_listed_past_and_coming(rita: Person, make: Make) -> None:
    patient = make.patient()
    make.visit(TUESDAY - timedelta(days=30), patient=patient, status=Status.COMPLETED)
    make.visit(TUESDAY + timedelta(days=30), patient=patient)
    page = rita.htmx.get(f"/calendar/patients/{patient.id}/visits-panel").page
    words = page.text
    assert words.index("To come") < words.index("Thu 1 Oct") < words.index("Past") < words.index("Sun 2 Aug")


def lines_of(page: Page, heading: str) -> list[str]:
    """The addresses of the visits under a heading of the panel."""
    [title] = [each for each in page.all("#visits-panel h3") if each.get_text() == heading]
    return [link["href"] for link in title.after("ul").select("li > a")]


def test_of_many_visits_the_nearest_are_shown(rita: Person, make: Make) -> None:
    patient = make.patient()
    coming = [make.visit(TUESDAY + timedelta(days=7 * n), patient=patient).id for n in range(1, 15)]
    past = [make.visit(TUESDAY - timedelta(days=7 * n), patient=patient).id for n in range(1, 9)]
    page = rita.htmx.get(f"/calendar/patients/{patient.id}/visits-panel").page
    assert lines_of(page, "To come") == [f"/calendar/events/{each}" for each in coming[:6]]
    assert lines_of(page, "Past") == [f"/calendar/events/{each}" for each in past[:6]]
    assert page.has(f'a[href="/calendar/patients/{patient.id}/visits"]')


def test_the_tab_keeps_its_length_when_it_asks_again(rita: Person, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = make.patient()
    for n in range(1, 10):
        make.visit(TUESDAY + timedelta(days=7 * n), patient=patient)
    tab = rita.get(f"/calendar/patients/{patient.id}/visits").page
    again = rita.htmx.get(str(tab.one("#visits-panel")["hx-get"])).page
    assert len(lines_of(tab, "To come")) == len(lines_of(again, "To come")) == 9
    assert again.one("#visits-panel")["hx-get"] == tab.one("#visits-panel")["hx-get"]
    monkeypatch.setattr(charts, "ON_THE_TAB", 7)
    short = rita.get(f"/calendar/patients/{patient.id}/visits").page.one("#visits-panel")
    assert "not shown here: 2" in short.get_text()
    assert not short.select(f'a[href="/calendar/patients/{patient.id}/visits"]'), "no link leads to itself"


def test_the_next_visit_stands_in_the_head_of_a_chart(rita: Person, make: Make) -> None:
    visit = make.visit()
    badge: Any = rita.htmx.get(f"/calendar/patients/{visit.patient_id}/next").page
    assert "Tue 1 Sep, 10:00" in badge.text


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.ARRIVED, "In the waiting room, since 12 min"),
        (Status.IN_CHAIR, "In the chair, since 12 min"),
        (Status.CONFIRMED, "Booked today at 08:00, not here yet"),
        (Status.COMPLETED, "Next visit: Wed 2 Sep, 10:00"),
        (Status.NO_SHOW, "Next visit: Wed 2 Sep, 10:00"),
    ],
)
def test_who_is_here_is_said_before_the_next_visit(rita: Person, make: Make, status: Status, words: str) -> None:
    patient = make.patient()
    make.visit(TUESDAY + timedelta(days=1), patient=patient)
    make.visit(TUESDAY - timedelta(days=1), patient=patient, status=Status.ARRIVED)  # forgotten yesterday
    visit = make.visit(TUESDAY - timedelta(hours=2), patient=patient)
    with make.writing():
        row = db.session.get(Event, visit.id)
        row.status, row.status_changed_at = status, NOW - timedelta(minutes=12)
    badge: Any = rita.htmx.get(f"/calendar/patients/{patient.id}/next").page
    assert badge.text == words


@pytest.mark.parametrize(
    ("screen", "proposed"),
    [
        ("/calendar/day/2026-09-03", ("2026-09-03", "08:00")),
        ("/calendar/day/2026-09-05", ("2026-09-05", "09:00")),  # Saturday opens later
        ("/calendar/day/2026-09-06", ("2026-09-06", "08:00")),  # closed, and still the day that is looked at
        ("/calendar/day/2026-09-01", ("2026-09-01", "09:15")),  # today: not in the past
        ("/calendar/week/2026-09-03", ("2026-09-01", "09:15")),
        ("/calendar/week/2026-09-17", ("2026-09-14", "08:00")),
        ("/calendar/week/2026-08-09", ("2026-08-03", "08:00")),
    ],
)
def test_a_new_appointment_is_on_the_day_that_is_shown(rita: Person, screen: str, proposed: tuple[str, str]) -> None:
    page = rita.get(screen).page
    button = str(page.one("#cal-new")["href"])
    assert button == page.one("#week-grid")["data-new"], "a tap and the key `n` ask the same"
    form = rita.get(button).page
    assert (form.value("day"), form.value("start_time")) == proposed


def test_a_day_of_the_address_that_does_not_exist_is_a_404(rita: Person) -> None:
    assert rita.get("/calendar/events/new?day=2026-02-30").status_code == 404
    assert rita.get("/calendar/events/new?day=9999-01-01").status_code == 404


def test_a_closed_day_says_so_and_can_be_booked_after_a_question(rita: Person) -> None:
    page = rita.get("/calendar/day/2026-09-06").page
    assert page.one(".grid-note").get_text() == "The clinic is closed on this day. Tap a time to book all the same."
    assert "Nothing booked yet" in rita.get("/calendar/day/2026-09-07").page.one(".grid-note").get_text()


@pytest.mark.parametrize(
    ("week", "day"), [("2026-09-13", "2026-09-07"), ("2026-09-06", "2026-09-01"), ("2026-09-10", "2026-09-10")]
)
def test_from_a_week_the_day_is_one_that_is_open(rita: Person, week: str, day: str) -> None:
    assert rita.get(f"/calendar/week/{week}").page.one("#cal-day")["href"] == f"/calendar/day/{day}"
