"""Booking, changing and ending entries that repeat. All of what is asked for is stored, or nothing.

Every verb first makes a plan: a line for each date. What somebody has to see is raised as `LookAtThis`; the person
ticks the lines that are meant, and each tick says yes to just what its line said.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from flask_babel import format_date
from flask_babel import gettext as _

from cpms.calendar import queries as calendar
from cpms.calendar import services as calendar_services
from cpms.calendar.models import AppointmentType, Event, EventSeries, Kind, Status
from cpms.calendar.series import queries, rules
from cpms.calendar.series.rules import Rule
from cpms.core import clock
from cpms.core.db import db
from cpms.core.errors import Conflict, DomainError, Refused

Ticks = Collection[str]


@dataclass(frozen=True, slots=True)
class Line:
    """One date of a plan, and what is to be known about it."""

    key: str  # which date, and after a dot what was said of it
    start: datetime
    end: datetime
    was: datetime | None = None  # where the entry is now, when it would move
    refused: str = ""  # why it cannot be
    taken: str = ""  # who is there
    warnings: tuple[str, ...] = ()
    apart: str = ""  # what makes this entry another one than those of its series
    ticked: bool = False
    is_news: bool = False  # it was ticked when something else stood here
    event_id: int | None = None

    @property
    def is_clean(self) -> bool:
        return not (self.refused or self.taken or self.warnings or self.apart)


class Said(NamedTuple):
    """What is to be known about a place: why it cannot be, who is there, what is unusual."""

    refused: str = ""
    taken: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a verb would do."""

    lines: tuple[Line, ...]
    rule: Rule | None = None  # of what is booked
    stay: int = 0  # entries that came already or are over: these never change

    @property
    def taken(self) -> int:
        return sum(bool(line.taken) for line in self.lines)

    @property
    def free(self) -> int:
        return sum(line.is_clean for line in self.lines)


class LookAtThis(DomainError):
    """Somebody has to see the plan, and to say which of its lines are meant."""

    def __init__(self, plan: Plan, problem: str = "", *, field: str | None = None, status: int = 422) -> None:
        super().__init__(problem or None, field=field)
        self.plan = plan
        self.status = status


def book_series(
    *,
    rule: Rule,
    until: date | None,
    number: int | None,
    made_by: int | None,
    start: datetime,
    end: datetime,
    ticks: Ticks | None = None,
    overbook_reason: str | None = None,
    booking_key: str | None = None,
    **entry: Any,
) -> list[Event]:
    """Put a repeated visit or block on the calendar. Without `ticks` the plan is raised, to be looked at."""
    if booking_key and (first := calendar.event_with_key(booking_key)):
        if not first.is_deleted:
            return queries.entries(first.series_id) if first.series_id else [first]
        booking_key = None
    type_ = calendar_services.check_new(**{name: entry[name] for name in entry if name not in {"color", "notes"}})
    days = _days(rule, until=until, number=number)
    starts, lasts = [datetime.combine(day, start.time()) for day in days], end - start
    if not (clock.is_skipped(starts[0]) or clock.is_skipped(starts[0] + lasts)):
        calendar_services.check_times(entry["kind"], starts[0], starts[0] + lasts)  # what is wrong with every date
    lines = _lines_of_new([(each, each + lasts) for each in starts], entry)
    picked = _picked(Plan(_with_defaults(lines), rule), ticks, overbook_reason)
    series = EventSeries(
        unit=rule.unit,
        every=rule.every,
        weekdays=",".join(map(str, rule.weekdays)),
        monthly=rule.monthly,
        anchor=rules.first_day(rule),
        until=until,
        count=number,
        made_by_id=made_by,
    )
    db.session.add(series)
    db.session.flush()
    return _book(picked, series, type_, overbook_reason, booking_key, entry)


def extend_series(
    event: Event,
    *,
    seen: int,
    until: date | None,
    number: int | None,
    ticks: Ticks | None = None,
    overbook_reason: str | None = None,
) -> list[Event]:
    """More entries after the last one, where the rule puts them. Without `ticks` the plan is raised."""
    event.expect_version(seen)
    if event.is_deleted or event.series_id is None:
        raise Conflict(_("This entry was deleted meanwhile. Nothing was saved."))
    series, last = queries.series(event.series_id), queries.entries(event.series_id)[-1]
    begins, minutes, chair_id, provider_id = _slot(last)
    entry = {"chair_id": chair_id, "provider_id": provider_id}
    entry |= {name: getattr(last, name) for name in ("kind", "patient_id", "title", "type_id", "color", "notes")}
    type_ = calendar_services.check_new(**{name: entry[name] for name in entry if name not in {"color", "notes"}})
    after = max(begins, queries.last_slot(series.id) or begins).date() + timedelta(days=1)
    rule = queries.rule_of(series)
    starts = [datetime.combine(day, begins.time()) for day in _days(rule, until=until, number=number, since=after)]
    lines = _lines_of_new([(each, each + timedelta(minutes=minutes)) for each in starts], entry)
    picked = _picked(Plan(_with_defaults(lines), rule), ticks, overbook_reason)
    series.until, series.count = until, number and len(queries.entries(series.id)) + number
    return _book(picked, series, type_, overbook_reason, None, entry)


def change_following(
    event: Event,
    *,
    seen: int,
    start: datetime,
    end: datetime,
    ticks: Ticks | None = None,
    overbook_reason: str | None = None,
    **columns: Any,
) -> list[Event]:
    """Change an entry, and those of its series that follow, in the same way: each keeps its distance to this one.

    The plan is raised when something stands in the way, or when some were changed singly before.
    """
    movers, stay = _open_from(event, seen)
    columns = {name: value for name, value in columns.items() if name != "color" or value}
    changed = {name: value for name, value in columns.items() if getattr(event, name) != value}
    by, lasts = start - event.start, end - start
    days = start.date() - event.start.date()
    if not (changed or by or lasts != event.end - event.start):
        return []
    calendar_services.check_times(event.kind, start, end)
    grows = lasts - (event.end - event.start)
    targets = {each.id: _target(each, by, lasts if grows else each.end - each.start, changed) for each in movers}
    moving = frozenset(_ids(ticks) if ticks is not None else targets)
    moves = bool(by or grows or {"chair_id", "provider_id"} & set(changed))
    old = {name: getattr(event, name) for name in changed}
    said = _looked_at([targets[each.id] for each in movers], moving) if moves else [Said()] * len(movers)
    lines = [
        _line_of_change(each, targets[each.id], of_place, "" if each is event else _apart(each, old))
        for each, of_place in zip(movers, said, strict=True)
    ]
    picked = _picked(Plan(_with_defaults(lines), stay=stay), ticks, overbook_reason)
    reasons = {line.event_id: overbook_reason if line.taken else None for line in picked}
    chosen = [each for each in movers if each.id in reasons]
    # Onto the place of the next one: that one has to go first.
    for each in sorted(chosen, key=lambda one: one.start, reverse=by > timedelta(0)):
        _change(each, targets[each.id], by, lasts if grows else None, changed, reasons[each.id])
    if days and event.series_id is not None:
        series = queries.series(event.series_id)
        rule = rules.shifted(queries.rule_of(series), days)
        series.anchor, series.weekdays = rule.anchor, ",".join(map(str, rule.weekdays))
    return chosen


def cancel_following(event: Event, *, seen: int, reason: str | None, ticks: Ticks | None = None) -> list[Event]:
    """Cancel a visit and those of its series that follow; the plan is raised when some were changed singly before."""
    picked = _picked_as_they_are(event, seen, ticks)
    for each in picked:
        calendar_services.set_status(each, Status.CANCELLED, seen=each.row_version, reason=reason)
    return picked


def delete_following(event: Event, *, seen: int, ticks: Ticks | None = None) -> list[Event]:
    """End a series: an entry and those that follow leave the calendar; the plan is raised when some were changed
    singly before."""
    picked = _picked_as_they_are(event, seen, ticks)
    for each in picked:
        calendar_services.delete_event(each, seen=each.row_version)
    return picked


def _picked_as_they_are(event: Event, seen: int, ticks: Ticks | None) -> list[Event]:
    movers, stay = _open_from(event, seen)
    lines = []
    for each in movers:
        apart = "" if each is event else _apart(each, {})
        key = _key(str(each.id), each.row_version, apart)
        lines.append(Line(key, each.start, each.end, apart=apart, event_id=each.id))
    picked = {line.event_id for line in _picked(Plan(_with_defaults(lines), stay=stay), ticks, None)}
    return [each for each in movers if each.id in picked]


def _days(rule: Rule, *, until: date | None, number: int | None, since: date | None = None) -> list[date]:
    """The days of the rule, if they are not too many."""
    field = "until" if until is not None else "count"
    found = rules.chosen(rule, until=until, number=number, since=since)
    if not found:
        raise Refused(_("No day of this series comes before its end. Please give a later date."), field=field)
    if len(found) > rules.MOST_ENTRIES:
        raise Refused(
            _(
                "At most %(n)d entries are booked in one go. Please end the series earlier; it can be extended later.",
                n=rules.MOST_ENTRIES,
            ),
            field=field,
        )
    if found[-1] > rules.latest(found[0]):
        raise Refused(
            _(
                "A series is booked for at most %(n)d years. This one would go on until %(day)s.",
                n=rules.MOST_YEARS,
                day=format_date(found[-1], _("d MMM y")),
            ),
            field=field,
        )
    return found


def _book(
    picked: Sequence[Line],
    series: EventSeries,
    type_: AppointmentType | None,
    overbook_reason: str | None,
    booking_key: str | None,
    entry: dict[str, Any],
) -> list[Event]:
    """Each line was looked at just now, and what it said was ticked."""
    slots = [(line.start, line.end, overbook_reason if line.taken else None) for line in picked]
    rest = {name: value for name, value in entry.items() if name != "type_id"}
    return calendar_services.book_looked_at(slots, series_id=series.id, type_=type_, booking_key=booking_key, **rest)


def _open_from(event: Event, seen: int) -> tuple[list[Event], int]:
    """The entry and the later ones that nobody came to yet, and how many later ones stay what they are."""
    event.expect_version(seen)
    if event.is_deleted:
        raise Conflict(_("This entry was deleted meanwhile. Nothing was saved."))
    if event.status not in rules.OPEN:
        raise Refused(_("The patient came already, or this visit is over. Please change only this one."))
    everyone = queries.from_on(event)
    movers = [each for each in everyone if each.status in rules.OPEN]
    return movers, len(everyone) - len(movers)


def _lines_of_new(spans: Sequence[tuple[datetime, datetime]], entry: dict[str, Any]) -> list[Line]:
    where = {name: entry.get(name) for name in ("chair_id", "provider_id", "patient_id")}
    whose = where | ({"patient_id": None} if entry["kind"] is Kind.BLOCK else {})
    rows = [Event(start=start, end=end, kind=entry["kind"], **whose) for start, end in spans]
    return [
        Line(
            _key(f"{start:%Y-%m-%d}", start, end, where, *said),
            start,
            end,
            refused=said.refused,
            taken=said.taken,
            warnings=said.warnings,
        )
        for (start, end), said in zip(spans, _looked_at(rows, frozenset()), strict=True)
    ]


def _line_of_change(event: Event, target: Event, said: Said, apart: str) -> Line:
    key = _key(str(event.id), event.row_version, target.start, target.end, *said, apart)
    was = event.start if (event.start, event.end) != (target.start, target.end) else None
    return Line(key, target.start, target.end, was, *said, apart, event_id=event.id)


def _looked_at(rows: Sequence[Event], besides: frozenset[int]) -> list[Said]:
    """What is said of each place; entries `besides` go as well."""
    refused = {row: _refusal(row) for row in rows}
    possible = [row for row in rows if not refused[row]]
    looked = dict(zip(possible, calendar_services.look(possible, besides=besides), strict=True))
    found = []
    for row in rows:
        taken, warnings = looked.get(row, ("", []))
        found.append(Said(refused[row], taken, tuple(warnings)))
    return found


def _refusal(row: Event) -> str:
    try:
        calendar_services.check_times(row.kind, row.start, row.end)
    except Refused as problem:
        return str(problem)
    return ""


def _with_defaults(lines: list[Line]) -> tuple[Line, ...]:
    """Ticked is what is free. What is unusual about the first date was typed by the person, so it is meant for all."""
    if all(line.refused for line in lines):
        raise Refused(lines[0].refused, field="start_time")
    meant = set(lines[0].warnings)
    return tuple(
        replace(line, ticked=not (line.refused or line.taken or line.apart) and set(line.warnings) <= meant)
        for line in lines
    )


def _picked(plan: Plan, ticks: Ticks | None, overbook_reason: str | None) -> list[Line]:
    """The lines that are meant. Raises LookAtThis when nobody looked yet, or when it is not as it was looked at."""
    if ticks is None:
        if plan.rule is None and all(line.is_clean for line in plan.lines):
            return list(plan.lines)
        raise LookAtThis(plan)
    before = {tick.partition(".")[0] for tick in ticks}
    plan = replace(
        plan,
        lines=tuple(
            replace(line, ticked=line.key in ticks, is_news=line.key.partition(".")[0] in before - _same(line, ticks))
            for line in plan.lines
        ),
    )
    picked = [line for line in plan.lines if line.ticked]
    if len(picked) < len(before):
        raise LookAtThis(
            plan, _("The calendar changed meanwhile. Nothing was saved; please look at it again."), status=409
        )
    if not picked:
        raise LookAtThis(plan, _("Please tick at least one date."))
    if any(line.refused for line in picked):
        raise LookAtThis(plan, _("Some of the ticked dates cannot be. Please leave them out."))
    if any(line.taken for line in picked) and not overbook_reason:
        raise LookAtThis(
            plan,
            _("Please give a reason for the dates that are taken, or leave them out."),
            field="overbook_reason",
            status=409,
        )
    return picked


def _same(line: Line, ticks: Ticks) -> set[str]:
    return {line.key.partition(".")[0]} if line.key in ticks else set()


def _key(which: str, *said: Any) -> str:
    return f"{which}.{hashlib.sha256(repr(said).encode()).hexdigest()[:12]}"


def _ids(ticks: Iterable[str]) -> set[int]:
    return {int(which) for which in (tick.partition(".")[0] for tick in ticks) if which.isdecimal()}


def _target(event: Event, by: timedelta, lasts: timedelta, changed: dict[str, Any]) -> Event:
    """The entry as it would be; never stored."""
    where = {name: changed.get(name, getattr(event, name)) for name in ("chair_id", "provider_id", "patient_id")}
    start = event.start + by
    return Event(id=event.id, kind=event.kind, start=start, end=start + lasts, **where)


def _apart(event: Event, old: dict[str, Any]) -> str:
    """What makes an entry another one than the one that is changed: its place, or its own words."""
    if rules.is_apart(event):
        return _("This one was moved singly before.")
    if any(getattr(event, name) != value for name, value in old.items()):
        return _("This one was changed singly before.")
    return ""


def _slot(event: Event) -> tuple[datetime, int, int, int | None]:
    """Where the series put the entry: start, minutes, chair, provider."""
    start, minutes, chair_id, provider_id = (event.series_slot or rules.slot_words(event)).split(" ")
    return datetime.fromisoformat(start), int(minutes), int(chair_id), int(provider_id) or None


def _change(
    event: Event,
    target: Event,
    by: timedelta,
    lasts: timedelta | None,
    changed: dict[str, Any],
    overbook_reason: str | None,
) -> None:
    """Store one entry of a change, at once: the next one's place is judged by where this one is now."""
    start, minutes, chair_id, provider_id = _slot(event)
    start += by
    end = start + (lasts or timedelta(minutes=minutes))
    planned = Event(
        start=start,
        end=end,
        chair_id=changed.get("chair_id", chair_id),
        provider_id=changed.get("provider_id", provider_id),
    )
    event.series_slot = rules.slot_words(planned)
    kept = {name: getattr(event, name) for name in ("patient_id", "title", "type_id", "color", "notes")}
    calendar_services.change_event(
        event,
        seen=event.row_version,
        start=target.start,
        end=target.end,
        chair_id=target.chair_id,
        provider_id=target.provider_id,
        overbook_reason=overbook_reason,
        confirmed=True,
        **(kept | {name: value for name, value in changed.items() if name in kept}),
    )
    db.session.flush()
