"""Moving, walking, deleting, and the way back."""

from datetime import timedelta

import pytest
from flask import Flask

from cpms.audit import queries as audit
from cpms.calendar import queries, services
from cpms.calendar.models import Event, Status
from cpms.core.db import db, transaction
from cpms.core.errors import Conflict, ConstraintBroken, Refused, Stale
from tests.make import TUESDAY, Make

HALF_HOUR = timedelta(minutes=30)


@pytest.fixture
def visit(ctx: Flask, make: Make) -> Event:
    return queries.event(make.visit().id)


def move(event: Event, *, seen: int | None = None, **where: object) -> None:
    there = {"start": event.start, "end": event.end, "chair_id": event.chair_id, "provider_id": event.provider_id}
    with transaction("event.move", actor=None, about=event):
        services.move_event(event, seen=seen or event.row_version, **(there | where))


def walk(event: Event, status: Status, reason: str | None = None) -> None:
    with transaction("event.status", actor=None, about=event, reason=reason):
        services.set_status(event, status, seen=event.row_version, reason=reason)


def test_a_move_is_stored_and_the_trail_has_both_times(visit: Event) -> None:
    move(visit, start=TUESDAY + HALF_HOUR, end=TUESDAY + 2 * HALF_HOUR)
    assert queries.event(visit.id).start == TUESDAY + HALF_HOUR
    [change] = audit.changes_of(audit.entries(limit=1)[0].id)
    assert change.columns["start"] == ["2026-09-01T10:00:00", "2026-09-01T10:30:00"]


def test_the_second_desk_is_told_and_nothing_is_overwritten(visit: Event) -> None:
    seen = visit.row_version
    move(visit, start=TUESDAY + HALF_HOUR, end=TUESDAY + 2 * HALF_HOUR)
    with pytest.raises(Stale):
        move(visit, seen=seen, start=TUESDAY, end=TUESDAY + HALF_HOUR)
    assert queries.event(visit.id).start == TUESDAY + HALF_HOUR


def test_a_move_onto_another_visit_is_refused(visit: Event, make: Make) -> None:
    make.visit(TUESDAY + HALF_HOUR)
    with pytest.raises(services.SlotTaken):
        move(visit, start=TUESDAY + HALF_HOUR, end=TUESDAY + 2 * HALF_HOUR)
    assert queries.event(visit.id).start == TUESDAY


def test_making_it_longer_counts_as_moving(visit: Event, make: Make) -> None:
    make.visit(TUESDAY + HALF_HOUR)
    with pytest.raises(services.SlotTaken):
        move(visit, end=TUESDAY + timedelta(minutes=35))


def test_moving_into_the_free_forgets_the_reason_for_overbooking(ctx: Flask, make: Make) -> None:
    make.visit()
    over = queries.event(make.visit(overbook_reason="Toothache").id)
    assert over.overbook_reason == "Toothache"
    move(over, start=TUESDAY + 4 * HALF_HOUR, end=TUESDAY + 5 * HALF_HOUR)
    assert over.overbook_reason is None


def test_a_finished_visit_stays_where_it_was(visit: Event) -> None:
    walk(visit, Status.COMPLETED)
    with pytest.raises(Refused, match="stays where it was"):
        move(visit, start=TUESDAY + HALF_HOUR, end=TUESDAY + 2 * HALF_HOUR)


def test_the_whole_walk_forwards_needs_no_reason(visit: Event) -> None:
    for status in (Status.CONFIRMED, Status.ARRIVED, Status.IN_CHAIR, Status.COMPLETED):
        walk(visit, status)
        assert queries.event(visit.id).status is status


def test_the_way_back_needs_a_reason_and_leaves_two_traces(visit: Event) -> None:
    walk(visit, Status.NO_SHOW)
    with pytest.raises(Refused, match="reason"):
        walk(visit, Status.ARRIVED)
    walk(visit, Status.ARRIVED, reason="Was only late")
    newest, before = audit.entries(about_table="event", about_id=str(visit.id), limit=2)
    assert [newest.reason, before.reason] == ["Was only late", None]
    assert audit.changes_of(newest.id)[0].columns["status"] == ["no_show", "arrived"]
    assert audit.changes_of(before.id)[0].columns["status"] == ["scheduled", "no_show"]


def test_cancelling_needs_a_reason_and_keeps_it(visit: Event) -> None:
    with pytest.raises(Refused, match="reason"):
        walk(visit, Status.CANCELLED)
    walk(visit, Status.CANCELLED, reason="The patient is ill")
    assert visit.cancel_reason == "The patient is ill"


def test_a_cancelled_visit_comes_back_only_to_a_free_chair(visit: Event, make: Make) -> None:
    walk(visit, Status.CANCELLED, reason="The patient is ill")
    make.visit()
    with pytest.raises(services.SlotTaken):
        walk(visit, Status.SCHEDULED, reason="Well again")
    assert queries.event(visit.id).status is Status.CANCELLED


def test_a_deleted_entry_comes_back_only_to_a_free_chair(visit: Event, make: Make) -> None:
    with transaction("event.delete", actor=None):
        services.delete_event(visit, seen=visit.row_version)
    other = make.visit()
    with pytest.raises(services.SlotTaken), transaction("event.undelete", actor=None):
        services.undelete_event(visit)
    with transaction("event.delete", actor=None):
        services.delete_event(queries.event(other.id), seen=other.row_version)
    with transaction("event.undelete", actor=None):
        services.undelete_event(visit)
    assert not queries.event(visit.id).is_deleted


def test_a_deleted_entry_cannot_be_changed(visit: Event) -> None:
    with transaction("event.delete", actor=None):
        services.delete_event(visit, seen=visit.row_version)
    with pytest.raises(Conflict, match="deleted"):
        move(visit, start=TUESDAY + HALF_HOUR, end=TUESDAY + 2 * HALF_HOUR)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET start = '2026-09-01 10:15:00.000000' WHERE id = {late}",
        "UPDATE event SET chair_id = 1, start = '2026-09-01 10:00:00.000000' WHERE id = {late}",
        "UPDATE event SET status = 'scheduled' WHERE id = {cancelled}",
        "UPDATE event SET deleted_at = NULL WHERE id = {deleted}",
        "UPDATE event SET overbook_reason = NULL WHERE id = {over}",
        'INSERT INTO event (id, title, start, "end", color, kind, status, notes, patient_id, chair_id, provider_id, '
        "type_id, created_at, updated_at, row_version) SELECT {late} + 100, title, '2026-09-01 10:00:00.000000', "
        '"end", color, kind, status, notes, patient_id, chair_id, provider_id, type_id, created_at, updated_at, '
        "row_version FROM event WHERE id = {late}",
    ],
)
def test_the_database_itself_keeps_the_chair(visit: Event, make: Make, statement: str) -> None:
    """Whatever writes, even around the services: the triggers refuse a second holder of a slot."""
    ids = {
        "late": make.visit(TUESDAY + HALF_HOUR).id,
        "over": make.visit(overbook_reason="Toothache").id,
        "cancelled": make.visit(overbook_reason="x", status=Status.CANCELLED).id,
        "deleted": make.visit(overbook_reason="x").id,
    }
    with transaction("test.prepare", actor=None):
        services.delete_event(queries.event(ids["deleted"]), seen=1)
        for name in ("cancelled", "deleted"):
            queries.event(ids[name]).overbook_reason = None
    with pytest.raises(ConstraintBroken) as broken, transaction("test.around", actor=None):
        db.session.connection().exec_driver_sql(statement.format(**ids))
    assert broken.value.constraint == "event_slot_taken"
