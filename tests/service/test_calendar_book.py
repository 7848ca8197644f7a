"""Booking: who may have the chair, and what is asked first."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from cpms.audit import queries as audit
from cpms.calendar import queries, services
from cpms.calendar.models import Event, Kind, Status
from cpms.core.db import db, transaction
from cpms.core.errors import Refused
from tests.make import TUESDAY, Make

Book = Callable[..., Event]


@pytest.fixture
def book(ctx: Flask, make: Make) -> Book:
    """Book at the desk: Tuesday 10:00, half an hour, chair 1, Dr Ada, unless said otherwise."""
    usual = {"chair_id": make.chair("Chair 1").id, "provider_id": make.user("ada").id, "patient_id": make.patient().id}

    def desk(start: datetime = TUESDAY, minutes: int = 30, **columns: Any) -> Event:
        with transaction("event.create", actor=None):
            return services.book(start=start, end=start + timedelta(minutes=minutes), **(usual | columns))

    return desk


def test_a_visit_is_booked_and_the_trail_says_so(book: Book) -> None:
    event = book()
    assert (event.status, event.kind, event.minutes) == (Status.SCHEDULED, Kind.VISIT, 30)
    entry = audit.entries(limit=1)[0]
    assert entry.action == "event.create"
    [change] = audit.changes_of(entry.id)
    assert (change.table_name, change.row_id, change.patient_id) == ("event", str(event.id), event.patient_id)
    assert change.columns["start"] == [None, "2026-09-01T10:00:00"]


def test_nobody_else_gets_the_chair(book: Book, make: Make) -> None:
    book()
    with pytest.raises(services.SlotTaken, match=r"Chair 1 is taken from 10:00 to 10:30"):
        book(TUESDAY + timedelta(minutes=25), provider_id=make.user("hugo").id)


def test_every_booking_is_news_for_open_calendars(book: Book) -> None:
    before = queries.revision()
    book()
    assert queries.revision() > before


def test_nobody_else_gets_the_dentist(book: Book, make: Make) -> None:
    book()
    with pytest.raises(services.SlotTaken, match=r"Dr Ada Dent is taken from 10:00"):
        book(chair_id=make.chair("Chair 2").id)


def test_one_may_start_when_the_other_ends(book: Book) -> None:
    book()
    assert book(TUESDAY + timedelta(minutes=30)).id
    assert book(TUESDAY - timedelta(minutes=30), confirmed=True).id


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.NO_SHOW])
def test_cancelled_and_missed_visits_hold_nothing(book: Book, make: Make, status: Status) -> None:
    make.visit(status=status)
    assert book().id


def test_a_deleted_entry_holds_nothing(book: Book) -> None:
    first = book()
    with transaction("event.delete", actor=None):
        services.delete_event(first, seen=first.row_version)
    assert book().id


def test_booked_anyway_keeps_its_reason_and_later_ones_still_clash(book: Book) -> None:
    book()
    over = book(overbook_reason="Toothache", confirmed=True)
    assert over.overbook_reason == "Toothache"
    with pytest.raises(services.SlotTaken):
        book()


def test_a_reason_with_nothing_to_excuse_is_not_kept(book: Book) -> None:
    assert book(overbook_reason="Just in case").overbook_reason is None


def test_the_same_form_sent_twice_books_once(book: Book) -> None:
    first = book(booking_key="abc")
    assert book(booking_key="abc").id == first.id


def test_a_form_sent_again_after_its_visit_was_taken_back_books_anew(book: Book) -> None:
    first = book(booking_key="abc")
    with transaction("event.delete", actor=None):
        services.delete_event(first, seen=first.row_version)
    assert book(booking_key="abc").id != first.id


def test_the_same_patient_at_the_same_time_is_asked_about(book: Book, make: Make) -> None:
    book()
    elsewhere = {"chair_id": make.chair("Chair 2").id, "provider_id": make.user("hugo").id}
    with pytest.raises(services.Unconfirmed, match="another visit at 10:00"):
        book(**elsewhere)
    assert book(**elsewhere, confirmed=True).id


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        (datetime(2026, 9, 1, 19, 0), "outside the opening hours"),
        (datetime(2026, 9, 6, 10, 0), "closed on that day"),
        (datetime(2026, 8, 31, 10, 0), "in the past"),
    ],
)
def test_the_unusual_is_asked_about_first(book: Book, start: datetime, sentence: str) -> None:
    with pytest.raises(services.Unconfirmed, match=sentence) as asked:
        book(start)
    assert book(start, confirmed=asked.value.key).start == start


def test_a_yes_to_one_question_is_no_yes_to_another(book: Book) -> None:
    with pytest.raises(services.Unconfirmed) as asked:
        book(datetime(2026, 9, 1, 19, 0))
    with pytest.raises(services.Unconfirmed, match="closed"):
        book(datetime(2026, 9, 6, 10, 0), confirmed=asked.value.key)


@pytest.mark.parametrize(
    ("changes", "sentence", "field"),
    [
        ({"minutes": 0}, "at least 5 minutes", "minutes"),
        ({"minutes": -30}, "at least 5 minutes", "minutes"),
        ({"minutes": 485}, "at most 8 hours", "minutes"),
        ({"minutes": 32}, "steps of 5 minutes", "minutes"),
        ({"start": datetime(2026, 9, 1, 10, 3)}, "steps of 5 minutes", "start_time"),
        ({"start": datetime(2026, 9, 1, 20, 0), "minutes": 300}, "end on the day", "minutes"),
        ({"start": datetime(2027, 3, 28, 2, 30)}, "does not exist on that day", "start_time"),
        ({"patient_id": None}, "choose a patient", "patient_id"),
        ({"provider_id": None}, "who sees the patient", "provider_id"),
        ({"kind": Kind.BLOCK}, "what the block is for", "title"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(
    book: Book, changes: dict[str, Any], sentence: str, field: str
) -> None:
    with pytest.raises(Refused, match=sentence) as refusal:
        book(**changes)
    assert refusal.value.field == field
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM event").scalar() == 0


def test_an_hour_that_comes_twice_is_asked_about_and_keeps_its_length(book: Book) -> None:
    night = datetime(2026, 10, 25, 2, 30)
    with pytest.raises(services.Unconfirmed, match="comes twice"):
        book(night, minutes=60)
    event = book(night, minutes=60, confirmed=True)
    assert (event.start, event.minutes) == (night, 60)


def test_an_archived_patient_is_restored_first(book: Book, make: Make) -> None:
    from cpms.patients import queries as patients
    from cpms.patients import services as patient_services

    gone = make.patient(last_name="Gone")
    with transaction("patient.archive", actor=None):
        patient_services.archive_patient(patients.patient(gone.id))
    with pytest.raises(Refused, match="Gone is archived"):
        book(patient_id=gone.id)


def test_a_block_holds_the_chair_without_a_dentist(book: Book, make: Make) -> None:
    make.block(title="Repair")
    with pytest.raises(services.SlotTaken, match="Repair"):
        book()


def test_somebody_who_takes_no_visits_gets_none(book: Book, make: Make) -> None:
    with pytest.raises(Refused, match="Rita Desk takes no visits"):
        book(provider_id=make.user("rita").id)
