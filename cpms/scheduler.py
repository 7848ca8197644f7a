"""Runs the jobs at their hours, in the one process of this machine that holds the lock file."""

import fcntl
import logging
from pathlib import Path
from zoneinfo import ZoneInfo

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask

from cpms.jobs import JOBS, Job
from cpms.settings import queries as settings

log = logging.getLogger("cpms")


def start(app: Flask) -> BackgroundScheduler | None:
    """Start the scheduler; None when another process has it already. The lock goes with the process."""
    lock = Path(app.config["CPMS_INSTANCE"], "scheduler.lock").open("w")  # noqa: SIM115 - held as long as the process lives
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    scheduler = BackgroundScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    zone = _zone(app)
    for each in JOBS:
        scheduler.add_job(_run, _at(each, zone), [app, each], id=each.name)
    scheduler.add_job(_follow_zone, IntervalTrigger(hours=1), [app, scheduler], id="follow_zone")
    scheduler.start()
    app.extensions["scheduler"] = (scheduler, lock)
    return scheduler


def _zone(app: Flask) -> ZoneInfo:
    with app.app_context():
        return settings.current().zone


def _at(job: Job, zone: ZoneInfo) -> CronTrigger:
    return CronTrigger(hour=job.hour, minute=job.minute, timezone=zone)


def _follow_zone(app: Flask, scheduler: BackgroundScheduler) -> None:
    """The jobs keep the clinic's hours, also when the set-up or the settings give it another zone."""
    zone = _zone(app)
    for each in JOBS:
        if scheduler.get_job(each.name).trigger.timezone != zone:
            scheduler.reschedule_job(each.name, trigger=_at(each, zone))


def _run(app: Flask, job: Job) -> None:
    with app.app_context():
        try:
            job.run()
        except Exception:  # a job that fails tonight runs again tomorrow; the log tells
            log.exception("job %s failed", job.name)
