"""The home of everybody: who comes, who waits, and what else needs a person."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from cpms.audit import queries as audit
from cpms.backups.models import Backup, BackupKind, BackupResult
from cpms.calendar.models import Event, Status
from cpms.core import clock
from cpms.core.db import db
from cpms.hours.models import OffKind, TimeOff
from cpms.xrays.models import XrayKind
from tests.conftest import NOW
from tests.make import TUESDAY, Make
from tests.pages import Page, Person

BOARD = "/today/"


def names(page: Page, within: str = ".visits:not(.over)") -> list[str]:
    return [each.get_text(" ", strip=True) for each in page.all(f"{within} .visit-who > :is(a, bdi)")]


def board(person: Person, url: str = BOARD) -> Page:
    return person.get(url).page


def poll_of(page: Page) -> str:
    return str(page.one("#today-board")["hx-get"])


def waits(make: Make, visit: Event, minutes: int) -> None:
    """The patient sits in the waiting room since so many minutes."""
    with make.writing():
        row = db.session.get(Event, visit.id)
        assert row is not None
        row.status, row.status_changed_at = Status.ARRIVED, NOW - timedelta(minutes=minutes)


def traces(make: Make) -> list[tuple[int | None, str | None]]:
    with make.app.app_context():
        return [(each.actor_id, each.reason) for each in audit.trail(audit.Asked(what="today.view"))[0]]


def test_everybody_s_home_is_today(rita: Person, outsider: Person) -> None:
    assert rita.get("/").headers["Location"] == "/today/"
    assert outsider.get("/").headers["Location"] == "/today/"
    assert outsider.get("/today/").headers["Location"] == "/login?next=/today/"
    menu = [each.get_text(strip=True) for each in rita.get(BOARD).page.all(".rail li > a")]
    assert menu[:2] == ["Today", "Calendar"]
    assert rita.get(BOARD).page.one(".rail [aria-current]").get_text(strip=True) == "Today"


def test_the_day_stands_by_time_with_all_that_the_desk_asks(rita: Person, make: Make) -> None:
    late = make.visit(TUESDAY + timedelta(hours=2), chair="Chair 2", provider="hugo")
    patient = make.patient(first_name="Mia", last_name="Berg", alert_text="Latex allergy")
    first = make.visit(patient=patient, type_id=make.type("Filling").id)
    make.visit(TUESDAY + timedelta(days=1))
    make.visit(TUESDAY + timedelta(hours=1), status=Status.CANCELLED)
    make.block(TUESDAY + timedelta(hours=3))
    page = board(rita)
    assert [each["id"] for each in page.all(".visit")] == [f"visit-{first.id}", f"visit-{late.id}"]
    row = page.one(f"#visit-{first.id}")
    words = " ".join(row.get_text(" ", strip=True).split())
    for said in ("10:00", "–10:30", "Mia Berg", "Latex allergy", "Filling", "Dr Ada Dent", "Chair 1", "scheduled"):
        assert said in words
    assert row.select_one(f'a[href="/patients/{patient.id}"]')
    assert row.select_one(".alert-mark")


def test_a_visit_without_a_patient_is_called_by_its_title(rita: Person, make: Make) -> None:
    visit = make.visit(patient=None, title="Toothache, will call back")
    with make.writing():
        db.session.get(Event, visit.id).patient_id = None  # type: ignore[union-attr]
    page = board(rita)
    assert names(page) == ["Toothache, will call back"]
    assert not page.has('.visit a[href^="/patients/"]')


@pytest.mark.parametrize(
    ("status", "usual", "others", "asked"),
    [
        (Status.SCHEDULED, "Arrived", ["Confirmed", "In the chair", "Done", "Did not come"], ["cancelled"]),
        (Status.CONFIRMED, "Arrived", ["In the chair", "Done", "Did not come"], ["scheduled", "cancelled"]),
        (Status.ARRIVED, "In the chair", ["Done", "Did not come"], ["scheduled", "confirmed", "cancelled"]),
        (Status.IN_CHAIR, "Done", ["Did not come"], ["scheduled", "confirmed", "arrived", "cancelled"]),
        (Status.COMPLETED, None, [], ["scheduled", "confirmed", "arrived", "in_chair", "no_show", "cancelled"]),
        (Status.NO_SHOW, None, [], ["scheduled", "confirmed", "arrived", "in_chair", "completed", "cancelled"]),
    ],
)
def test_one_button_is_the_next_step_and_the_menu_has_the_rest(
    rita: Person, make: Make, status: Status, usual: str | None, others: list[str], asked: list[str]
) -> None:
    visit = make.visit(status=status)
    row = board(rita).one(f"#visit-{visit.id}")
    step = row.select(".visit-steps > [type=submit]")
    assert [each.get_text(strip=True) for each in step] == ([usual] if usual else [])
    assert [each.get_text(strip=True) for each in row.select(".popup [type=submit]")] == others
    links = [str(each["href"]) for each in row.select(".popup a")]
    assert links == [*(f"/calendar/events/{visit.id}/status?status={each}" for each in asked), links[-1]]
    assert links[-1] == f"/calendar/events/{visit.id}"


def test_one_tap_is_one_step_by_the_calendar_s_own_door(rita: Person, make: Make, last_audit: Any) -> None:
    visit = make.visit()
    button = board(rita).one(f"#step-{visit.id}")
    answer = rita.htmx.post(str(button["formaction"]), target="dialog", status=str(button["value"]))
    assert answer.status_code == 200 and "calendar-changed" in answer.headers["HX-Trigger"]
    assert (last_audit().action, last_audit().actor_id) == ("event.status", rita.id)
    assert answer.page.has(".toast form[hx-post]"), "with the way back"
    row = board(rita).one(f"#visit-{visit.id}")
    assert row.select_one(".walk").get_text(strip=True) == "arrived"  # type: ignore[union-attr]
    late = rita.htmx.post(str(button["formaction"]), target="dialog", status=str(button["value"]))
    assert late.status_code == 409, "a second tap on an old row is no second step"


def test_without_htmx_the_button_works_as_well(rita: Person, make: Make) -> None:
    visit = make.visit()
    button = board(rita).one(f"#step-{visit.id}")
    assert rita.post(str(button["formaction"]), status=str(button["value"])).status_code == 303
    assert board(rita).one(f"#visit-{visit.id} .walk").get_text(strip=True) == "arrived"


def test_the_waiting_room_has_the_longest_wait_first(rita: Person, make: Make) -> None:
    short, long = make.visit(), make.visit(chair="Chair 2", provider="hugo")
    make.visit(TUESDAY + timedelta(hours=1))
    waits(make, short, 12)
    waits(make, long, 75)
    page = board(rita)
    lines = [" ".join(each.get_text(" ", strip=True).split()) for each in page.all("#waiting-room li")]
    assert [line[line.index("since") :] for line in lines] == [
        "since 07:45 Hugo Clean · Chair 2",
        "since 12 min Dr Ada Dent · Chair 1",
    ]
    assert ["long" in each.classes for each in page.all("#waiting-room .since")] == [True, False]
    assert page.one("#waiting-title .count").get_text() == "2"


def test_an_empty_waiting_room_says_so(rita: Person, make: Make) -> None:
    make.visit()
    assert "Nobody is waiting." in board(rita).one("#waiting-room").get_text()


def test_what_is_over_goes_to_the_end(rita: Person, make: Make) -> None:
    make.visit(TUESDAY - timedelta(hours=2), patient=make.patient(last_name="Early"), status=Status.COMPLETED)
    make.visit(TUESDAY - timedelta(hours=1), patient=make.patient(last_name="Missed"), status=Status.NO_SHOW)
    make.visit(patient=make.patient(last_name="Coming"))
    page = board(rita)
    assert names(page) == ["Selma Coming"]
    assert names(page, ".visits.over") == ["Selma Early", "Selma Missed"]
    assert [each.get_text(strip=True) for each in page.all(".visits.over .walk")] == ["done", "did not come"]


def test_a_dentist_sees_the_own_visits_first_and_all_with_one_tap(ada: Person, rita: Person, make: Make) -> None:
    make.visit(patient=make.patient(last_name="Mine"))
    other = make.visit(chair="Chair 2", provider="hugo", patient=make.patient(last_name="Hugos"))
    waits(make, other, 5)
    page = board(ada)
    assert names(page) == ["Selma Mine"]
    assert "Nobody is waiting." in page.one("#waiting-room").get_text(), "nobody of hers"
    chips = {each.get_text(" ", strip=True): str(each["href"]) for each in page.all(".chips .chip")}
    assert chips == {"Mine 1": "/today/?mine=1", "All 2": "/today/?mine=0"}
    assert page.one(".chips [aria-current]").get_text(" ", strip=True) == "Mine 1"
    every = board(ada, "/today/?mine=0")
    assert names(every) == ["Selma Mine", "Selma Hugos"]
    assert "mine=0" in poll_of(every), "the poll keeps what was chosen"
    assert not board(rita).has(".chips"), "who takes no visits has none of her own"
    assert len(names(board(rita, "/today/?mine=1"))) == 2


def test_a_dentist_without_visits_is_shown_the_way_to_those_of_others(ada: Person, make: Make) -> None:
    make.visit(provider="hugo")
    page = board(ada)
    assert "No visit of yours today" in page.text
    assert page.one(".empty a")["href"] == "/today/?mine=0"


def test_an_empty_day_and_a_closed_day_say_so(rita: Person, sign_in: Callable[[str], Person]) -> None:
    assert "Nobody is booked today" in board(rita).text
    with clock.freeze(datetime(2026, 9, 6, 7, 0, tzinfo=UTC)):
        text = board(sign_in("rita")).text
    assert "The clinic is closed today" in text and "The next working day is Mon 7 Sep." in text


def test_a_poll_gets_only_news(rita: Person, make: Make, statements: list[str]) -> None:
    visit = make.visit()
    poll = poll_of(board(rita))
    statements.clear()
    assert rita.htmx.get(poll, target="today-board").status_code == 204
    assert len(statements) <= 3, statements
    waits(make, visit, 0)
    news = rita.htmx.get(poll, target="today-board")
    assert news.status_code == 200 and news.page.has("#waiting-room li")
    assert news.headers["HX-Trigger"] == "today-changed", "the panels beside it look again"
    assert not news.page.has(".rail")
    assert rita.htmx.get(poll_of(news.page), target="today-board").status_code == 204


def test_over_midnight_another_day_is_today(rita: Person, make: Make, sign_in: Callable[[str], Person]) -> None:
    make.visit(TUESDAY + timedelta(days=1), patient=make.patient(last_name="Morrow"))
    poll = poll_of(board(rita))
    with clock.freeze(NOW + timedelta(days=1)):
        news = sign_in("rita").htmx.get(poll, target="today-board")
    assert names(news.page) == ["Selma Morrow"]
    assert traces(make) == [(rita.id, "2026-09-02"), (rita.id, "2026-09-01")], "another day was seen"


def test_seeing_the_day_is_traced_once_a_day_and_person(
    rita: Person, ada: Person, olga: Person, make: Make, sign_in: Callable[[str], Person]
) -> None:
    visit = make.visit()
    poll = poll_of(board(rita))
    board(rita)
    waits(make, visit, 1)
    assert rita.htmx.get(poll, target="today-board").status_code == 200
    board(sign_in("rita"))
    assert traces(make) == [(rita.id, "2026-09-01")]
    board(ada)
    assert traces(make) == [(ada.id, "2026-09-01"), (rita.id, "2026-09-01")]
    log = olga.get("/audit/?what=today").page.text
    assert "opened the list of the day" in log and "1 September 2026" in log


def test_the_day_is_shown_when_nothing_can_be_written(rita: Person, make: Make) -> None:
    make.visit(patient=make.patient(last_name="Seen"))
    from sqlalchemy import event

    with make.app.app_context():
        engine = db.engine

    def no_writes(connection: Any) -> None:
        connection.exec_driver_sql("PRAGMA query_only=1")
        connection.info["query_only"] = "?"

    event.listen(engine, "begin", no_writes)
    try:
        assert names(board(rita)) == ["Selma Seen"]
    finally:
        event.remove(engine, "begin", no_writes)
    assert traces(make) == []


@pytest.mark.parametrize("many", [3, 60])
def test_the_day_costs_the_same_statements_however_full(
    rita: Person, make: Make, statements: list[str], many: int
) -> None:
    patient = make.patient()
    for number in range(many):
        make.visit(TUESDAY + timedelta(minutes=5 * number), minutes=5, patient=patient)
    board(rita)
    statements.clear()
    assert len(board(rita).all(".visit")) == many
    assert len(statements) == 7, statements


@pytest.mark.parametrize("who", ["olga", "ada", "hugo", "rita"])
def test_each_panel_is_for_whom_it_concerns(sign_in: Callable[[str], Person], who: str) -> None:
    shown = [str(each["hx-get"]).rpartition("/")[2] for each in board(sign_in(who)).all(".needs > section")]
    expected = {
        "olga": ["unconfirmed", "unfinished", "rebook", "outside", "unasked", "unreported", "backup"],
        "ada": ["unconfirmed", "unfinished", "rebook", "outside", "unasked", "unreported", "backup"],
        "hugo": ["unconfirmed", "unfinished", "rebook", "outside", "unasked", "backup"],
        "rita": ["unconfirmed", "unfinished", "rebook", "outside", "backup"],
    }
    assert shown == expected[who]


def test_who_is_to_be_called_is_confirmed_with_one_tap(rita: Person, make: Make) -> None:
    patient = make.patient(first_name="Mia", last_name="Berg", mobile_phone="030 12 34")
    visit = make.visit(TUESDAY + timedelta(days=1), patient=patient)
    make.visit(TUESDAY + timedelta(days=1, hours=1), status=Status.CONFIRMED)
    make.visit(TUESDAY + timedelta(days=2))
    panel = rita.htmx.get("/today/unconfirmed").page
    assert panel.one("h2 .count").get_text() == "1" and "not confirmed for tomorrow" in panel.text
    assert panel.one("h2 a")["href"] == "/calendar/day/2026-09-02"
    line = panel.one("li")
    assert "10:00" in line.get_text() and "Mia Berg" in line.get_text()
    assert panel.one('li a[href^="tel:"]')["href"] == "tel:0301234"
    button = panel.one("li [type=submit]")
    assert rita.htmx.post(str(button["formaction"]), target="dialog", status="confirmed").status_code == 200
    assert button["formaction"] == f"/calendar/events/{visit.id}/status?version={visit.row_version}"
    assert "Nobody left to call for tomorrow" in rita.htmx.get("/today/unconfirmed").page.text


def test_before_a_closed_day_the_next_working_day_is_called(make: Make, sign_in: Callable[[str], Person]) -> None:
    make.visit(datetime(2026, 9, 7, 10))
    with clock.freeze(datetime(2026, 9, 5, 8, 0, tzinfo=UTC)):
        text = sign_in("rita").htmx.get("/today/unconfirmed").page.text
    assert "not confirmed until Mon 7 Sep" in text and "Mon 7 Sep, 10:00" in text


@pytest.mark.parametrize("status", [Status.SCHEDULED, Status.CONFIRMED, Status.ARRIVED, Status.IN_CHAIR])
def test_a_past_visit_without_an_end_is_asked_about(rita: Person, make: Make, status: Status) -> None:
    visit = make.visit(TUESDAY - timedelta(days=1), status=status)
    make.visit(TUESDAY - timedelta(days=2), status=Status.COMPLETED)
    make.visit(TUESDAY - timedelta(days=40))
    make.visit(TUESDAY - timedelta(hours=2))
    panel = rita.htmx.get("/today/unfinished").page
    assert panel.one("h2 .count").get_text() == "1"
    assert panel.one("li a")["href"] == f"/calendar/events/{visit.id}"


def test_a_long_list_shows_its_beginning_and_all_when_asked(rita: Person, make: Make) -> None:
    patient = make.patient()
    for number in range(9):
        make.visit(TUESDAY + timedelta(days=1, minutes=30 * number), patient=patient)
    short = rita.htmx.get("/today/unconfirmed").page
    assert len(short.all("li")) == 5 and short.one("h2 .count").get_text() == "9"
    every = rita.htmx.get(str(short.one("p > a")["hx-get"])).page
    assert len(every.all("li")) == 9
    assert every.one("#today-unconfirmed")["hx-get"] == "/today/unconfirmed?every=1", "it stays long"


def is_away(make: Make, username: str, day: date) -> None:
    user_id = make.user(username).id
    with make.writing():
        kind, midnight = OffKind.SICK, datetime.combine(day, time())
        db.session.add(TimeOff(kind=kind, start=midnight, end=midnight + timedelta(days=1), provider_id=user_id))


def tomorrow_without_ada(make: Make, many: int) -> None:
    """So many of her visits, and she is ill."""
    patient = make.patient()
    for number in range(many):
        make.visit(TUESDAY + timedelta(days=1, minutes=5 * number), minutes=5, patient=patient)
    is_away(make, "ada", TUESDAY.date() + timedelta(days=1))


def test_whoever_calls_reads_that_a_visit_cannot_take_place(rita: Person, make: Make) -> None:
    day = TUESDAY + timedelta(days=1)
    visit = make.visit(day)
    make.visit(day, chair="Chair 2", provider="hugo")
    is_away(make, "ada", day.date())
    late = make.visit(day.replace(hour=22), chair="Chair 2", provider="hugo")
    panel = rita.htmx.get("/today/unconfirmed").page
    said = {str(line["id"]): why.get_text(strip=True) for line in panel.all("li") for why in line.select(".plan-warn")}
    assert said == {
        f"call-{visit.id}": "Dr Ada Dent is away then, until Wed 2 Sep 2026.",
        f"call-{late.id}": "This is outside the opening hours.",
    }
    listed = rita.get("/calendar/outside").page.text
    assert all(words in listed for words in said.values()), "the same words as there"


def test_whom_nobody_expects_on_a_closed_day_is_told_of_too(make: Make, sign_in: Callable[[str], Person]) -> None:
    make.visit(datetime(2026, 9, 6, 10))
    with clock.freeze(datetime(2026, 9, 5, 8, 0, tzinfo=UTC)):
        panel = sign_in("rita").htmx.get("/today/unconfirmed").page
    assert panel.one("li .plan-warn").get_text(strip=True) == "The clinic is closed on that day."


@pytest.mark.parametrize("many", [3, 60])
def test_whom_to_call_costs_the_same_statements(rita: Person, make: Make, statements: list[str], many: int) -> None:
    tomorrow_without_ada(make, many)
    rita.htmx.get("/today/unconfirmed?every=1")
    statements.clear()
    assert len(rita.htmx.get("/today/unconfirmed?every=1").page.all("li .plan-warn")) == many
    assert len(statements) <= 5, statements


def test_visits_outside_the_hours_are_counted_and_led_to(rita: Person, make: Make) -> None:
    make.visit(TUESDAY + timedelta(days=1))
    make.visit(TUESDAY + timedelta(days=1), chair="Chair 2", provider="hugo")
    assert "Every visit lies within the hours" in rita.htmx.get("/today/outside").page.text
    is_away(make, "hugo", TUESDAY.date() + timedelta(days=1))
    page = rita.htmx.get("/today/outside").page
    assert " ".join(page.one("a").get_text(" ").split()) == "1 visit lies outside the hours"
    assert page.one("a")["href"] == "/calendar/outside"
    is_away(make, "ada", TUESDAY.date() + timedelta(days=1))
    assert "2 visits lie outside the hours" in rita.htmx.get("/today/outside").page.text


@pytest.mark.parametrize("many", [3, 60])
def test_to_count_them_costs_the_same_statements(rita: Person, make: Make, statements: list[str], many: int) -> None:
    tomorrow_without_ada(make, many)
    rita.htmx.get("/today/outside")
    statements.clear()
    assert f"{many} visits lie outside" in rita.htmx.get("/today/outside").page.text
    assert len(statements) <= 4, statements


def test_whose_history_was_never_asked_is_told_to_those_who_read_it(ada: Person, rita: Person, make: Make) -> None:
    unasked, asked = make.patient(last_name="Unasked"), make.patient(last_name="Asked", medical_history="Asthma")
    make.visit(patient=unasked)
    make.visit(TUESDAY + timedelta(hours=1), patient=asked)
    make.visit(TUESDAY + timedelta(hours=2), patient=make.patient(), status=Status.COMPLETED)
    make.visit(TUESDAY + timedelta(days=1), patient=make.patient())
    panel = ada.htmx.get("/today/unasked").page
    assert [each.get_text(strip=True) for each in panel.all("li a")] == ["Selma Unasked"]
    assert panel.one("li a")["href"] == f"/patients/{unasked.id}/medical/edit"
    assert rita.htmx.get("/today/unasked").status_code == 403


def test_pictures_without_findings_are_counted_for_those_who_report(ada: Person, hugo: Person, make: Make) -> None:
    assert "Every X-ray has its findings" in ada.htmx.get("/today/unreported").page.text
    make.xray(kind=XrayKind.BITEWING)
    panel = ada.htmx.get("/today/unreported").page
    assert panel.one("a")["href"] == "/xrays/?open=1"
    assert " ".join(panel.one("a").get_text(" ").split()) == "1 X-ray without findings"
    assert hugo.htmx.get("/today/unreported").status_code == 403


def test_everybody_is_told_of_the_last_backup_and_the_owner_led_there(rita: Person, olga: Person, make: Make) -> None:
    assert "No backup yet. Tell the owner." in rita.htmx.get("/today/backup").page.text
    with make.writing():
        db.session.add(
            Backup(
                id="b1",
                file_name="b1.tar",
                kind=BackupKind.NIGHTLY,
                result=BackupResult.GOOD,
                counts={},
                created_at=NOW - timedelta(hours=5),
            )
        )
    page = rita.htmx.get("/today/backup").page
    assert "Last backup: Tue 1 Sep, 04:00" in page.text and not page.has(".bad") and not page.has("a")
    assert olga.htmx.get("/today/backup").page.one("a")["href"] == "/backups/"
    with make.writing():
        db.session.get(Backup, "b1").created_at = NOW - timedelta(hours=26)  # type: ignore[union-attr]
    page = rita.htmx.get("/today/backup").page
    assert page.has(".bad") and "too old" in page.text


def test_names_are_text_and_keep_their_direction(rita: Person, make: Make) -> None:
    make.visit(patient=make.patient(first_name="<b>محمد", last_name="الحداد", alert_text="<i>x"))
    page = board(rita)
    assert names(page) == ["<b>محمد الحداد"]
    assert page.one(".visit-who > a > bdi") and page.one(".alert-mark > bdi").get_text() == "<i>x"
