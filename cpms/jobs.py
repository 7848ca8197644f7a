"""The table of jobs: name, what it does, when (the clinic's wall clock). It composes; the work is in the domains."""

from collections.abc import Callable
from dataclasses import dataclass

from cpms.auth import jobs as auth


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    run: Callable[[], None]
    hour: int
    minute: int


# Never between 02:00 and 03:00: on two nights of the year that hour does not exist or comes twice.
JOBS = (Job("auth.forget_sessions", auth.forget_sessions, 3, 40),)


def job(name: str) -> Job:
    """The job of that name, or KeyError."""
    return {each.name: each for each in JOBS}[name]
