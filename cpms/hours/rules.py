"""When the clinic and its people work. Pure: a day's spans are minutes since its midnight, half open."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum, auto
from itertools import pairwise
from typing import Any, NamedTuple

from cpms.hours.models import OffKind

DAY = 24 * 60
MOST_SPANS = 3  # of work, and of breaks, on one day
LONGEST_OFF = 366  # days: a leave of years is a mistyped date

Span = tuple[int, int]


class Break(NamedTuple):
    start: int
    end: int
    name: str


@dataclass(frozen=True, slots=True)
class DayPlan:
    """One weekday of a provider."""

    spans: tuple[Span, ...] | None = None  # None: whenever the clinic is open; empty: not at work
    breaks: tuple[Break, ...] = ()


AS_THE_CLINIC = DayPlan()
Week = tuple[DayPlan, ...]
USUAL_WEEK: Week = (AS_THE_CLINIC,) * 7


class Off(NamedTuple):
    """A time on which the clinic, or somebody, is not there."""

    start: datetime
    end: datetime
    kind: OffKind
    name: str


class Cause(Enum):
    """Why nobody is expected to book a time."""

    CLOSED_DAY = auto()  # by name
    PUBLIC_HOLIDAY = auto()  # by name
    CLOSED_WEEKDAY = auto()
    OUTSIDE_OPENING = auto()
    NOT_AT_WORK = auto()
    OUTSIDE_HOURS = auto()  # of the provider
    IN_BREAK = auto()  # by name
    AWAY = auto()


class Why(NamedTuple):
    cause: Cause
    name: str = ""
    spans: tuple[Span, ...] = ()  # when it would be usual
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Timetable:
    """All that decides when there is work, for a range of days."""

    opening: Sequence[Span | None]  # seven, Monday first
    closed: tuple[Off, ...] = ()
    public: Mapping[date, str] = field(default_factory=dict)  # those on which the clinic is closed
    weeks: Mapping[int, Week] = field(default_factory=dict)
    away: Mapping[int, tuple[Off, ...]] = field(default_factory=dict)

    def name_of(self, day: date) -> str:
        """What a day is called on which the clinic is closed, wholly or for a part; nothing on any other."""
        opens, closes = midnight(day), midnight(day) + timedelta(days=1)
        names = [off.name for off in self.closed if off.start < closes and off.end > opens]
        if day in self.public:
            names.append(self.public[day])
        return ", ".join(dict.fromkeys(names))

    def spans_of(self, day: date) -> tuple[Span, ...]:
        """When the clinic is open."""
        usual = self.opening[day.weekday()]
        return without((usual,), self._shut(day)) if usual else ()

    def open_spans(self, provider_id: int | None, day: date) -> tuple[Span, ...]:
        """When a provider takes visits; without one, when the clinic is open."""
        if provider_id is None:
            return self.spans_of(day)
        plan, usual = self._plan(provider_id, day), self.opening[day.weekday()]
        spans = plan.spans if plan.spans is not None else ((usual,) if usual else ())
        off = [on_day(each, day) for each in self.away.get(provider_id, ())]
        return without(spans, [*self._shut(day), *(each[:2] for each in plan.breaks), *off])

    def reasons(self, provider_id: int | None, start: datetime, end: datetime) -> tuple[Why, ...]:
        """Why [start, end) of one day is no usual time for a visit; nothing when it is."""
        day = start.date()
        for off in self.closed:
            if off.start < end and off.end > start:
                return (Why(Cause.CLOSED_DAY, off.name),)
        if day in self.public:
            return (Why(Cause.PUBLIC_HOLIDAY, self.public[day]),)
        plan = self._plan(provider_id, day)
        span = minute_of(start, day), minute_of(end, day)
        found = [_outside(plan, self.opening[day.weekday()], span)]
        found += [Why(Cause.IN_BREAK, each.name) for each in plan.breaks if each.start < span[1] and each.end > span[0]]
        found += [
            Why(Cause.AWAY, until=off.end)
            for off in self.away.get(provider_id or 0, ())
            if off.start < end and off.end > start
        ]
        return tuple(each for each in found if each is not None)

    def is_away(self, provider_id: int, day: date) -> bool:
        """Whether an absence takes at least a part of the day."""
        return any(start < end for start, end in (on_day(off, day) for off in self.away.get(provider_id, ())))

    def _plan(self, provider_id: int | None, day: date) -> DayPlan:
        return self.weeks.get(provider_id or 0, USUAL_WEEK)[day.weekday()]

    def _shut(self, day: date) -> list[Span]:
        """The parts of a day that closed days and public holidays take away."""
        return [(0, DAY)] if day in self.public else [on_day(off, day) for off in self.closed]


def _outside(plan: DayPlan, usual: Span | None, span: Span) -> Why | None:
    if plan.spans is None:
        if usual is None:
            return Why(Cause.CLOSED_WEEKDAY)
        return None if _inside(span, (usual,)) else Why(Cause.OUTSIDE_OPENING, spans=(usual,))
    if not plan.spans:
        return Why(Cause.NOT_AT_WORK)
    return None if _inside(span, plan.spans) else Why(Cause.OUTSIDE_HOURS, spans=plan.spans)


def _inside(span: Span, spans: Iterable[Span]) -> bool:
    return any(start <= span[0] and span[1] <= end for start, end in spans)


def without(spans: Iterable[Span], holes: Iterable[Span]) -> tuple[Span, ...]:
    """What is left of some spans when others are cut out of them."""
    left = list(spans)
    for hole_start, hole_end in holes:
        if hole_end <= hole_start:
            continue
        cut = []
        for start, end in left:
            cut += [(start, min(end, hole_start)), (max(start, hole_end), end)]
        left = [(start, end) for start, end in cut if end > start]
    return tuple(sorted(left))


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """By start; those that touch become one, for a visit may go from one into the other."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return tuple(found)


def between(spans: Sequence[Span], first: int, last: int) -> tuple[Span, ...]:
    """What of [first, last) no span covers."""
    return without(((first, last),), spans)


def on_day(off: Off, day: date) -> Span:
    """The part of a time off that lies on a day; an empty span when none does."""
    return minute_of(off.start, day), minute_of(off.end, day)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def minute_of(moment: datetime, day: date) -> int:
    """Minutes since the day's midnight, kept within the day."""
    return min(max(int((moment - midnight(day)).total_seconds() // 60), 0), DAY)


def minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def clock_time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def in_words(spans: Iterable[Span]) -> str:
    """08:00–12:00, 13:00–17:00."""
    return ", ".join(f"{clock_time(start)}–{clock_time(end)}" for start, end in spans)


def overlaps(spans: Iterable[Span]) -> bool:
    """True when two of them lie on each other; touching is no overlap."""
    ordered = sorted(spans)
    return any(later[0] < earlier[1] for earlier, later in pairwise(ordered))


def load_week(stored: Sequence[Any]) -> Week:
    """From JSON: seven of {"spans": None or [["08:00", "17:00"]], "breaks": [["12:00", "12:30", "Lunch"]]}."""
    return tuple(
        DayPlan(
            None if day["spans"] is None else tuple((_minute(a), _minute(b)) for a, b in day["spans"]),
            tuple(Break(_minute(a), _minute(b), name) for a, b, name in day["breaks"]),
        )
        for day in stored
    )


def dump_week(week: Week) -> list[dict[str, Any]]:
    return [
        {
            "spans": None if plan.spans is None else [[clock_time(a), clock_time(b)] for a, b in plan.spans],
            "breaks": [[clock_time(a), clock_time(b), name] for a, b, name in plan.breaks],
        }
        for plan in week
    ]


def _minute(stored: str) -> int:
    return int(stored[:2]) * 60 + int(stored[3:5])
