"""Runs the jobs at their hours, in the one process of this machine that holds the lock file."""

import fcntl
import logging
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
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
    with app.app_context():
        zone = settings.current().zone
    scheduler = BackgroundScheduler(
        timezone=zone, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    for each in JOBS:
        scheduler.add_job(
            _run, CronTrigger(hour=each.hour, minute=each.minute, timezone=zone), [app, each], id=each.name
        )
    scheduler.start()
    app.extensions["scheduler"] = (scheduler, lock)
    return scheduler


def _run(app: Flask, job: Job) -> None:
    with app.app_context():
        try:
            job.run()
        except Exception:  # a job that fails tonight runs again tomorrow; the log tells
            log.exception("job %s failed", job.name)
