"""The table of jobs: name, what it does, when (the clinic's wall clock). It composes; the work is in the domains."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time

from cpms.auth import jobs as auth
from cpms.backups import candidate
from cpms.backups import jobs as backups
from cpms.exchange import jobs as exchange
from cpms.settings import queries as settings
from cpms.work.jobs import Outcome, Progress, Task
from cpms.xrays import intake


@dataclass(frozen=True, slots=True)
class Job:
    """Work of every day, or of one day of the week (0 is Monday)."""

    name: str
    task: Task
    at: Callable[[], time]
    weekday: int | None = None


def _backup_at() -> time:
    return settings.current().backup_at


def _night(task: Callable[[], None]) -> Task:
    """Short work that has nothing to tell."""

    def silent(_progress: Progress) -> Outcome:
        task()
        return Outcome()

    return silent


# Never between 02:00 and 03:00: on two nights of the year that hour does not exist or comes twice.
JOBS = (
    Job("auth.forget_sessions", _night(auth.forget_sessions), lambda: time(3, 40)),
    Job("exchange.forget_old", _night(exchange.forget_old), lambda: time(3, 45)),
    Job("xrays.tidy", _night(intake.tidy), lambda: time(3, 50)),
    Job("backups.forget_candidate", _night(candidate.forget_old), lambda: time(3, 50)),
    Job("backups.nightly", backups.nightly, _backup_at),
    Job("audit.verify", backups.verify_trail, lambda: time(4, 10)),
    Job("backups.drill", backups.drill, lambda: time(4, 30), weekday=6),
)


def job(name: str) -> Job:
    """The job of that name, or KeyError."""
    return {each.name: each for each in JOBS}[name]
