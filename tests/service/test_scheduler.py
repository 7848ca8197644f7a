"""The jobs' hours are the clinic's, and one process has them."""

from collections.abc import Iterator

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

from cpms import scheduler
from cpms.core.db import transaction
from cpms.jobs import JOBS
from cpms.settings import services as settings


@pytest.fixture
def running(app: Flask) -> Iterator[BackgroundScheduler]:
    started = scheduler.start(app)
    assert started is not None
    yield started
    started.shutdown(wait=True)
    app.extensions.pop("scheduler")[1].close()


def zones(running: BackgroundScheduler) -> set[str]:
    return {str(running.get_job(job.name).trigger.timezone) for job in JOBS}


def test_only_one_process_has_the_jobs(app: Flask, running: BackgroundScheduler) -> None:
    assert scheduler.start(app) is None


def test_the_jobs_follow_the_clinic_s_zone(app: Flask, running: BackgroundScheduler) -> None:
    assert zones(running) == {"Europe/Berlin"}
    with app.app_context(), transaction("settings.change", actor=None):
        settings.change_settings(time_zone="Europe/Istanbul")
    scheduler._follow_zone(app, running)
    assert zones(running) == {"Europe/Istanbul"}


def test_no_job_lies_in_the_hour_that_summer_time_skips_or_doubles() -> None:
    assert [job.name for job in JOBS if 1 <= job.hour <= 2] == []
