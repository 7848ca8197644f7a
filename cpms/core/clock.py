"""The only place that reads the clock or converts between its two kinds.

An *instant* is aware and in UTC: something happened. A *wall clock* time is naive and in the clinic's zone: something
is on the calendar. 10:00 on the calendar stays 10:00 when a law moves the summer time or somebody corrects the zone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_zone_source: Callable[[], ZoneInfo] = lambda: ZoneInfo("UTC")  # noqa: E731 - replaced by `use_zone`
_frozen: datetime | None = None


def use_zone(source: Callable[[], ZoneInfo]) -> None:
    """Tell the clock where to ask for the clinic's zone. The factory does it once."""
    global _zone_source  # noqa: PLW0603 - one clock per process
    _zone_source = source


@contextmanager
def freeze(at: datetime) -> Iterator[None]:
    """Hold the clock at an aware instant, for tests and for building the demo clinic as of a day."""
    global _frozen  # noqa: PLW0603 - one clock per process
    if at.tzinfo is None:
        raise ValueError("freeze() takes an aware instant")
    before, _frozen = _frozen, at.astimezone(UTC)
    try:
        yield
    finally:
        _frozen = before


def now() -> datetime:
    """The present instant, aware, UTC."""
    return _frozen or datetime.now(UTC)


def zone() -> ZoneInfo:
    return _zone_source()


def clinic_now() -> datetime:
    """The clinic's wall clock, naive, to the minute."""
    return to_wall(now()).replace(second=0, microsecond=0)


def today() -> date:
    """The clinic's date."""
    return to_wall(now()).date()


def to_wall(instant: datetime) -> datetime:
    """What the clinic's wall clock showed at an instant."""
    if instant.tzinfo is None:
        raise ValueError("an instant is aware")
    return instant.astimezone(zone()).replace(tzinfo=None)


def to_instant(wall: datetime) -> datetime:
    """The instant of a wall clock time; of an hour that comes twice, the first."""
    if wall.tzinfo is not None:
        raise ValueError("a wall clock time is naive")
    return wall.replace(tzinfo=zone()).astimezone(UTC)


def is_skipped(wall: datetime) -> bool:
    """True when the clocks jump over this time on that day: the wall clock never shows it."""
    return to_wall(to_instant(wall)) != wall


def is_repeated(wall: datetime) -> bool:
    """True when the wall clock shows this time twice that day."""
    first, second = wall.replace(tzinfo=zone(), fold=0), wall.replace(tzinfo=zone(), fold=1)
    return not is_skipped(wall) and first.utcoffset() != second.utcoffset()
