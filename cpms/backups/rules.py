"""Which backups stay, and when the clinic must worry."""

from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

DAILY, WEEKLY, MONTHLY = 7, 4, 12
FEWEST = 3  # verified ones, whatever their age
WORRY_AFTER = timedelta(hours=25)
CATCH_UP_AFTER = timedelta(hours=24)


class Kept(NamedTuple):
    """A backup that could be let go."""

    id: str
    at: datetime  # the clinic's wall clock
    is_good: bool


def let_go(backups: Iterable[Kept], *, now: datetime) -> set[str]:
    """The ids of backups to remove: what is neither the newest of one of the last days, weeks and months that have
    any, nor younger than a day. A failed one goes after a week. Three good ones stay, come what may."""
    newest_first = sorted(backups, key=lambda each: (each.at, each.id), reverse=True)
    good = [each for each in newest_first if each.is_good]
    stay = {each.id for each in good[:FEWEST]}
    stay |= {each.id for each in good if now - each.at < timedelta(days=1)}
    stay |= {each.id for each in newest_first if not each.is_good and now - each.at < timedelta(days=7)}
    for period, many in ((_day, DAILY), (_week, WEEKLY), (_month, MONTHLY)):
        newest: dict[Hashable, str] = {}
        for each in good:
            newest.setdefault(period(each.at), each.id)
        stay |= set(list(newest.values())[:many])
    return {each.id for each in newest_first} - stay


def _day(at: datetime) -> Hashable:
    return at.date()


def _week(at: datetime) -> Hashable:
    return at.isocalendar()[:2]


def _month(at: datetime) -> Hashable:
    return at.year, at.month


def is_old(last_good: datetime | None, *, now: datetime, limit: timedelta) -> bool:
    """Whether the last good backup is too old. One that seems to come from the future proves nothing: the clock was
    wrong, then or now."""
    return last_good is None or not timedelta(0) <= now - last_good <= limit
