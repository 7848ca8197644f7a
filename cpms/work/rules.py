"""When nightly work is due. A day is done or it is not: a clock that goes back, an hour that comes twice or never, and
a night without power change nothing about that."""

from datetime import date, datetime, time, timedelta


def due_day(now: datetime, at: time) -> date:
    """The newest day of the clinic whose hour has come, by its wall clock."""
    return now.date() if now.time() >= at else now.date() - timedelta(days=1)
