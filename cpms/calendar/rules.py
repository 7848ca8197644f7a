"""What is true of any calendar: when two entries clash, how they lie side by side, which step follows which."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple, TypeVar

from cpms.calendar.models import Kind, Status

STEP = 5  # minutes: the grain of the calendar
SHORTEST, LONGEST_VISIT = 5, 480  # minutes
LINE = 15  # minutes between two lines of the grid
LONGEST_BLOCK = 24 * 60  # minutes
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


def is_open(hours: tuple[time, time] | None, start: datetime, end: datetime) -> bool:
    """True when the whole of [start, end) lies inside the opening hours of its day."""
    return hours is not None and end.date() == start.date() and hours[0] <= start.time() and end.time() <= hours[1]


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
