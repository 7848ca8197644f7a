"""What is true of any day at the desk: which steps a visit can take, and when the next working day is."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from cpms.calendar import rules as calendar
from cpms.calendar.models import Status

LONG_WAIT = 15  # minutes, after which somebody in the waiting room is pointed out
DAYS_AHEAD = 60  # how far ahead the next working day is looked for
DAYS_BACK = 30  # how far back a visit that was never finished is still asked about


class Steps(NamedTuple):
    """What a visit may become: the usual step with one tap, the others from its menu, some with a question first."""

    usual: Status | None
    others: tuple[Status, ...]
    asked: tuple[Status, ...]  # a step back, or the end: they want a reason


def steps(status: Status) -> Steps:
    """The same ways that the visit's sheet in the calendar offers."""
    confirming = (Status.CONFIRMED,) if status is Status.SCHEDULED else ()
    every = (*confirming, *calendar.other_steps(status))
    asked = tuple(each for each in every if calendar.is_back(status, each))
    if status is not Status.CANCELLED:
        asked += (Status.CANCELLED,)
    return Steps(calendar.next_step(status), tuple(each for each in every if each not in asked), asked)


STEPS = {status: steps(status) for status in Status}


def next_working_day(today: date, open_days: Sequence[date]) -> date:
    """The next day on which the clinic opens, of those that are known; tomorrow in a clinic that never does."""
    return next((day for day in open_days if day > today), today + timedelta(days=1))
