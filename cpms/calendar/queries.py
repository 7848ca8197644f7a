"""Every read of the calendar."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from flask_babel import format_date, get_locale
from flask_babel import gettext as _
from sqlalchemy import Integer, Select, String, bindparam, column, func, literal, select, type_coerce, union_all, values

from cpms.auth import queries as auth
from cpms.auth.models import User
from cpms.calendar import rules
from cpms.calendar.models import AppointmentType, By, CalendarRevision, Chair, Event, Kind, Status
from cpms.calendar.series import queries as series_queries
from cpms.core import clock
from cpms.core.columns import WallClock
from cpms.core.db import db
from cpms.core.errors import NotFound
from cpms.hours import queries as working_hours
from cpms.hours.rules import Span, Timetable, between, clock_time
from cpms.patients.models import Patient

BREAK = "\u2002\n"  # a line of its own on a high card; on a low one, where lines join, a wide space
Values = tuple[Any, ...]  # a row, as the database gives it

MOST_ROWS, MOST_LINES = 24, 12  # of a printed day in its usual print: in a table, in one of several columns
MOST_LANES = 12  # as many as the style sheet knows; a thirteenth at one time lies over the twelfth


@dataclass(frozen=True, slots=True)
class Shown:
    """What a calendar on a screen shows: the same words stand in its address."""

    view: str  # week | day | month | list
    day: date
    providers: frozenset[int] = frozenset()  # none chosen: all
    chairs: frozenset[int] = frozenset()
    cancelled: bool = False  # cancelled ones and no-shows too
    types: frozenset[int] = frozenset()
    by: By = By.CHAIR  # what the columns of a day are

    @property
    def days(self) -> tuple[date, date]:
        """First day, and the first day that is not shown any more."""
        if self.view == "day":
            return self.day, self.day + timedelta(days=1)
        if self.view == "list":
            return self.day, self.day + timedelta(days=rules.LIST_DAYS)
        first_weekday = get_locale().first_week_day
        if self.view == "month":
            return rules.weeks_of_month(self.day, first_weekday)
        first = rules.week_start(self.day, first_weekday)
        return first, first + timedelta(days=7)

    @property
    def is_filtered(self) -> bool:
        """True when something that holds time on those days may be left out."""
        return bool(self.providers or self.chairs or self.types)

    def at(self, day: date, view: str | None = None) -> "Shown":
        return replace(self, day=day, view=view or self.view)

    def turned(self, ahead: int) -> "Shown":
        """The next days, or those before."""
        if self.view == "month":
            return self.at(rules.month_ahead(self.day, ahead))
        return self.at(rules.on_calendar(self.day, ahead * (1 if self.view == "day" else 7)))

    def filters(self) -> dict[str, Any]:
        """The part after the question mark."""
        chosen: dict[str, Any] = {}
        if self.providers:
            chosen["provider"] = sorted(self.providers)
        if self.chairs:
            chosen["chair"] = sorted(self.chairs)
        if self.types:
            chosen["type"] = sorted(self.types)
        if self.cancelled:
            chosen["cancelled"] = 1
        if self.by is By.PROVIDER:
            chosen["by"] = self.by.value
        return chosen


class Card(NamedTuple):
    """One entry, ready to be drawn. The template takes the fields in this order."""

    id: int
    version: int
    css: str
    name: str
    more: str
    alert: bool
    fixed: bool  # a finished one does not move


@dataclass(frozen=True, slots=True)
class Column:
    key: str  # the day, or the chair's or the provider's id
    day: date
    holder: tuple[str, int] | None  # ("chair", its id) or ("provider", their id, 0 is nobody): of a column of a day
    heading: str
    sub: str
    is_today: bool
    lanes: int
    closed: tuple[str, ...]  # classes of the shaded parts
    cards: tuple[Card, ...]
    note: str = ""  # why the day is not one like others: "Summer leave"


@dataclass(frozen=True, slots=True)
class Grid:
    shown: Shown
    revision: int
    title: str
    from_hour: int
    to_hour: int
    columns: tuple[Column, ...]
    is_closed: bool = False  # a single day, on which the clinic does not open
    first_open: date | None = None  # of the days shown, on which there is work

    @property
    def hours(self) -> range:
        return range(self.from_hour, self.to_hour)

    @property
    def count(self) -> int:
        return sum(len(column.cards) for column in self.columns)


def revision() -> int:
    """Grows with every change that a calendar could show."""
    number: int = db.session.execute(_REVISION).scalar_one()
    return number


_REVISION = select(CalendarRevision.__table__.c.number)  # put together once: open calendars ask every few seconds


def status_words() -> dict[Status, str]:
    """The statuses as they are said."""
    return {
        Status.SCHEDULED: _("scheduled"),
        Status.CONFIRMED: _("confirmed"),
        Status.ARRIVED: _("arrived"),
        Status.IN_CHAIR: _("in the chair"),
        Status.COMPLETED: _("done"),
        Status.CANCELLED: _("cancelled"),
        Status.NO_SHOW: _("did not come"),
    }


def step_words() -> dict[Status, str]:
    """The statuses as they stand on buttons: what the visit becomes."""
    return {
        Status.SCHEDULED: _("Scheduled"),
        Status.CONFIRMED: _("Confirmed"),
        Status.ARRIVED: _("Arrived"),
        Status.IN_CHAIR: _("In the chair"),
        Status.COMPLETED: _("Done"),
        Status.CANCELLED: _("Cancelled"),
        Status.NO_SHOW: _("Did not come"),
    }


def swatch_words() -> dict[str, str]:
    """The colours to choose from, by their value."""
    words = {
        "teal": _("teal"),
        "blue": _("blue"),
        "indigo": _("indigo"),
        "violet": _("violet"),
        "pink": _("pink"),
        "red": _("red"),
        "orange": _("orange"),
        "amber": _("amber"),
        "lime": _("lime"),
        "green": _("green"),
        "slate": _("grey"),
        "brown": _("brown"),
    }
    return {color: words[name] for name, color in rules.SWATCHES.items()}


def grid(shown: Shown, number: int) -> Grid:
    """The calendar of a week (a column a day) or of a day (a column a chair), and the revision asked for before it.

    What is shaded is when the clinic is closed; in the calendar of one provider, when that one takes no visits.
    """
    first, end = shown.days
    rows = entries(shown, first, end)
    words = status_words()
    only = next(iter(shown.providers)) if len(shown.providers) == 1 else None
    by_person = shown.view == "day" and shown.by is By.PROVIDER
    table = working_hours.timetable(first, end, of_people=only is not None or by_person)
    opening = table.opening
    today = clock.today()
    if shown.view == "day":
        from_hour, to_hour = rules.hours_shown(_usual(table, only, [shown.day]), (r[_SPAN] for r in rows))
        columns = tuple(
            _column(
                str(holder_id),
                shown.day,
                (shown.by.value, holder_id),
                name,
                "",
                today,
                table.open_spans((holder_id or None) if by_person else only, shown.day),
                (from_hour, to_hour),
                theirs,
                words,
                with_chair=shown.by is By.PROVIDER,
            )
            for holder_id, name, theirs in holders(shown, rows)
        )
        title = " · ".join(filter(None, (format_date(shown.day, _("EEE d MMM y")), _note(table, only, shown.day))))
    else:
        by_day: dict[date, list[Values]] = {}
        for row in rows:
            by_day.setdefault(row[_START].date(), []).append(row)
        days = [
            day
            for day in (first + timedelta(days=n) for n in range(7))
            if opening[day.weekday()] or day in by_day or table.open_spans(only, day)
        ]
        from_hour, to_hour = rules.hours_shown(_usual(table, only, days), (r[_SPAN] for r in rows))
        columns = tuple(
            _column(
                day.isoformat(),
                day,
                None,
                format_date(day, "EEE"),
                format_date(day, _("d MMM")),
                today,
                table.open_spans(only, day),
                (from_hour, to_hour),
                by_day.get(day, []),
                words,
                with_chair=True,
                note=_note(table, only, day),
            )
            for day in days
        )
        title = span_title(first, end - timedelta(days=1))
    is_closed = shown.view == "day" and not table.spans_of(shown.day)
    on_calendar = (each.day for each in columns if rules.is_on_calendar(each.day))
    first_open = next((day for day in on_calendar if table.open_spans(only, day)), None)
    return Grid(shown, number, title, from_hour, to_hour, columns, is_closed, first_open)


def _usual(table: Timetable, only: int | None, days: Iterable[date]) -> list[tuple[time, time]]:
    """The hours that a calendar of these days shows in any case: a closed day is drawn as high as an open one."""
    found = []
    for day in days:
        usual = table.opening[day.weekday()]
        found += [usual] if usual else []
        found += table.open_spans(only, day)
    return [(time.fromisoformat(clock_time(a)), time.fromisoformat(clock_time(b))) for a, b in found]


def _note(table: Timetable, only: int | None, day: date) -> str:
    """Why a day is not one like others; of one provider's also that they are not there."""
    if name := table.name_of(day):
        return name
    if only is None or table.open_spans(only, day) or not table.spans_of(day):
        return ""
    return _("away") if table.is_away(only, day) else _("not at work")


def holders(shown: Shown, rows: Sequence[Values]) -> list[tuple[int, str, list[Values]]]:
    """Chairs, or providers, and what each has of a day's rows: those in use, as far as they are asked for, and whoever
    has something then. Entries with nobody have a column at the end."""
    if shown.by is By.CHAIR:
        asked, column, name_of = shown.chairs, _CHAIR_ID, _CHAIR
        known = {each.id: each.name for each in chairs()}
    else:
        asked, column, name_of = shown.providers, _PROVIDER_ID, _PROVIDER
        known = {each.id: each.display_name for each in auth.providers()}
    found: dict[int, tuple[str, list[Values]]] = {
        each: (name, []) for each, name in known.items() if not asked or each in asked
    }
    for row in sorted(rows, key=lambda row: (row[column] is None, row[name_of] or "")):
        found.setdefault(row[column] or 0, (row[name_of] or _("With nobody"), []))
    for row in rows:
        found[row[column] or 0][1].append(row)
    return [(each, name, theirs) for each, (name, theirs) in found.items()]


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it stands on paper, where nothing can be opened."""

    start: datetime
    end: datetime
    name: str
    alert: str
    what: str
    chair: str
    provider: str
    status: str  # in words; nothing as long as nothing happened
    place: str  # "3 of 10, every 2 weeks"


@dataclass(frozen=True, slots=True)
class PaperColumn:
    """A day of a printed week, or a chair of a printed day."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    title: str
    columns: tuple[PaperColumn, ...]
    is_tall: bool = False  # one or two tables under each other; more lie side by side

    @property
    def count(self) -> int:
        return sum(len(column.lines) for column in self.columns)

    @property
    def is_dense(self) -> bool:
        """True when a day fits on its sheet only in small print."""
        longest = max((len(column.lines) for column in self.columns), default=0)
        return self.count > MOST_ROWS if self.is_tall else longest > MOST_LINES


def paper(shown: Shown) -> Paper:
    """What is printed: all words of every entry. A day has a column for each chair or person, several days one for each
    open day."""
    first, end = shown.days
    rows = entries(shown, first, end)
    if shown.view == "day":
        found = holders(shown, rows)
        columns = [(name, theirs) for _id, name, theirs in found]
        is_tall = sum(1 for _id, _name, theirs in found if theirs) <= 2
        return Paper(format_date(shown.day, _("EEEE d MMMM y")), _on_paper(columns), is_tall)
    days = [first + timedelta(days=ahead) for ahead in range((end - first).days)]
    of = {day: [row for row in rows if row[_START].date() == day] for day in days}
    table = working_hours.timetable(first, end, of_people=False)
    pattern = _("EEE d MMM") if shown.view == "week" else _("EEEE d MMMM")
    columns = [
        (" · ".join(filter(None, (format_date(day, pattern), table.name_of(day)))), of[day])
        for day in days
        if of[day] or table.opening[day.weekday()]
    ]
    return Paper(span_title(first, end - timedelta(days=1)), _on_paper(columns), shown.view == "list")


def _on_paper(columns: list[tuple[str, list[Values]]]) -> tuple[PaperColumn, ...]:
    places = series_queries.places(row[_ID] for _heading, rows in columns for row in rows)
    return tuple(PaperColumn(heading, tuple(_line(row, places) for row in rows)) for heading, rows in columns)


def _line(row: Values, places: dict[int, series_queries.Place]) -> Line:
    (event_id, _version, start, end, status, kind, _color, title, _chair_id, _over, _noted,
     last, first, alert, type_name, chair, provider, _provider_id) = row  # fmt: skip
    what = title or type_name or ""
    place = str(places[event_id]) if event_id in places else ""
    name = "" if last is None else (first if last == "—" else f"{last}, {first}")
    said = status_words()[Status(status)] if kind == Kind.VISIT and status != Status.SCHEDULED else ""
    return Line(start, end, name or what, alert or "", what if name else "", chair, provider or "", said, place)


def span_title(first: date, last: date) -> str:
    if first.month == last.month:
        return _("%(first)s–%(last)s", first=first.day, last=format_date(last, _("d MMM y")))
    pattern = _("d MMM") if first.year == last.year else _("d MMM y")
    return _("%(first)s – %(last)s", first=format_date(first, pattern), last=format_date(last, _("d MMM y")))


def entries(shown: Shown, first: date, end: date) -> Sequence[Values]:
    """What lies on those days, by start. Plain columns: a full week has three hundred rows."""
    rows: Sequence[Any] = db.session.execute(_rows_query(*flags(shown)), asked(shown, first, end)).all()
    return rows


def asked(shown: Shown, first: date, end: date) -> dict[str, Any]:
    """The parameters of a query that `narrowed` made."""
    parameters: dict[str, Any] = {
        "opens": datetime.combine(first, time()),
        "closes": datetime.combine(end, time()),
    }
    for name in ("providers", "chairs", "types"):
        if ids := getattr(shown, name):
            parameters[name] = list(ids)
    return parameters


def flags(shown: Shown) -> tuple[bool, bool, bool, bool]:
    """Which conditions a query has: one query is kept for each combination."""
    return bool(shown.providers), bool(shown.chairs), bool(shown.types), shown.cancelled


def narrowed(query: Select[Any], of_providers: bool, of_chairs: bool, of_types: bool, cancelled: bool) -> Select[Any]:
    """A query about entries, narrowed to the days and the filters that `asked` puts in."""
    event = Event.__table__.c
    query = query.where(
        event.start >= bindparam("opens"), event.start < bindparam("closes"), event.deleted_at.is_(None)
    )
    if of_providers:
        query = query.where(event.provider_id.in_(bindparam("providers", expanding=True)))
    if of_chairs:
        query = query.where(event.chair_id.in_(bindparam("chairs", expanding=True)))
    if of_types:
        query = query.where(event.type_id.in_(bindparam("types", expanding=True)))
    if not cancelled:
        query = query.where(*(event.status != each for each in sorted(rules.FREE)))
    return query


# Where these stand in a row.
_ID, _START, _SPAN, _CHAIR_ID, _CHAIR, _PROVIDER, _PROVIDER_ID = 0, 2, slice(2, 4), 8, 15, 16, 17


@lru_cache(maxsize=16)
def _rows_query(*conditions: bool) -> Select[Any]:
    """Kept, because putting it together takes longer than the database does."""
    event, patient, type_ = Event.__table__.c, Patient.__table__.c, AppointmentType.__table__.c
    chair, user = Chair.__table__.c, User.__table__.c
    query = (
        select(
            event.id,
            event.row_version,
            event.start,
            event.end,
            type_coerce(event.status, String),
            type_coerce(event.kind, String),
            event.color,
            event.title,
            event.chair_id,
            event.overbook_reason,
            event.notes != "",
            patient.last_name,
            patient.first_name,
            patient.alert_text,
            type_.name,
            chair.name,
            user.display_name,
            event.provider_id,
        )
        .select_from(Event.__table__)
        .join(Chair.__table__, chair.id == event.chair_id)
        .outerjoin(Patient.__table__, patient.id == event.patient_id)
        .outerjoin(AppointmentType.__table__, type_.id == event.type_id)
        .outerjoin(User.__table__, user.id == event.provider_id)
        .order_by(event.start, event.chair_id, event.id)
    )
    return narrowed(query, *conditions)


def _column(
    key: str,
    day: date,
    holder: tuple[str, int] | None,
    heading: str,
    sub: str,
    today: date,
    hours: Sequence[Span],
    window: tuple[int, int],
    rows: Sequence[Values],
    words: dict[Status, str],
    *,
    with_chair: bool,
    note: str = "",
) -> Column:
    # A short one is drawn a quarter of an hour high, so that is the room that it needs.
    shortest = timedelta(minutes=rules.LINE)
    places = rules.side_by_side(rows, lambda row: (row[2], max(row[3], row[2] + shortest)))
    cards = tuple(_card(row, place, words, with_chair) for row, place in zip(rows, places, strict=True))
    lanes = min(max((place.lanes for place in places), default=1), MOST_LANES)
    return Column(key, day, holder, heading, sub, day == today, lanes, _closed(hours, window), cards, note)


def _closed(hours: Sequence[Span], window: tuple[int, int]) -> tuple[str, ...]:
    """The classes of what lies outside the hours, to the grain of the calendar."""
    shut = between(hours, window[0] * 60, window[1] * 60)
    spans = [(rules.STEP * round(a / rules.STEP), rules.STEP * round(b / rules.STEP)) for a, b in shut]
    return tuple(f"t{a // 60:02}{a % 60:02} h{b - a}" for a, b in spans if b > a)


def _card(row: Values, place: rules.Place, words: dict[Status, str], with_chair: bool) -> Card:
    (event_id, version, start, end, status, kind, color, title, _chair_id, overbooked, noted,
     last, first, alert, type_name, chair, provider, _provider_id) = row  # fmt: skip
    said, what = words[status], title or type_name
    more = start.isoformat()[11:16]  # three times as fast as a format
    if last is None:
        name, what = what or said, None
    elif last == "—":
        name = first
    else:
        name, more = last, f"{more} {first}"
    if what:
        more += BREAK + what
    if with_chair:
        more += BREAK + chair
    if provider:
        more += BREAK + provider
    if status != Status.SCHEDULED:
        more += BREAK + said
    if place.lanes > MOST_LANES:
        place = rules.Place(min(place.lane, MOST_LANES - 1), MOST_LANES)
    css = f"{rules.css_place(start, end, place)} c-{rules.swatch(color)} s-{status}"
    if kind == Kind.BLOCK:
        css += " block"
    if overbooked:
        css += " over"
        more += BREAK + _("booked over another")
    if noted:
        css += " noted"
    return Card(event_id, version, css, name, more, bool(alert), status in rules.FINISHED)


def event(event_id: int) -> Event:
    """The entry, deleted ones too: a link always resolves."""
    found = db.session.get(Event, event_id)
    if found is None:
        raise NotFound(_("This entry is not in the calendar."))
    return found


def starts(event_ids: Iterable[int]) -> dict[int, datetime]:
    """When some entries begin, deleted ones too."""
    rows = db.session.execute(select(Event.id, Event.start).where(Event.id.in_(list(event_ids))))
    return {row.id: row.start for row in rows}


def event_with_key(booking_key: str) -> Event | None:
    return db.session.scalar(select(Event).where(Event.booking_key == booking_key))


def clashes(
    start: datetime, end: datetime, *, chair_id: int, provider_id: int | None, except_id: int | None = None
) -> list[Event]:
    """What holds this chair or this provider then, by start."""
    taken = _holders("chair_id", chair_id, start, end, except_id)
    if provider_id is not None:
        taken |= _holders("provider_id", provider_id, start, end, except_id)
    return _loaded(taken)


def of_patient_at(patient_id: int, start: datetime, end: datetime, *, except_id: int | None = None) -> list[Event]:
    """Other visits of the same patient at that time."""
    return _loaded(_holders("patient_id", patient_id, start, end, except_id))


@dataclass(frozen=True, slots=True)
class Around:
    """What holds the chair or the provider of a slot, and the other visits of its patient at that time, by start."""

    holders: list[Event]
    of_patient: list[Event]


def around(slots: Sequence[Event]) -> list[Around]:
    """What is around each of many slots: two statements, however many they are."""
    if not slots:
        return []
    found: list[tuple[set[int], set[int]]] = [(set(), set()) for _each in slots]
    for number, is_patient, event_id in db.session.execute(_around_query(slots)):
        found[number][is_patient].add(event_id)
    rows = {row.id: row for row in _loaded({each for pair in found for ids in pair for each in ids})}
    return [Around(*([row for row in rows.values() if row.id in ids] for ids in pair)) for pair in found]


def _around_query(slots: Sequence[Event]) -> Any:
    """As `_holders_query`, joined to the slots. The sum keeps the database from reading all entries against them."""
    event = Event.__table__.c
    asked = (
        values(
            column("number", Integer),
            column("start", WallClock),
            column("end", WallClock),
            column("day_before", WallClock),
            column("chair_id", Integer),
            column("provider_id", Integer),
            column("patient_id", Integer),
            column("except_id", Integer),
        )
        .data(
            [
                (
                    number,
                    slot.start,
                    slot.end,
                    slot.start - timedelta(days=1),
                    slot.chair_id,
                    slot.provider_id,
                    slot.patient_id,
                    slot.id or 0,
                )
                for number, slot in enumerate(slots)
            ]
        )
        .cte("slot")
    )
    slot = asked.c
    return union_all(
        *(
            select(slot.number, literal(int(name == "patient_id")), event.id).where(
                event[name] == slot[name] + 0,
                event.start < slot.end,
                event.end > slot.start,
                event.start > slot.day_before,
                event.id != slot.except_id,
                *_HOLDING,
            )
            for name in ("chair_id", "provider_id", "patient_id")
        )
    )


def _loaded(ids: set[int]) -> list[Event]:
    """The entries with those ids, by start. Usually nobody is in the way, and nothing is asked."""
    if not ids:
        return []
    return list(db.session.scalars(select(Event).where(Event.id.in_(ids)).order_by(Event.start, Event.id)))


def _holders(column: str, value: int, start: datetime, end: datetime, except_id: int | None) -> set[int]:
    """The ids of what holds a chair, a provider or a patient at some time of [start, end)."""
    span = {"start": start, "end": end, "day_before": start - timedelta(days=1), "except_id": except_id or 0}
    return set(db.session.scalars(_holders_query(column), {"value": value} | span))


@lru_cache(maxsize=4)
def _holders_query(column: str) -> Select[int]:
    """One look through one index: an OR over two would read the whole day. Kept, because every booking asks thrice."""
    event = Event.__table__.c
    return select(event.id).where(
        event[column] == bindparam("value"),
        event.start < bindparam("end"),
        event.end > bindparam("start"),
        event.start > bindparam("day_before"),
        event.id != bindparam("except_id"),
        *_HOLDING,
    )


_HOLDING = (
    Event.__table__.c.deleted_at.is_(None),
    *(Event.__table__.c.status != each for each in sorted(rules.FREE)),
)


def free_chair(start: datetime, end: datetime, among: Iterable[Chair]) -> Chair | None:
    """The first of the chairs that nobody holds then."""
    event = Event.__table__.c
    overlapping = event.start < end, event.end > start, event.start > start - timedelta(days=1)
    taken = set(db.session.scalars(select(event.chair_id).where(*overlapping, *_HOLDING)))
    return next((chair for chair in among if chair.id not in taken), None)


def chairs(*, every: bool = False) -> list[Chair]:
    """The chairs in use, in the clinic's order; `every`: also those given up."""
    query = select(Chair).order_by(Chair.active.desc(), Chair.position, Chair.id)
    return list(db.session.scalars(query if every else query.where(Chair.active)))


def chair(chair_id: int) -> Chair:
    if found := db.session.get(Chair, chair_id):
        return found
    raise NotFound(_("There is no such chair."))


def types(*, every: bool = False) -> list[AppointmentType]:
    """The appointment types in use, in the clinic's order; `every`: also those given up."""
    query = select(AppointmentType).order_by(
        AppointmentType.active.desc(), AppointmentType.position, AppointmentType.id
    )
    return list(db.session.scalars(query if every else query.where(AppointmentType.active)))


def type_(type_id: int) -> AppointmentType:
    if found := db.session.get(AppointmentType, type_id):
        return found
    raise NotFound(_("There is no such appointment type."))


@dataclass(frozen=True, slots=True)
class Visit:
    """A line of a patient's list of visits."""

    id: int
    start: datetime
    end: datetime
    status: Status
    what: str
    chair: str
    provider: str


@dataclass(frozen=True, slots=True)
class Visits:
    """A patient's visits: those to come by date, those past with the newest first."""

    coming: tuple[Visit, ...]
    past: tuple[Visit, ...]
    hidden: int  # so many more, further away from today than those shown


def of_patient(patient_id: int, *, limit: int = 50) -> Visits:
    """The visits of a patient around today, so many on either side at most; deleted ones left out."""
    now = clock.clinic_now()
    theirs = Event.patient_id == patient_id, Event.deleted_at.is_(None)
    query = (
        select(
            Event.id,
            Event.start,
            Event.end,
            Event.status,
            Event.title,
            AppointmentType.name,
            Chair.name,
            User.display_name,
        )
        .join(Chair, Chair.id == Event.chair_id)
        .outerjoin(AppointmentType, AppointmentType.id == Event.type_id)
        .outerjoin(User, User.id == Event.provider_id)
        .where(*theirs)
        .limit(limit + 1)
    )

    def lines(half: Select[*tuple[Any, ...]]) -> list[Visit]:
        return [
            Visit(row[0], row[1], row[2], row[3], row[4] or row[5] or "", row[6], row[7] or "")
            for row in db.session.execute(half)
        ]

    coming = lines(query.where(Event.end > now).order_by(Event.start, Event.id))
    past = lines(query.where(Event.end <= now).order_by(Event.start.desc(), Event.id.desc()))
    hidden = 0
    if len(coming) > limit or len(past) > limit:
        count = db.session.scalar(select(func.count()).select_from(Event).where(*theirs)) or 0
        hidden = count - min(len(coming), limit) - min(len(past), limit)
    return Visits(tuple(coming[:limit]), tuple(past[:limit]), hidden)


def coming(patient_id: int) -> list[Event]:
    """What of a patient holds a place from now on."""
    query = select(Event).where(
        Event.patient_id == patient_id,
        Event.end > clock.clinic_now(),
        Event.deleted_at.is_(None),
        Event.status.not_in(rules.FINISHED),
    )
    return list(db.session.scalars(query.order_by(Event.start, Event.id)))


def deleted_with(patients: Iterable[Patient]) -> dict[int, list[Event]]:
    """The visits that left the calendar together with these patients: at the same instant."""
    found: dict[int, list[Event]] = {each.id: [] for each in patients if each.deleted_at is not None}
    query = (
        select(Event)
        .join(Patient, Patient.id == Event.patient_id)
        .where(Event.patient_id.in_(found), Event.deleted_at == Patient.deleted_at)
    )
    for visit in db.session.scalars(query.order_by(Event.start, Event.id)):
        assert visit.patient_id is not None
        found[visit.patient_id].append(visit)
    return found


class Here(NamedTuple):
    """Today's visit of somebody who is here, or should be."""

    start: datetime
    status: Status
    since: datetime | None


def here(patient_id: int) -> Here | None:
    """Where a patient is today: in the chair, in the waiting room, or late; None when nothing of that is so."""
    now = clock.clinic_now()
    opens = datetime.combine(now.date(), time())
    query = select(Event.start, Event.status, Event.status_changed_at).where(
        Event.patient_id == patient_id,
        Event.start >= opens,
        Event.start < opens + timedelta(days=1),
        Event.kind == Kind.VISIT,
        Event.deleted_at.is_(None),
        Event.status.not_in(rules.FINISHED),
    )
    order = (Status.IN_CHAIR, Status.ARRIVED, Status.CONFIRMED, Status.SCHEDULED)
    open_ = [Here(*row) for row in db.session.execute(query.order_by(Event.start, Event.id))]
    is_here = (Status.IN_CHAIR, Status.ARRIVED)
    found = [each for each in open_ if each.status in is_here or each.start <= now]
    return min(found, key=lambda each: order.index(each.status), default=None)


def next_visits(patient_ids: Sequence[int]) -> dict[int, datetime]:
    """The start of the next visit of each of these patients."""
    query = (
        select(Event.patient_id, func.min(Event.start))
        .where(
            Event.patient_id.in_(patient_ids),
            Event.start >= clock.clinic_now(),
            Event.deleted_at.is_(None),
            Event.status.not_in(rules.FREE),
        )
        .group_by(Event.patient_id)
    )
    return {patient_id: start for patient_id, start in db.session.execute(query) if patient_id is not None}


def last_visits(patient_ids: Sequence[int]) -> dict[int, datetime]:
    """The start of the last visit that each of these patients came to."""
    query = (
        select(Event.patient_id, func.max(Event.start))
        .where(
            Event.patient_id.in_(patient_ids),
            Event.start < clock.clinic_now(),
            Event.deleted_at.is_(None),
            Event.status.not_in(rules.FREE),
        )
        .group_by(Event.patient_id)
    )
    return {patient_id: start for patient_id, start in db.session.execute(query) if patient_id is not None}


def last_provider(patient_id: int) -> int | None:
    """Whom the patient saw last; the next visit is usually with them."""
    query = (
        select(Event.provider_id)
        .where(Event.patient_id == patient_id, Event.deleted_at.is_(None), Event.provider_id.is_not(None))
        .order_by(Event.start.desc())
        .limit(1)
    )
    return db.session.scalar(query)


def provider_at(chair_id: int, day: date) -> int | None:
    """Who has most of a chair's entries on a day."""
    opens = datetime.combine(day, time())
    query = (
        select(Event.provider_id)
        .where(
            Event.chair_id == chair_id,
            Event.start >= opens,
            Event.start < opens + timedelta(days=1),
            Event.deleted_at.is_(None),
            Event.provider_id.is_not(None),
        )
        .group_by(Event.provider_id)
        .order_by(func.count().desc(), Event.provider_id)
        .limit(1)
    )
    return db.session.scalar(query)
