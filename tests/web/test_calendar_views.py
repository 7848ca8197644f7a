"""The month, the list and the month picker."""

from datetime import date, timedelta

import pytest

from cpms.calendar.models import Status
from tests.full_week import full_week
from tests.make import TUESDAY, Make
from tests.pages import Person

MONTH = "/calendar/month/2026-09-15"
LIST = "/calendar/list/2026-09-01"


def test_every_visit_of_a_full_week_is_counted_in_each_view(rita: Person, make: Make) -> None:
    assert full_week(make, date(2026, 9, 7)) == 300
    month = rita.get("/calendar/month/2026-09-01").page
    assert sum(int(next(each.strings)) for each in month.all(".month-head .count")) == 300
    shown = len(month.all(".month-entry")) + sum(int(each.get_text().split()[1]) for each in month.all(".month-more"))
    assert shown == 300
    assert len(rita.get("/calendar/list/2026-09-07").page.all(".agenda .entry")) == 300
    assert len(rita.get("/calendar/week/2026-09-07").page.all("#week-grid .ev")) == 300
    for by in ("chair", "provider"):
        days = [rita.get(f"/calendar/day/2026-09-{day:02}?by={by}").page for day in range(7, 12)]
        assert sum(len(day.all("#week-grid .ev")) for day in days) == 300
    assert len(rita.get("/calendar/print/list/2026-09-07").page.all("tbody tr")) == 300


def test_a_month_tells_the_first_visits_of_a_day_and_counts_the_others(rita: Person, make: Make) -> None:
    for number in range(6):
        make.visit(TUESDAY + timedelta(minutes=30 * number), patient=make.patient(last_name=f"Name{number}"))
    make.visit(TUESDAY + timedelta(days=1), patient=make.patient(last_name="محمد عبد الرحمن", alert_text="Latex"))
    page = rita.get(MONTH).page
    day = page.one("#d2026-09-01")
    assert [each.get_text(" ", strip=True) for each in day.select(".month-entry")] == [
        f"{10 + number // 2}:{number % 2 * 3}0 Name{number}" for number in range(4)
    ]
    assert day.select_one(".month-more").get_text() == "and 2 more"
    assert day["href"] == "/calendar/day/2026-09-01"
    other = page.one("#d2026-09-02 .month-entry")
    assert other.select_one("i") and other.select_one("bdi").get_text() == "محمد عبد الرحمن"


def test_a_month_says_today_and_which_days_are_closed(rita: Person, make: Make) -> None:
    page = rita.get(MONTH).page
    assert page.one("td.now a")["data-date"] == "2026-09-01"
    assert "closed" in page.one("#d2026-09-06").get_text()
    assert "closed" not in page.one("#d2026-09-07").get_text()
    days = [str(each["data-date"]) for each in page.all(".month-day")]
    assert (days[0], days[-1], len(days)) == ("2026-08-31", "2026-10-04", 35)


def test_arrows_walk_the_months_to_the_ends_of_the_calendar(rita: Person) -> None:
    page = rita.get("/calendar/month/2026-12-31").page
    assert page.one("#cal-previous")["href"] == "/calendar/month/2026-11-01"
    assert page.one("#cal-next")["href"] == "/calendar/month/2027-01-01"
    for day, edge in (("1950-01-15", "#cal-previous"), ("2149-12-15", "#cal-next")):
        page = rita.get(f"/calendar/month/{day}").page
        assert page.one(edge)["href"] == f"/calendar/month/{day[:7]}-01"


@pytest.mark.parametrize("view", ["week", "day", "month", "list"])
def test_every_link_at_the_ends_of_the_calendar_leads_somewhere(rita: Person, view: str) -> None:
    for day in ("1950-01-01", "2149-12-31"):
        screen = rita.get(f"/calendar/{view}/{day}").page
        picker = rita.htmx.get("/calendar/pick", view=view, day=day, month=day[:7]).page
        links = {str(each["href"]) for page in (screen, picker) for each in page.all('a[href^="/calendar/"]')}
        assert [each for each in sorted(links) if rita.get(each).status_code == 404] == []


def test_the_list_has_everything_about_each_visit_by_day_and_time(rita: Person, make: Make) -> None:
    patient = make.patient(first_name="Maximiliane", last_name="Wittgensteinburg-Lauterbach", alert_text="Latex")
    visit = make.visit(patient=patient, type_id=make.type("Filling").id, status=Status.CONFIRMED)
    make.block(TUESDAY - timedelta(hours=1))
    make.visit(TUESDAY + timedelta(days=7))
    page = rita.get(LIST).page
    assert [each.get_text(" ", strip=True) for each in page.all(".entry")] == [
        "09:00–09:30 Lunch Chair 1",
        "10:00–10:30 Alert Wittgensteinburg-Lauterbach, Maximiliane Filling Dr Ada Dent Chair 1 confirmed",
    ]
    assert page.one(f"#e{visit.id}")["href"] == f"/calendar/events/{visit.id}"
    assert "Tuesday 1 September" in page.text and "Nothing booked." in page.text
    assert page.one("#cal-next")["href"] == "/calendar/list/2026-09-08"


@pytest.mark.parametrize(("view", "block"), [("month", "month-grid"), ("list", "visit-list")])
def test_an_open_month_or_list_asks_for_what_is_new(rita: Person, make: Make, view: str, block: str) -> None:
    poll = str(rita.get(f"/calendar/{view}/2026-09-01").page.one(f"#{block}")["hx-get"])
    assert rita.htmx.get(poll, target=block).status_code == 204
    make.visit(patient=make.patient(last_name="Newcomer"))
    news = rita.htmx.get(poll, target=block)
    assert news.status_code == 200 and "Newcomer" in news.page.one(f"#{block}").get_text()


@pytest.mark.parametrize("view", ["week", "day", "month", "list"])
def test_the_views_lead_to_each_other_and_are_swapped_in_place(rita: Person, view: str) -> None:
    page = rita.get(f"/calendar/{view}/2026-09-02").page
    assert page.one(f"#cal-{view}")["aria-current"] == "true"
    for other in ("week", "day", "month", "list"):
        link = str(page.one(f"#cal-{other}")["hx-get"])
        piece = rita.htmx.get(link, target="calendar")
        assert piece.page.one("#calendar")["data-view"] == other and "<html lang" not in piece.html


def test_a_printed_list_stands_in_the_trail(rita: Person, make: Make, olga: Person) -> None:
    make.visit()
    link = str(rita.get(LIST).page.one("#cal-print")["href"])
    page = rita.get(link).page
    assert "Tuesday 1 September" in page.text and len(page.all("tbody tr")) == 1
    assert "list from 1 September 2026" in olga.get("/audit/").page.text
    assert not rita.get(MONTH).page.has("#cal-print")


def test_the_picker_marks_days_with_visits_and_leads_to_the_same_view(rita: Person, make: Make) -> None:
    make.visit()
    make.visit(TUESDAY + timedelta(days=1), chair="Chair 2", provider="hugo")
    hugo = make.user("hugo").id
    button = rita.get(f"/calendar/day/2026-09-03?provider={hugo}").page.one(".cal-title button")
    page = rita.htmx.get(str(button["hx-get"]), target="cal-go").page
    assert page.one("h2").get_text() == "September 2026"
    assert [each["data-date"] for each in page.all(".busy a")] == ["2026-09-02"], "under the same filters"
    assert page.one("a[aria-current]")["data-date"] == "2026-09-03"
    assert page.one('a[data-date="2026-09-20"]')["href"] == f"/calendar/day/2026-09-20?provider={hugo}"
    after = rita.htmx.get(str(page.one("#pick-after")["hx-get"]), target="cal-go").page
    assert after.one("h2").get_text() == "October 2026"


def test_the_picker_s_date_field_leads_there(rita: Person) -> None:
    assert rita.get("/calendar/go?view=month&day=2031-12-03").headers["Location"] == "/calendar/month/2031-12-03"
    assert rita.get("/calendar/go?view=moon&day=2031-12-03").status_code == 404
    assert rita.get("/calendar/pick?view=week&day=2026-09-01&month=2026-13").status_code == 404
    assert rita.get("/calendar/pick?view=week&day=2026-09-01").headers["Location"] == "/calendar/month/2026-09-01"


def test_a_month_costs_the_same_however_full_it_is(rita: Person, make: Make, statements: list[str]) -> None:
    rita.get(MONTH)
    statements.clear()
    rita.get(MONTH)
    few = len(statements)
    full_week(make, date(2026, 9, 7), chairs=2, visits=12)
    statements.clear()
    answer = rita.get(MONTH)
    assert len(statements) == few <= 7
    assert len(answer.page.all(".month-entry")) == 20
