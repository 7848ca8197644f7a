"""What is true of any day at the desk: which steps a visit can take, and when the next working day is."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from cpms.calendar import rules as calendar
from cpms.calendar.models import Status

LONG_WAIT = 15  # minutes, after which somebody in the waiting room is pointed out
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


def next_working_day(today: date, opening: Sequence[Any]) -> date:
    """The next day on which the clinic opens; tomorrow in a clinic that never does."""
    week = [today + timedelta(days=ahead) for ahead in range(1, 8)]
    return next((day for day in week if opening[day.weekday()]), week[0])
