"""What is true of any calendar: when two entries clash, how they lie side by side, which step follows which."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, TypeVar

from cpms.calendar.models import Kind, Status

STEP = 5  # minutes: the grain of the calendar
SHORTEST, LONGEST_VISIT = 5, 480  # minutes
LINE = 15  # minutes between two lines of the grid
LONGEST_BLOCK = 24 * 60  # minutes
LIST_DAYS = 7  # on one page of the list
REBOOK_DAYS = 182  # how far back a visit without a new date is still asked about
USUAL_OPENING = time(8)  # of a day on which the clinic is closed
FIRST_DAY, LAST_DAY = date(1950, 1, 1), date(2149, 12, 31)  # beyond, a date is a slip of the finger
_MINUTE = timedelta(minutes=1)

FREE = frozenset({Status.CANCELLED, Status.NO_SHOW})  # these hold neither chair nor provider
FINISHED = frozenset({Status.COMPLETED, Status.CANCELLED, Status.NO_SHOW})
WALK = (Status.SCHEDULED, Status.CONFIRMED, Status.ARRIVED, Status.IN_CHAIR, Status.COMPLETED)

# What happens to a visit on its own day.
THAT_DAY = frozenset({Status.ARRIVED, Status.IN_CHAIR, Status.COMPLETED, Status.NO_SHOW})

# What a desk chooses from. An entry may have any colour (it may come from another program); the nearest is drawn.
SWATCHES = {
    "teal": "#0f766e",
    "blue": "#2563eb",
    "indigo": "#4f46e5",
    "violet": "#7c3aed",
    "pink": "#db2777",
    "red": "#dc2626",
    "orange": "#ea580c",
    "amber": "#d97706",
    "lime": "#65a30d",
    "green": "#16a34a",
    "slate": "#64748b",
    "brown": "#92400e",
}

Item = TypeVar("Item")


def is_back(old: Status, new: Status) -> bool:
    """True when the step takes something back, which asks for a reason."""
    if old in FINISHED:
        return True
    return new in WALK and WALK.index(new) < WALK.index(old)


def next_step(status: Status) -> Status | None:
    """The one step that usually follows; None at an end. A visit need not be confirmed by telephone to arrive."""
    follows = {
        Status.SCHEDULED: Status.ARRIVED,
        Status.CONFIRMED: Status.ARRIVED,
        Status.ARRIVED: Status.IN_CHAIR,
        Status.IN_CHAIR: Status.COMPLETED,
    }
    return follows.get(status)


def other_steps(status: Status) -> tuple[Status, ...]:
    """Everything else that the status may become; cancelling has a dialog of its own, confirming stands beside it."""
    usual = {status, next_step(status), Status.CANCELLED}
    if status is Status.SCHEDULED:
        usual.add(Status.CONFIRMED)
    return tuple(each for each in Status if each not in usual)


class Place(NamedTuple):
    """Where an entry lies in its column: the lane, counted from 0, of so many side by side."""

    lane: int
    lanes: int


def side_by_side(items: Sequence[Item], span: Callable[[Item], tuple[datetime, datetime]]) -> list[Place]:
    """Lanes such that no two entries lie on each other.

    `items` are sorted by start; entries that touch, directly or through others, share one width.
    """
    places: list[Place] = []
    group: list[int] = []  # lane of each entry of the open group
    free_at: list[datetime] = []  # when each lane of the group comes free
    for item in items:
        start, end = span(item)
        if free_at and start >= max(free_at):
            places += [Place(lane, len(free_at)) for lane in group]
            group, free_at = [], []
        for lane, free in enumerate(free_at):
            if free <= start:
                free_at[lane] = end
                break
        else:
            lane = len(free_at)
            free_at.append(end)
        group.append(lane)
    return places + [Place(lane, len(free_at)) for lane in group]


def hours_shown(opening: Iterable[tuple[time, time]], entries: Iterable[tuple[datetime, datetime]]) -> tuple[int, int]:
    """The whole hours that the grid shows: the opening hours, and whatever lies outside them."""
    froms, tos = [8], [18]
    opening, entries = list(opening), list(entries)
    if opening:
        froms = [opens.hour for opens, _ in opening]
        tos = [closes.hour + (closes.minute > 0) for _, closes in opening]
    for start, end in entries:
        froms.append(start.hour)
        tos.append(24 if end.date() > start.date() else end.hour + (end.minute > 0))
    return min(froms), max(tos)


class Part(StrEnum):
    """A part of the day; its visits begin and end in it."""

    ANY = "any"
    MORNING = "morning"
    AFTERNOON = "afternoon"


NOON = 12 * 60
PARTS = {Part.ANY: (0, 24 * 60), Part.MORNING: (0, NOON), Part.AFTERNOON: (NOON, 24 * 60)}


class Held(NamedTuple):
    """What holds a chair, a provider, or the patient for whom a time is sought, for [start, end)."""

    start: datetime
    end: datetime
    chair_id: int
    provider_id: int | None
    of_patient: bool = False


class FreeSlot(NamedTuple):
    start: datetime
    provider_id: int
    chair_id: int


def free_slots(
    day: date,
    *,
    minutes: int,
    spans: Mapping[int, Sequence[tuple[int, int]]],
    chairs: Sequence[int],
    held: Iterable[Held],
    part: Part = Part.ANY,
    not_before: datetime | None = None,
    exists: Callable[[datetime], bool] = lambda _moment: True,
) -> list[FreeSlot]:
    """Where a visit of so many minutes fits on a day, by start; of each start the first of `spans` who is free.

    `spans` are the minutes in which each provider works, `chairs` those that may be taken, in the order of preference.
    Times lie back to back from the beginning of each gap, so that no hole is left that nobody can use. `exists` says
    whether the clinic's clock shows a time once that day: on the nights of a change of clocks not all do.
    """
    held = [each for each in held if each.start.date() <= day <= each.end.date()]
    found: dict[datetime, FreeSlot] = {}
    for provider_id, works in spans.items():
        theirs = [each for each in held if each.provider_id == provider_id or each.of_patient]
        for opens, closes in works:
            first, last = max(opens, PARTS[part][0]), min(closes, PARTS[part][1])
            begin = _up_to_grain(max(_at(day, first), not_before or _at(day, first)))
            for start, chair_id in _packed(begin, _at(day, last), timedelta(minutes=minutes), theirs, held, chairs):
                if exists(start) and exists(start + timedelta(minutes=minutes)):
                    found.setdefault(start, FreeSlot(start, provider_id, chair_id))
    return [found[start] for start in sorted(found)]


def _packed(
    begin: datetime,
    end: datetime,
    length: timedelta,
    theirs: Sequence[Held],
    held: Sequence[Held],
    chairs: Sequence[int],
) -> Iterator[tuple[datetime, int]]:
    """Starts from `begin` on, each with a chair that is free for the whole length."""
    while begin + length <= end:
        if busy := _ends_of(theirs, begin, begin + length):
            begin = _up_to_grain(max(busy))
            continue
        nexts = []  # when each chair comes free that is not free now
        for chair_id in chairs:
            busy = _ends_of([each for each in held if each.chair_id == chair_id], begin, begin + length)
            if not busy:
                yield begin, chair_id
                begin += length
                break
            nexts.append(max(busy))
        else:
            if not nexts:
                return
            begin = _up_to_grain(min(nexts))


def _ends_of(held: Iterable[Held], start: datetime, end: datetime) -> list[datetime]:
    return [each.end for each in held if each.start < end and each.end > start]


def _at(day: date, minute: int) -> datetime:
    return datetime.combine(day, time()) + timedelta(minutes=minute)


def _up_to_grain(moment: datetime) -> datetime:
    """The moment, or the next one that the calendar's grain allows."""
    over = moment.minute % STEP
    return moment + timedelta(minutes=STEP - over) if over else moment


def is_on_calendar(day: date) -> bool:
    return FIRST_DAY <= day <= LAST_DAY


def on_calendar(day: date, ahead: int) -> date:
    """The day so many days ahead, or the last one that there is."""
    ahead = max(ahead, (FIRST_DAY - day).days) if ahead < 0 else min(ahead, (LAST_DAY - day).days)
    return day + timedelta(days=ahead)


def longest(kind: Kind) -> int:
    """How many minutes an entry may last."""
    return LONGEST_VISIT if kind is Kind.VISIT else LONGEST_BLOCK


def monday(day: date) -> date:
    return week_start(day, 0)


def week_start(day: date, first_weekday: int) -> date:
    """The first day of the week that the day lies in; 0 is Monday."""
    return day - timedelta(days=(day.weekday() - first_weekday) % 7)


def month_ahead(day: date, ahead: int) -> date:
    """The first day of the month so many months ahead, or of the last one that there is."""
    months = day.year * 12 + day.month - 1 + ahead
    year, month = divmod(months, 12)
    return max(FIRST_DAY, min(date(year, month + 1, 1), LAST_DAY.replace(day=1)))


def weeks_of_month(day: date, first_weekday: int) -> tuple[date, date]:
    """The whole weeks that a month lies in: the first day of them, and the first day after them."""
    first = day.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return week_start(first, first_weekday), week_start(last, first_weekday) + timedelta(days=7)


def snap(minutes: int) -> int:
    return minutes // STEP * STEP


@lru_cache(maxsize=512)
def swatch(color: str) -> str:
    """The name of the nearest of our colours, so that the style sheet can hold them all."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))

    def distance(name: str) -> int:
        r, g, b = (int(SWATCHES[name][i : i + 2], 16) for i in (1, 3, 5))
        return (red - r) ** 2 + (green - g) ** 2 + (blue - b) ** 2

    return min(SWATCHES, key=distance)


def css_place(start: datetime, end: datetime, place: Place) -> str:
    """The classes that put a card where it belongs; `css/calendar-slots.css` knows them all."""
    minutes = (end - start) // _MINUTE
    return f"t{start.hour:02}{start.minute // STEP * STEP:02} h{max(snap(minutes), STEP)} x{place.lane}-{place.lanes}"
