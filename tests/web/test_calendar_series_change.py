"""Changing this one, or this one and all that follow."""

from typing import Any

import pytest

from cpms.calendar.models import Event, Status
from cpms.core.db import db
from tests.make import Make
from tests.pages import Answer, Person
from tests.series import answer_plan, at, book, entries, starts, states, ticked


@pytest.fixture
def rows(rita: Person, make: Make) -> list[Event]:
    """Four visits, every second week."""
    return book(rita, make, patient_id=make.patient().id)


def move(person: Person, row: Event, start: str, *, scope: str = "following", **changes: Any) -> Answer:
    form = {
        "day": f"2026-{start[:5]}",
        "start_time": start[6:],
        "minutes": row.minutes,
        "chair_id": row.chair_id,
        "provider_id": row.provider_id,
        "version": row.row_version,
        "scope": scope,
    }
    return person.htmx.post(f"/calendar/events/{row.id}/move", target="dialog", **(form | changes))


def set_status(make: Make, row: Event, status: Status) -> None:
    with make.writing():
        db.session.get(Event, row.id).status = status


def test_the_dialogs_ask_which_are_meant(rita: Person, rows: list[Event]) -> None:
    for address in ("move", "edit", "status?status=cancelled", "delete"):
        page = rita.htmx.get(f"/calendar/events/{rows[1].id}/{address}", target="dialog").page
        assert [each["value"] for each in page.all("[name=scope]")] == ["one", "following"], address
        assert "2 later entries of this series can follow" in page.text
        last = rita.htmx.get(f"/calendar/events/{rows[3].id}/{address}", target="dialog").page
        assert not last.has("[name=scope]"), "nothing follows the last one"


def test_only_this_one_moves(rita: Person, make: Make, rows: list[Event]) -> None:
    assert move(rita, rows[1], "09-16 11:00", scope="one").status_code == 200
    assert starts(entries(make)) == ["01 Sep 10:00", "16 Sep 11:00", "29 Sep 10:00", "13 Oct 10:00"]
    assert "moved singly" in rita.get(f"/calendar/events/{rows[1].id}").page.text


def test_this_and_the_following_keep_their_distance(
    rita: Person, olga: Person, make: Make, rows: list[Event], last_audit: Any
) -> None:
    answer = move(rita, rows[1], "09-16 11:00")
    assert answer.status_code == 200, answer.page.text
    assert "3 entries from Wed 16 Sep, 11:00" in answer.toast
    assert starts(entries(make)) == ["01 Sep 10:00", "16 Sep 11:00", "30 Sep 11:00", "14 Oct 11:00"]
    assert last_audit().action == "event_series.move"
    told = olga.get("/audit/?what=event").page.text
    assert "moved this entry and those that follow (3 entries)" in told
    assert "moved it from Tue 13 Oct, 10:00 to Wed 14 Oct, 11:00" in told
    assert "moved singly" not in rita.get(f"/calendar/events/{rows[2].id}").page.text


@pytest.mark.parametrize("to", ["09-29 10:00", "08-18 10:00"])
def test_onto_their_own_places_and_back_with_undo(rita: Person, make: Make, rows: list[Event], to: str) -> None:
    """Two weeks later or earlier each takes the place of its neighbour."""
    before = starts(entries(make))
    answer = move(rita, rows[1] if to.startswith("09") else rows[0], to)
    if answer.status_code == 422:  # in the past
        answer = answer_plan(rita, answer, ticked(answer.page))
    assert answer.status_code == 200, answer.page.text
    moved = starts(entries(make))
    assert moved != before
    back = rita.htmx.post(str(answer.page.one(".toast form")["action"]))
    assert back.status_code == 200, back.toast
    assert starts(entries(make)) == before
    assert rita.htmx.post(str(back.page.one(".toast form")["action"])).status_code == 200
    assert starts(entries(make)) == moved


def test_clashes_are_shown_and_left_out(rita: Person, make: Make, rows: list[Event]) -> None:
    other = make.visit(at("09-30T11:15"))
    plan = move(rita, rows[1], "09-16 11:00")
    assert plan.status_code == 422
    assert starts(entries(make, lambda each: each.series_id is not None)) == starts(rows)
    lines = states(plan.page)
    assert [line[1] for line in lines] == [True, False, True]
    assert lines[1][0] == "Tue 29 Sep, 10:00 → Wed 30 Sep, 11:00–11:30"
    assert other.patient.name in lines[1][2]
    assert answer_plan(rita, plan, ticked(plan.page)).status_code == 200
    assert starts(entries(make)) == ["01 Sep 10:00", "16 Sep 11:00", "29 Sep 10:00", "14 Oct 11:00"]


def test_whom_somebody_came_to_stays(rita: Person, make: Make, rows: list[Event]) -> None:
    set_status(make, rows[2], Status.COMPLETED)
    assert move(rita, rows[1], "09-15 11:00").status_code == 200
    assert starts(entries(make)) == ["01 Sep 10:00", "15 Sep 11:00", "29 Sep 10:00", "13 Oct 11:00"]


def test_one_that_is_over_takes_none_along(rita: Person, make: Make, rows: list[Event]) -> None:
    set_status(make, rows[1], Status.ARRIVED)
    row = entries(make)[1]
    answer = move(rita, row, "09-15 11:00")
    assert answer.status_code == 422
    assert "Please change only this one." in answer.page.text
    assert starts(entries(make)) == starts(rows)


@pytest.mark.parametrize(("meant", "third"), [(False, "30 Sep 15:00"), (True, "30 Sep 16:00")])
def test_one_that_was_moved_singly_is_told(
    rita: Person, make: Make, rows: list[Event], meant: bool, third: str
) -> None:
    move(rita, rows[2], "09-30 15:00", scope="one")
    plan = move(rita, rows[1], "09-15 11:00")
    assert plan.status_code == 422
    assert [line[1] for line in states(plan.page)] == [True, False, True]
    assert "This one was moved singly before. It stays as it is, unless you tick it." in states(plan.page)[1][2]
    answer_plan(rita, plan, ticked(plan.page, also=(1,) if meant else ()))
    assert starts(entries(make)) == ["01 Sep 10:00", "15 Sep 11:00", third, "13 Oct 11:00"]


def test_an_old_picture_of_the_entry_stores_nothing(rita: Person, ada: Person, make: Make, rows: list[Event]) -> None:
    move(ada, rows[1], "09-15 12:00", scope="one")
    answer = move(rita, rows[1], "09-16 11:00")
    assert answer.status_code == 409
    assert "Somebody else changed this entry meanwhile." in answer.page.text
    assert starts(entries(make))[2:] == ["29 Sep 10:00", "13 Oct 10:00"]


def test_an_old_picture_of_a_later_one_is_shown_again(rita: Person, ada: Person, make: Make, rows: list[Event]) -> None:
    make.visit(at("09-30T11:15"))
    plan = move(rita, rows[1], "09-16 11:00")
    move(ada, rows[3], "10-13 12:00", scope="one")
    again = answer_plan(rita, plan, ticked(plan.page))
    assert again.status_code == 409
    assert starts(entries(make)) == ["01 Sep 10:00", "15 Sep 10:00", "29 Sep 10:00", "13 Oct 12:00"]


def edit(person: Person, row: Event, **changes: Any) -> Answer:
    page = person.htmx.get(f"/calendar/events/{row.id}/edit", target="dialog").page
    names = ("kind", "patient_id", "title", "day", "start_time", "minutes", "chair_id", "provider_id", "type_id",
             "color", "notes", "version", "seen")  # fmt: skip
    form = {name: page.value(name) for name in names}
    return person.htmx.post(f"/calendar/events/{row.id}/edit", target="dialog", **(form | changes))


def test_what_is_changed_here_is_changed_there_and_nothing_else(rita: Person, make: Make, rows: list[Event]) -> None:
    assert edit(rita, rows[3], notes="Bring the photos").status_code == 200
    answer = edit(rita, rows[1], title="Braces, new wire", minutes="45", scope="following")
    assert answer.status_code == 200, answer.page.text
    now = entries(make)
    assert [each.title for each in now] == ["Braces", *["Braces, new wire"] * 3]
    assert [each.minutes for each in now] == [30, 45, 45, 45]
    assert now[3].notes == "Bring the photos"


def test_words_of_its_own_are_not_written_over_unasked(rita: Person, make: Make, rows: list[Event]) -> None:
    edit(rita, rows[3], notes="Bring the photos")
    plan = edit(rita, rows[1], notes="Check the wire", scope="following")
    assert plan.status_code == 422
    assert "This one was changed singly before." in states(plan.page)[2][2]
    answer_plan(rita, plan, ticked(plan.page))
    assert [each.notes for each in entries(make)] == ["", "Check the wire", "Check the wire", "Bring the photos"]


def test_a_visit_and_those_after_it_are_cancelled_and_come_back(rita: Person, make: Make, rows: list[Event]) -> None:
    answer = rita.htmx.post(
        f"/calendar/events/{rows[1].id}/status",
        target="dialog",
        status="cancelled",
        version=rows[1].row_version,
        reason="Moves away",
        scope="following",
    )
    assert answer.status_code == 200, answer.page.text
    assert [each.status for each in entries(make)] == [Status.SCHEDULED, *[Status.CANCELLED] * 3]
    assert {each.cancel_reason for each in entries(make)[1:]} == {"Moves away"}
    rita.htmx.post(str(answer.page.one(".toast form")["action"]))
    assert {each.status for each in entries(make)} == {Status.SCHEDULED}


def test_a_series_ends_early_and_comes_back(rita: Person, make: Make, rows: list[Event]) -> None:
    sent = {"version": rows[2].row_version, "scope": "following"}
    answer = rita.htmx.post(f"/calendar/events/{rows[2].id}/delete", target="dialog", **sent)
    assert answer.status_code == 200
    assert "2 entries" in answer.toast
    assert starts(entries(make)) == ["01 Sep 10:00", "15 Sep 10:00"]
    assert "2 of 2" in rita.get(f"/calendar/events/{rows[1].id}").page.text
    rita.htmx.post(str(answer.page.one(".toast form")["action"]))
    assert len(entries(make)) == 4


def test_one_that_was_moved_singly_is_not_taken_off_unasked(rita: Person, make: Make, rows: list[Event]) -> None:
    move(rita, rows[3], "10-14 15:00", scope="one")
    sent = {"version": rows[2].row_version, "scope": "following"}
    plan = rita.htmx.post(f"/calendar/events/{rows[2].id}/delete", target="dialog", **sent)
    assert plan.status_code == 422
    answer_plan(rita, plan, ticked(plan.page))
    assert starts(entries(make)) == ["01 Sep 10:00", "15 Sep 10:00", "14 Oct 15:00"]


def test_a_drag_asks_which_ones_are_meant(rita: Person, make: Make, rows: list[Event]) -> None:
    drag = {
        "event": rows[1].id,
        "version": rows[1].row_version,
        "start": "2026-09-16T11:00",
        "minutes": 30,
        "chair": rows[1].chair_id,
        "view": "week",
        "day": "2026-09-15",
    }
    answer = rita.htmx.post("/calendar/events/move", target="week-grid", **drag)
    assert answer.status_code == 422
    assert answer.page.value("start_time") == "11:00"
    assert len(answer.page.all("[name=scope]")) == 2
    assert starts(entries(make)) == starts(rows)
    last = rita.htmx.post("/calendar/events/move", target="week-grid", **(drag | {"event": rows[3].id}))
    assert last.status_code == 200, "nothing follows the last one"


def test_a_series_is_extended_where_its_rule_puts_it(rita: Person, make: Make, rows: list[Event]) -> None:
    row = rows[3]
    make.visit(at("11-10T10:00"))
    sent = {"version": row.row_version, "ends": "count", "count": "3"}
    plan = rita.htmx.post(f"/calendar/events/{row.id}/series", target="dialog", **sent)
    assert plan.status_code == 422
    assert [line[:2] for line in states(plan.page)] == [
        ("Tue 27 Oct, 10:00–10:30", True),
        ("Tue 10 Nov, 10:00–10:30", False),
        ("Tue 24 Nov, 10:00–10:30", True),
    ]
    answer = answer_plan(rita, plan, ticked(plan.page))
    assert answer.status_code == 200, answer.page.text
    assert starts(entries(make))[4:] == ["27 Oct 10:00", "24 Nov 10:00"]
    assert {each.patient_id for each in entries(make)} == {rows[0].patient_id}
    rita.htmx.post(str(answer.page.one(".toast form")["action"]))
    assert starts(entries(make)) == starts(rows)


def test_a_moved_series_is_extended_from_where_it_is_now(rita: Person, make: Make, rows: list[Event]) -> None:
    move(rita, rows[1], "09-16 11:00")
    row = entries(make)[0]
    sent = {"version": row.row_version, "ends": "until", "until": "2026-11-12"}
    plan = rita.htmx.post(f"/calendar/events/{row.id}/series", target="dialog", **sent)
    assert [line[0] for line in states(plan.page)] == ["Wed 28 Oct, 11:00–11:30", "Wed 11 Nov, 11:00–11:30"]


@pytest.mark.parametrize("sent", [{"count": "0"}, {"ends": "until", "until": "2026-09-02"}, {"count": "500"}])
def test_a_series_that_cannot_be_extended_like_that_says_why(
    rita: Person, make: Make, rows: list[Event], sent: dict[str, str]
) -> None:
    version = {"version": rows[0].row_version}
    answer = rita.htmx.post(f"/calendar/events/{rows[0].id}/series", target="dialog", **(version | sent))
    assert answer.status_code == 422
    assert answer.page.has(".problem")
    assert len(entries(make)) == 4


def test_the_sheet_of_a_series_lists_its_entries(rita: Person, make: Make, rows: list[Event]) -> None:
    move(rita, rows[2], "09-30 15:00", scope="one")
    page = rita.htmx.get(f"/calendar/events/{rows[0].id}/series", target="dialog").page
    lines = [" ".join(each.get_text(" ").split()) for each in page.all(".plan > li")]
    assert lines == [
        "Tue 1 Sep, 10:00–10:30",
        "Tue 15 Sep, 10:00–10:30",
        "Wed 30 Sep, 15:00–15:30 moved singly",
        "Tue 13 Oct, 10:00–10:30",
    ]
    assert rita.get(f"/calendar/events/{make.visit(at('09-02T10:00')).id}/series").status_code == 404


def test_a_deleted_chart_takes_its_series_along_and_back(rita: Person, make: Make, rows: list[Event]) -> None:
    patient_id = rows[0].patient_id
    rita.post(f"/calendar/patients/{patient_id}/delete")
    assert entries(make) == []
    rita.post(f"/calendar/patients/{patient_id}/undelete")
    assert starts(entries(make)) == starts(rows)


def test_the_export_has_the_rules(rows: list[Event]) -> None:
    from cpms.exchange import queries

    assert "event_series" in [table.name for table in queries.tables()]
