"""Whom and what a calendar shows: chosen by chips, remembered for every device, and always told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cpms.auth import queries as auth
from cpms.calendar.forms import MOST_IDS, ids_in
from cpms.calendar.models import CalendarChoice, Status
from cpms.core.db import db, transaction
from tests.make import TUESDAY, Make
from tests.pages import Answer, Person

WEEK = "/calendar/week/2026-09-01"
DAY = "/calendar/day/2026-09-01"


def tap(person: Person, toggle: str, *, view: str = "week", **shown: Any) -> Answer:
    """A chip of the toolbar, over a calendar that shows what `shown` says."""
    form = {"view": view, "day": "2026-09-01", "toggle": toggle} | shown
    return person.htmx.post("/calendar/choose", target="calendar", **form)


def note(person: Person, url: str = WEEK) -> str:
    return person.get(url).page.one("#shown-note").get_text(" ", strip=True)


def two_visits(make: Make) -> None:
    make.visit(type_id=make.type("Filling").id)
    make.visit(chair="Chair 2", provider="hugo")


def test_a_chip_narrows_the_calendar_and_says_so(rita: Person, make: Make) -> None:
    two_visits(make)
    hugo = make.user("hugo").id
    answer = tap(rita, f"provider:{hugo}")
    assert answer.status_code == 200
    assert answer.headers["HX-Push-Url"] == f"{WEEK}?provider={hugo}"
    assert len(answer.page.all("#week-grid .ev")) == 1
    assert answer.page.one("#shown-note").get_text(" ", strip=True) == "Only Hugo Clean. 1 of 2 shown. Show all"


def test_each_of_whom_where_and_what_for_can_be_chosen(rita: Person, make: Make) -> None:
    two_visits(make)
    for toggle, name in (
        (f"chair:{make.chair('Chair 2').id}", "Chair 2"),
        (f"type:{make.type('Filling').id}", "Filling"),
        (f"provider:{make.user('ada').id}", "Dr Ada Dent"),
    ):
        assert f"Only {name}. 1 of 2 shown." in tap(rita, toggle).page.text
        tap(rita, "all")


def test_the_choice_follows_to_another_tablet(rita: Person, sign_in: Callable[[str], Person], make: Make) -> None:
    two_visits(make)
    tap(rita, f"chair:{make.chair('Chair 2').id}")
    for view in ("week", "day", "month", "list"):
        assert "Only Chair 2" in note(sign_in("rita"), f"/calendar/{view}/2026-09-01")
    assert note(sign_in("olga")) == "", "and it is nobody else's"


def test_one_tap_shows_everything_again(rita: Person, make: Make) -> None:
    two_visits(make)
    tap(rita, f"chair:{make.chair('Chair 2').id}")
    button = rita.get(WEEK).page.one("#shown-all")
    answer = tap(rita, str(button["value"]), chair=make.chair("Chair 2").id)
    assert answer.headers["HX-Push-Url"] == WEEK
    assert len(answer.page.all("#week-grid .ev")) == 2
    assert note(rita) == ""


def test_without_scripts_a_chip_leads_to_the_address(rita: Person, make: Make) -> None:
    chair = make.chair("Chair 2").id
    answer = rita.post("/calendar/choose", view="day", day="2026-09-01", toggle=f"chair:{chair}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{DAY}?chair={chair}")


def test_dr_ada_opens_on_her_own_calendar(ada: Person, make: Make) -> None:
    two_visits(make)
    page = ada.get(WEEK).page
    assert len(page.all("#week-grid .ev")) == 1
    assert page.one("#shown-note").get_text(" ", strip=True) == "Only Dr Ada Dent. 1 of 2 shown. Show all"
    tap(ada, "all", provider=make.user("ada").id)
    assert len(ada.get(WEEK).page.all("#week-grid .ev")) == 2, "who chose to see all sees all from then on"


def test_an_address_that_says_what_to_show_shows_that(ada: Person, make: Make) -> None:
    two_visits(make)
    assert "Only Hugo Clean" in note(ada, f"{WEEK}?provider={make.user('hugo').id}")


def test_an_open_calendar_keeps_what_it_shows_when_another_window_chooses(rita: Person, make: Make) -> None:
    two_visits(make)
    poll = str(rita.get(WEEK).page.one("#week-grid")["hx-get"])
    tap(rita, f"chair:{make.chair('Chair 2').id}")
    make.visit(TUESDAY + timedelta(hours=2))
    assert len(rita.htmx.get(poll, target="week-grid").page.all(".ev")) == 3


def test_the_poll_of_a_narrowed_calendar_counts_anew(rita: Person, make: Make) -> None:
    two_visits(make)
    poll = str(rita.get(f"{WEEK}?provider={make.user('hugo').id}").page.one("#week-grid")["hx-get"])
    make.visit(TUESDAY + timedelta(hours=2))
    news = rita.htmx.get(poll, target="week-grid")
    assert "1 of 3 shown." in news.page.text
    assert 'hx-target="#shown-note"' in news.html


def test_whom_nobody_can_choose_any_more_is_told_and_can_be_taken_back(rita: Person, make: Make) -> None:
    two_visits(make)
    hugo = make.user("hugo").id
    tap(rita, f"provider:{hugo}")
    with make.app.app_context(), transaction("test.leave", actor=None):
        auth.user(hugo).active = False
    page = rita.get(WEEK).page
    assert "Only Hugo Clean" in page.text
    assert page.one(f"#cal-filter-provider-{hugo}")["aria-pressed"] == "true"


def test_a_hidden_visit_still_holds_its_time(rita: Person, make: Make) -> None:
    make.visit(chair="Chair 2", provider="hugo")
    mine = make.visit(TUESDAY + timedelta(hours=2))
    ada = make.user("ada").id
    answer = rita.htmx.post(
        "/calendar/events/move",
        target="week-grid",
        **{"event": mine.id, "version": mine.row_version, "start": "2026-09-01T10:00", "minutes": 30},
        **{"chair": make.chair("Chair 2").id, "view": "week", "day": "2026-09-01", "provider": ada},
    )
    assert answer.status_code == 409
    assert "Chair 2 is taken from 10:00 to 10:30" in answer.page.text
    assert len(answer.page.all("#week-grid .ev")) == 1, "and the answer is narrowed as the screen is"


def test_a_new_visit_is_with_whom_and_where_the_calendar_is_narrowed_to(rita: Person, make: Make) -> None:
    hugo, chair = make.user("hugo").id, make.chair("Chair 2").id
    new = str(rita.get(f"{WEEK}?provider={hugo}&chair={chair}").page.one("#cal-new")["href"])
    form = rita.get(new).page
    assert (form.value("provider_id"), form.value("chair_id")) == (str(hugo), str(chair))


def test_a_choice_is_no_change_of_the_clinic(rita: Person, make: Make, last_audit: Any) -> None:
    rita.get(WEEK)
    before, poll = last_audit().id, str(rita.get(WEEK).page.one("#week-grid")["hx-get"])
    tap(rita, "cancelled")
    assert last_audit().id == before
    assert rita.htmx.get(poll, target="week-grid").status_code == 204
    with make.app.app_context():
        assert db.session.get(CalendarChoice, rita.id).cancelled


def test_cancelled_ones_are_not_counted_as_hidden(rita: Person, make: Make) -> None:
    make.visit(status=Status.CANCELLED)
    make.visit(TUESDAY + timedelta(hours=1))
    assert "1 of 1 shown." in note(rita, f"{WEEK}?provider={make.user('ada').id}")
    assert "2 of 2 shown." in note(rita, f"{WEEK}?provider={make.user('ada').id}&cancelled=1")


def test_what_no_chip_sends_is_refused(rita: Person) -> None:
    for toggle in ("", "provider:x", "provider:", "by:moon", "colour:3", "all:1x" * 200):
        assert tap(rita, toggle).status_code == 400, toggle
    assert tap(rita, "all", view="year").status_code == 404


def test_many_people_and_chairs_stand_behind_the_button_alone(rita: Person, make: Make) -> None:
    assert len(rita.get(WEEK).page.all(".cal-chips .chip")) == 4
    from cpms.calendar import services

    with make.writing():
        for number in range(6):
            services.add_chair(name=f"Room {number}")
            db.session.flush()
    page = rita.get(WEEK).page
    assert page.all(".cal-chips .chip") == []
    assert len(page.all("#cal-filters .chip")) == 10 + 6 + 1


def test_what_nobody_knows_narrows_nothing(rita: Person, make: Make) -> None:
    two_visits(make)
    chair = make.chair("Chair 2").id
    for view in ("week", "day", "month", "list"):
        url = f"/calendar/{view}/2026-09-01"
        for asked in ("chair=9999", "provider=9999", "type=9999", "chair=9999&provider=9998"):
            page = rita.get(f"{url}?{asked}").page
            assert "9999" not in str(page.one("#calendar")), asked
            assert (page.one("#shown-note").has_attr("hidden"), page.text.count("Yıldız")) == (True, 2), (view, asked)
        assert "Only Chair 2. 1 of 2 shown." in note(rita, f"{url}?chair=9999&chair={chair}")
    poll = rita.htmx.get(f"{WEEK}?chair=9999", target="week-grid").page
    assert len(poll.all(".ev")) == 2 and "9999" not in str(poll.one("#week-grid"))
    assert "Only" not in rita.get("/calendar/print/day/2026-09-01?chair=9999").page.text
    days = rita.htmx.get("/calendar/pick", view="week", day="2026-09-01", month="2026-09", chair=9999).page
    assert [each["data-date"] for each in days.all(".busy a")] == ["2026-09-01"]


def test_a_choice_of_what_nobody_knows_is_not_kept(rita: Person, make: Make) -> None:
    tap(rita, "provider:9999", chair=9998)
    with make.app.app_context():
        row = db.session.get(CalendarChoice, rita.id)
        assert (row.providers, row.chairs) == ([], [])


def test_a_list_of_ids_without_end_is_cut_off() -> None:
    assert len(ids_in(",".join(map(str, range(5000))))) == MOST_IDS


def test_a_page_and_a_poll_cost_few_statements(rita: Person, make: Make, statements: list[str]) -> None:
    two_visits(make)
    hugo = make.user("hugo").id
    for view, block in (("week", "week-grid"), ("day", "week-grid"), ("month", "month-grid"), ("list", "visit-list")):
        address = f"/calendar/{view}/2026-09-01"
        for query, most in (("", 7), (f"?provider={hugo}", 8), ("?by=provider", 8)):
            statements.clear()
            rita.htmx.get(address + query, target=block)
            assert len(statements) <= most, (address + query, statements)
    statements.clear()
    rita.get(WEEK)
    assert len(statements) <= 7, statements
