"""Every change of the calendar. The database's triggers keep the rule about chairs and providers as the last line."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import format_date
from flask_babel import gettext as _

from cpms.auth import queries as auth
from cpms.calendar import queries, rules
from cpms.calendar.models import AppointmentType, Chair, Event, EventSeries, Kind, Status
from cpms.calendar.series.rules import slot_words
from cpms.core import clock
from cpms.core.db import db
from cpms.core.errors import Conflict, Refused
from cpms.hours import queries as working_hours
from cpms.patients import queries as patients
from cpms.patients import services as patient_services
from cpms.patients.models import Patient, PatientStatus


class SlotTaken(Conflict):
    """Somebody holds the chair or the provider then. With a right to and a reason it can be booked all the same."""


class Unconfirmed(Refused):
    """Unusual, but allowed when the person says so: `warnings` are sentences, `key` says "yes" to just these."""

    def __init__(self, warnings: list[str]) -> None:
        super().__init__(" ".join(warnings))
        self.warnings = warnings
        self.key = _key(warnings)


class OtherDay(Refused):
    """The visit is not today's: the step is taken only when the person was told the day."""


def book(
    *,
    start: datetime,
    end: datetime,
    chair_id: int,
    provider_id: int | None = None,
    patient_id: int | None = None,
    kind: Kind = Kind.VISIT,
    title: str = "",
    type_id: int | None = None,
    color: str | None = None,
    notes: str = "",
    overbook_reason: str | None = None,
    confirmed: bool | str = False,
    booking_key: str | None = None,
) -> Event:
    """Put a visit or a block on the calendar. A repeated `booking_key` gives back the first entry.

    Raises SlotTaken, Refused with the field at fault, or Unconfirmed: what is unusual is stored only when `confirmed`
    is the key of those very warnings, or True.
    """
    if booking_key and (first := queries.event_with_key(booking_key)):
        if not first.is_deleted:
            return first
        booking_key = None  # it was taken back, and the form is sent once more: that is a new booking
    if kind is Kind.BLOCK:
        patient_id = None
    type_ = check_new(
        kind=kind, title=title, patient_id=patient_id, chair_id=chair_id, provider_id=provider_id, type_id=type_id
    )
    check_times(kind, start, end)
    row = Event(
        start=start,
        end=end,
        chair_id=chair_id,
        provider_id=provider_id,
        patient_id=patient_id,
        kind=kind,
        title=title,
        type_id=type_id,
        color=color or _usual_color(kind, type_),
        notes=notes,
        booking_key=booking_key,
        status=Status.SCHEDULED,
        status_changed_at=clock.now(),
    )
    _take(row, overbook_reason=overbook_reason, confirmed=confirmed)
    db.session.add(row)
    db.session.flush()
    return row


def book_looked_at(
    slots: Sequence[tuple[datetime, datetime, str | None]],
    *,
    series_id: int,
    type_: AppointmentType | None,
    kind: Kind,
    patient_id: int | None,
    color: str | None = None,
    booking_key: str | None = None,
    **entry: Any,
) -> list[Event]:
    """Put the entries of a series on the calendar: each its start, its end, and the reason to lie over others.

    The caller looked at the slots and called `check_new` in this very transaction, so nothing is asked again.
    """
    now = clock.now()
    rows = [
        Event(
            start=start,
            end=end,
            overbook_reason=reason,
            kind=kind,
            patient_id=None if kind is Kind.BLOCK else patient_id,
            type_id=type_.id if type_ else None,
            color=color or _usual_color(kind, type_),
            booking_key=None if number else booking_key,
            status=Status.SCHEDULED,
            status_changed_at=now,
            series_id=series_id,
            **entry,
        )
        for number, (start, end, reason) in enumerate(slots)
    ]
    for row in rows:
        row.series_slot = slot_words(row)
    db.session.add_all(rows)
    db.session.flush()
    return rows


def _usual_color(kind: Kind, type_: AppointmentType | None) -> str:
    return type_.color if type_ else rules.SWATCHES["slate" if kind is Kind.BLOCK else "teal"]


def check_new(
    *,
    kind: Kind,
    title: str,
    patient_id: int | None,
    chair_id: int,
    provider_id: int | None,
    type_id: int | None,
) -> AppointmentType | None:
    """Whether such an entry may be booked at all, whenever; gives back its type."""
    if kind is Kind.BLOCK:
        patient_id = None
    _check_subject(kind, patient_id, provider_id, title)
    if patient_id is not None:
        _check_patient(patient_id)
    _check_places(chair_id, provider_id)
    return queries.type_(type_id) if type_id is not None else None


def change_event(
    event: Event,
    *,
    seen: int,
    start: datetime,
    end: datetime,
    chair_id: int,
    provider_id: int | None,
    patient_id: int | None,
    title: str,
    type_id: int | None,
    color: str | None,
    notes: str,
    overbook_reason: str | None = None,
    confirmed: bool | str = False,
) -> None:
    """Store what the form of an entry says, its time and place included."""
    event.expect_version(seen)
    _check_there(event)
    if event.kind is Kind.BLOCK:
        patient_id = None
    _check_subject(event.kind, patient_id, provider_id, title)
    if patient_id is not None and patient_id != event.patient_id:
        _check_patient(patient_id)  # whom a visit has already may have left the lists since
    if type_id is not None and type_id != event.type_id:
        queries.type_(type_id)
    moved = (event.start, event.end, event.chair_id, event.provider_id) != (start, end, chair_id, provider_id)
    if moved:
        _check_movable(event)
        check_times(event.kind, start, end)
        _check_places(chair_id, provider_id, event)
    event.start, event.end, event.chair_id, event.provider_id = start, end, chair_id, provider_id
    event.patient_id, event.title, event.type_id, event.notes = patient_id, title, type_id, notes
    if color:
        event.color = color
    if moved:
        _take(event, overbook_reason=overbook_reason, confirmed=confirmed)


def move_event(
    event: Event,
    *,
    seen: int,
    start: datetime,
    end: datetime,
    chair_id: int,
    provider_id: int | None,
    overbook_reason: str | None = None,
    confirmed: bool | str = False,
) -> None:
    """Give an entry another time or place. The slot must be free and the caller's picture of the entry current."""
    event.expect_version(seen)
    _check_there(event)
    if (event.start, event.end, event.chair_id, event.provider_id) == (start, end, chair_id, provider_id):
        return
    _check_movable(event)
    _check_provider(event.kind, provider_id)
    check_times(event.kind, start, end)
    _check_places(chair_id, provider_id, event)
    event.start, event.end, event.chair_id, event.provider_id = start, end, chair_id, provider_id
    _take(event, overbook_reason=overbook_reason, confirmed=confirmed)


def set_status(
    event: Event,
    status: Status,
    *,
    seen: int,
    reason: str | None = None,
    overbook_reason: str | None = None,
    told_day: date | None = None,
    confirmed: bool | str = False,
) -> None:
    """Walk a visit one step on, or back with a reason. Coming back from cancelled or no-show takes the slot again.

    Raises OtherDay when a visit of another day than `told_day` would arrive, sit down, be done or be missed today, and
    Unconfirmed when it would come back outside the hours.
    """
    event.expect_version(seen)
    _check_there(event)
    if event.kind is Kind.BLOCK:
        raise Refused(_("A block has no status."))
    if status is event.status:
        return
    if rules.is_back(event.status, status) and not reason:
        raise Refused(_("Please give a reason for the step back."), field="reason")
    if status is Status.CANCELLED and not reason:
        raise Refused(_("Please give a reason for the cancellation."), field="reason")
    on = event.start.date()
    if status in rules.THAT_DAY and not rules.is_back(event.status, status) and on not in {clock.today(), told_day}:
        raise OtherDay(
            _(
                "This visit is on %(day)s. Mark it as “%(status)s” anyway?",
                day=format_date(on, _("EEE d MMM y")),
                status=queries.status_words()[status],
            )
        )
    takes_again = event.status in rules.FREE and status not in rules.FREE
    event.status, event.status_changed_at = status, clock.now()
    event.cancel_reason = reason if status is Status.CANCELLED else None
    event.no_new_date_reason = None
    if takes_again:
        _take(event, overbook_reason=overbook_reason, confirmed=True)
        _ask_to_bring_back(event, confirmed)


def want_no_new_date(event: Event, *, seen: int, reason: str) -> None:
    """Nobody looks for another date of a visit that was cancelled or missed."""
    event.expect_version(seen)
    _check_there(event)
    if event.status not in rules.FREE:
        raise Refused(_("This visit is on the calendar: it needs no new date."))
    event.no_new_date_reason = reason


def delete_event(event: Event, *, seen: int) -> None:
    """Take an entry off the calendar; it stays in the database and can come back."""
    event.expect_version(seen)
    _check_there(event)
    event.deleted_at = clock.now()


def undelete_event(event: Event, *, overbook_reason: str | None = None, confirmed: bool | str = False) -> None:
    """Put a deleted entry back where it was, if the place is still free or there is a reason to lie over others.

    Raises Unconfirmed when it would come back outside the hours.
    """
    if not event.is_deleted:
        return
    if event.patient_id is not None:
        _check_chart_there(event.patient_id)
    event.deleted_at = None
    if event.status not in rules.FREE:
        _take(event, overbook_reason=overbook_reason, confirmed=True)
        _ask_to_bring_back(event, confirmed)


class VisitsInTheWay(Conflict):
    """Some visits cannot come back with their patient: `visits` says for each what stands in the way."""

    def __init__(self, visits: list[tuple[Event, str]]) -> None:
        super().__init__(" ".join(sentence for _event, sentence in visits))
        self.visits = visits


def delete_patient(patient: Patient) -> list[Event]:
    """A chart into the trash, and what is booked still off the calendar with it; gives back those visits."""
    visits = queries.coming(patient.id)
    patient_services.delete_patient(patient)
    for visit in visits:
        visit.deleted_at = patient.deleted_at  # the same instant: by it they come back together
    return visits


def undelete_patient(
    patient: Patient, *, may_overbook: bool, without: frozenset[int] = frozenset()
) -> tuple[list[Event], list[Event]]:
    """A chart out of the trash, and the visits that went with it back to their places: those, and those left behind.

    Raises VisitsInTheWay when a place was given away; visits whose ids are in `without` may then stay in the trash.
    """
    visits = queries.deleted_with([patient]).get(patient.id, [])
    patient_services.undelete_patient(patient)
    back, left, taken = [], [], []
    for visit in visits:
        then, visit.deleted_at = visit.deleted_at, None
        try:
            _take(visit, overbook_reason=visit.overbook_reason if may_overbook else None, confirmed=True)
            db.session.flush()
            back.append(visit)
        except SlotTaken as problem:
            visit.deleted_at = then
            left.append(visit)
            if visit.id not in without:
                taken.append((visit, str(problem)))
    if taken:
        raise VisitsInTheWay(taken)
    return back, left


def put_back(event: Event, columns: Mapping[str, Any], *, may_overbook: bool) -> None:
    """Earlier values of the trail, under the rules of any other change: the time is free, the chair is in use."""
    if "deleted_at" not in columns:
        _check_there(event)
    place = {name: columns.get(name, getattr(event, name)) for name in ("start", "end", "chair_id", "provider_id")}
    moved = any(value != getattr(event, name) for name, value in place.items())
    if moved and "status" not in columns:
        _check_movable(event)
    _check_places(place["chair_id"], place["provider_id"], event)
    whose = columns.get("patient_id", event.patient_id)
    if columns.get("deleted_at", event.deleted_at) is None and whose is not None:
        _check_chart_there(whose)
    for name, value in columns.items():
        setattr(event, name, value)
    if "status" in columns:
        event.status_changed_at = clock.now()
    holds = not event.is_deleted and event.status not in rules.FREE
    if holds and (moved or {"deleted_at", "status", "overbook_reason"} & set(columns)):
        _take(event, overbook_reason=event.overbook_reason if may_overbook else None, confirmed=True)


def check_can_be_held(event: Event, *, to_move: bool) -> None:
    """Say at once what would be refused only where the entry is put down."""
    _check_there(event)
    if to_move:
        _check_movable(event)


def _check_there(event: Event) -> None:
    if event.is_deleted:
        raise Conflict(_("This entry was deleted meanwhile. Nothing was saved."))


def _check_movable(event: Event) -> None:
    if event.status in rules.FINISHED:
        raise Refused(_("A finished visit stays where it was."))


def _check_subject(kind: Kind, patient_id: int | None, provider_id: int | None, title: str) -> None:
    if kind is Kind.BLOCK:
        if not title:
            raise Refused(_("Please say what the block is for."), field="title")
        return
    if patient_id is None and not title:
        raise Refused(_("Please choose a patient, or say what it is."), field="patient_id")
    _check_provider(kind, provider_id)


def _check_provider(kind: Kind, provider_id: int | None) -> None:
    if kind is Kind.VISIT and provider_id is None:
        raise Refused(_("Please choose who sees the patient."), field="provider_id")


def _check_chart_there(patient_id: int) -> Patient:
    patient = patients.patient(patient_id)
    if patient.is_deleted:
        raise Refused(_("%(name)s was deleted. Restore the patient first.", name=patient.name), field="patient_id")
    return patient


def _check_patient(patient_id: int) -> None:
    patient = _check_chart_there(patient_id)
    if patient.status is PatientStatus.ARCHIVED:
        raise Refused(_("%(name)s is archived. Restore the patient first.", name=patient.name), field="patient_id")


def check_times(kind: Kind, start: datetime, end: datetime) -> None:
    if not rules.is_on_calendar(start.date()):
        raise Refused(out_of_range(), field="day")
    minutes = int((end - start).total_seconds() // 60)
    if minutes < rules.SHORTEST:
        raise Refused(_("It must last at least %(n)d minutes.", n=rules.SHORTEST), field="minutes")
    if kind is Kind.VISIT and minutes > rules.LONGEST_VISIT:
        raise Refused(_("A visit lasts at most %(n)d hours.", n=rules.LONGEST_VISIT // 60), field="minutes")
    if end > datetime.combine(start.date() + timedelta(days=1), time()):
        raise Refused(_("It must end on the day on which it starts."), field="minutes")
    for field, given in (("start_time", start.minute), ("minutes", minutes)):
        if given % rules.STEP:
            raise Refused(_("Times go in steps of %(n)d minutes.", n=rules.STEP), field=field)
    if clock.is_skipped(start) or clock.is_skipped(end):
        raise Refused(_("The clocks go forward then: this time does not exist on that day."), field="start_time")


def out_of_range() -> str:
    return _("Please give a date from %(first)d to %(last)d.", first=rules.FIRST_DAY.year, last=rules.LAST_DAY.year)


def _check_places(chair_id: int, provider_id: int | None, event: Event | None = None) -> None:
    """What is newly chosen must be in use; what an entry already has may stay."""
    if (event is None or chair_id != event.chair_id) and not queries.chair(chair_id).active:
        raise Refused(_("This chair is not in use any more."), field="chair_id")
    if provider_id is not None and (event is None or provider_id != event.provider_id):
        provider = auth.user(provider_id)
        if not (provider.active and provider.is_provider):
            raise Refused(_("%(name)s takes no visits.", name=provider.display_name), field="provider_id")


def _take(event: Event, *, overbook_reason: str | None, confirmed: bool | str) -> None:
    """Let the entry hold its slot, or say who holds it. A reason is kept only while there is something to excuse."""
    with db.session.no_autoflush:  # the look around must not store the entry that it judges
        taken = _holders(event)
        warnings = [] if confirmed is True else _warnings(event)
        if taken and not overbook_reason:
            raise SlotTaken(_who_has_it(event, taken))
    if warnings and confirmed != _key(warnings):
        raise Unconfirmed(warnings)
    event.overbook_reason = overbook_reason if taken else None


def look(slots: Sequence[Event], *, besides: frozenset[int] = frozenset()) -> list[tuple[str, list[str]]]:
    """Of each slot who holds it, in a sentence, and what is unusual about it; entries `besides` do not matter.

    As many statements for many slots as for one.
    """
    if not slots:
        return []
    first, last = min(each.start for each in slots), max(each.start for each in slots)
    with db.session.no_autoflush:
        table = working_hours.timetable(first.date(), last.date() + timedelta(days=1))
        people = {each: auth.user(each) for each in {slot.provider_id for slot in slots} if each is not None}
        found = []
        for slot, around in zip(slots, queries.around(slots), strict=True):
            taken = [other for other in around.holders if other.id not in besides]
            met = [other for other in around.of_patient if other.id not in besides]
            unusual = _odd(slot, met)
            if slot.kind is not Kind.BLOCK:
                unusual = (
                    working_hours.sentences(table, people.get(slot.provider_id or 0), slot.start, slot.end) + unusual
                )
            found.append((_who_has_it(slot, taken) if taken else "", unusual))
        return found


def _holders(event: Event) -> list[Event]:
    return queries.clashes(
        event.start, event.end, chair_id=event.chair_id, provider_id=event.provider_id, except_id=event.id
    )


def _key(warnings: list[str]) -> str:
    return hashlib.sha256(" ".join(warnings).encode()).hexdigest()[:16]


def _who_has_it(event: Event, taken: list[Event]) -> str:
    sentences = []
    for other in taken[:3]:
        same_chair = other.chair_id == event.chair_id
        whose = other.chair.name if same_chair or other.provider is None else other.provider.display_name
        sentences.append(
            _(
                "%(whose)s is taken from %(start)s to %(end)s: %(label)s.",
                whose=whose,
                start=f"{other.start:%H:%M}",
                end=f"{other.end:%H:%M}",
                label=label(other),
            )
        )
    return " ".join(sentences)


def _warnings(event: Event) -> list[str]:
    """What is unusual about the slot, as sentences."""
    met = []
    if event.patient_id is not None:
        met = queries.of_patient_at(event.patient_id, event.start, event.end, except_id=event.id)
    return _outside_hours(event) + _odd(event, met)


def _odd(event: Event, met: Sequence[Event]) -> list[str]:
    """What is unusual about the slot whatever the hours are; `met` are the patient's other visits at that time."""
    found = []
    if event.end <= clock.clinic_now():
        found.append(_("This time is in the past."))
    if clock.is_repeated(event.start):
        found.append(_("The clocks go back that night: this time comes twice; the first one is meant."))
    found += [
        _(
            "The same patient has another visit at %(start)s (%(chair)s).",
            start=f"{other.start:%H:%M}",
            chair=other.chair.name,
        )
        for other in met
    ]
    return found


def _outside_hours(event: Event) -> list[str]:
    """Why nobody would expect a visit then: a break, a closed day, an absence … A block may lie anywhere."""
    if event.kind is Kind.BLOCK:
        return []
    day = event.start.date()
    table = working_hours.timetable(day, day + timedelta(days=1))
    provider = auth.user(event.provider_id) if event.provider_id is not None else None
    return working_hours.sentences(table, provider, event.start, event.end)


def _ask_to_bring_back(event: Event, confirmed: bool | str) -> None:
    """What comes back may have come to lie outside the hours meanwhile; what else is unusual was confirmed once."""
    with db.session.no_autoflush:
        warnings = [] if confirmed is True else _outside_hours(event)
    if warnings and confirmed != _key(warnings):
        raise Unconfirmed(warnings)


def label(event: Event) -> str:
    """What a person calls the entry: the patient's name, or what it is for."""
    return event.patient.name if event.patient is not None else event.title


def add_chair(*, name: str) -> Chair:
    row = Chair(name=name, position=len(queries.chairs(every=True)))
    db.session.add(row)
    return row


def add_type(*, name: str, minutes: int, color: str) -> AppointmentType:
    row = AppointmentType(name=name, minutes=minutes, color=color, position=len(queries.types(every=True)))
    db.session.add(row)
    return row


def change_row(row: Chair | AppointmentType, *, seen: int, **columns: Any) -> None:
    """Store what the form of a chair or of a type says."""
    row.expect_version(seen)
    for name, value in columns.items():
        setattr(row, name, value)


def retire_chair(row: Chair, *, seen: int) -> None:
    """A chair given up stays on the visits that used it. The last one cannot go."""
    row.expect_version(seen)
    if queries.chairs() == [row]:
        raise Refused(_("This is the last chair in use. Add another one first."))
    row.active = False


def put_row_back(row: Chair | AppointmentType | EventSeries, columns: Mapping[str, Any]) -> None:
    """Earlier values of the trail; the last chair in use stays."""
    if isinstance(row, Chair) and row.active and not columns.get("active", True):
        retire_chair(row, seen=row.row_version)
    for name, value in columns.items():
        setattr(row, name, value)


def first_furniture() -> None:
    """What an empty clinic begins with: two chairs and the usual appointment types."""
    for name in (_("Chair 1"), _("Chair 2")):
        add_chair(name=name)
        db.session.flush()
    # Not the colours that people begin with: an edge says what a visit is for, a dot with whom.
    for name, minutes, color in (
        (_("Check-up"), 30, "green"),
        (_("Cleaning"), 45, "blue"),
        (_("Filling"), 45, "violet"),
        (_("Root canal"), 90, "red"),
        (_("Extraction"), 30, "orange"),
        (_("Emergency"), 30, "pink"),
    ):
        add_type(name=name, minutes=minutes, color=rules.SWATCHES[color])
        db.session.flush()
