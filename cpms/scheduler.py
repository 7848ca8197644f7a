"""Asks every minute which work is due, in the one process of this machine that holds the lock file.

Whether work is due is a question of the clinic's days, not of a timer: what a night without power left out is done at
the next start, and a clock that goes back does nothing twice. See `work.rules`.
"""

import fcntl
import logging
from datetime import date, timedelta
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask

from cpms.auth import queries as auth
from cpms.backups import jobs as backups
from cpms.core import clock
from cpms.core.db import shorten_log
from cpms.core.errors import Refused
from cpms.jobs import JOBS, Job
from cpms.work import jobs as work
from cpms.work import queries, rules
from cpms.work.models import State

log = logging.getLogger("cpms")

LONG_LOG = 16 * 1024 * 1024  # bytes; the database itself keeps its log at a quarter of that when it can


def start(app: Flask) -> BackgroundScheduler | None:
    """Start the scheduler; None when another process has it already, or when this machine is not to run jobs. The
    lock goes with the process."""
    if not app.config["CPMS_JOBS"]:
        return None
    lock = Path(app.config["CPMS_INSTANCE"], "scheduler.lock").open("w")  # noqa: SIM115 - held as long as the process lives
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    scheduler = BackgroundScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    scheduler.add_job(tick, IntervalTrigger(minutes=1), [app], id="tick", next_run_time=clock.now())
    scheduler.start()
    app.extensions["scheduler"] = (scheduler, lock)
    return scheduler


def tick(app: Flask) -> None:
    """Do what is due, one after the other."""
    with app.app_context():
        if auth.nobody_yet():
            return
        shorten_log(longer_than=LONG_LOG)
        backups.keep_reserve()
        for each in JOBS:
            try:
                _do_if_due(each)
            except Refused:
                return  # a person's work is running: ask again in a minute
            except Exception:  # a job that fails now is tried again later; the log tells
                log.exception("job %s failed", each.name)


def _do_if_due(job: Job) -> None:
    day = rules.due_day(clock.clinic_now(), job.at())
    if job.weekday is not None:
        day -= timedelta(days=(day.weekday() - job.weekday) % 7)
    if _is_open(job, day):
        work.run(job.name, job.task, due=day.isoformat())
    elif job.name == "backups.nightly" and backups.is_overdue() and not work.tried_lately(job.name):
        work.run(job.name, job.task)  # the day's was made, and is gone or dated by a wrong clock


def _is_open(job: Job, day: date) -> bool:
    """Whether that day's work is still to do; asked without a write, as the answer is nearly always no."""
    row = queries.for_day(job.name, day.isoformat())
    return row is None or (row.state is not State.DONE and not work.tried_lately(job.name))
