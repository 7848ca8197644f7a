"""Nightly work is done once for each of the clinic's days, whatever clocks, power and processes do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlcipher3.dbapi2
from flask import Flask

from cpms import scheduler
from cpms.backups import queries as backups
from cpms.backups.models import BackupKind
from cpms.core import clock, files
from cpms.core.db import db, transaction
from cpms.jobs import JOBS
from cpms.settings import services as settings
from cpms.work import jobs as work
from cpms.work import queries
from cpms.work.models import State, Work
from tests.make import Make


def berlin(day: int, hour: int, minute: int = 0, month: int = 9) -> datetime:
    """A moment of 2026 by the clinic's wall clock, as an instant."""
    return datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)


def tick(app: Flask, at: datetime) -> None:
    with clock.freeze(at):
        scheduler.tick(app)


def nights(app: Flask) -> list[str]:
    """The days whose backup is made, in order."""
    with app.app_context():
        rows = db.session.query(Work).filter_by(name="backups.nightly", state=State.DONE).order_by(Work.id)
        return [row.due for row in rows]


# Sundays whose weekly drill is behind us, so that these nights' tests need not start the program once more for it.
DRILLED = ("2026-03-22", "2026-03-29", "2026-08-30", "2026-10-18", "2026-10-25", "2031-04-27")


@pytest.fixture
def drilled(app: Flask) -> None:
    with app.app_context(), transaction("test.drilled", actor=None):
        for sunday in DRILLED:
            db.session.add(Work(name="backups.drill", due=sunday, state=State.DONE, finished_at=clock.now()))


def test_a_night_and_a_week_are_done_once(app: Flask) -> None:
    """All the jobs, the weekly drill among them."""
    tick(app, berlin(6, 4, 29))
    tick(app, berlin(6, 4, 30))
    tick(app, berlin(6, 23, 59))
    with app.app_context():
        done = [(row.name, row.due, row.state) for row in db.session.query(Work) if row.name.startswith("backups.")]
    days = {"backups.nightly": ["2026-09-06"], "backups.drill": ["2026-08-30", "2026-09-06"]}
    days["backups.forget_candidate"] = days["backups.nightly"]
    assert sorted(done) == sorted((name, day, State.DONE) for name, dues in days.items() for day in dues)


@pytest.mark.usefixtures("drilled")
def test_a_night_is_backed_up_once(app: Flask) -> None:
    tick(app, berlin(1, 3, 31))
    tick(app, berlin(1, 3, 32))
    tick(app, berlin(1, 23, 59))
    assert nights(app) == ["2026-09-01"]
    tick(app, berlin(2, 3, 29))
    assert nights(app) == ["2026-09-01"], "the hour has not come"
    tick(app, berlin(2, 3, 30))
    assert nights(app) == ["2026-09-01", "2026-09-02"]
    with app.app_context():
        assert {row.kind for row in backups.present()} == {BackupKind.NIGHTLY}


@pytest.mark.usefixtures("drilled")
def test_a_server_that_slept_through_the_night_catches_up_in_the_morning(app: Flask) -> None:
    tick(app, berlin(1, 3, 31))
    tick(app, berlin(4, 8, 15))
    assert nights(app) == ["2026-09-01", "2026-09-04"]


@pytest.mark.usefixtures("drilled")
def test_a_clock_that_goes_back_backs_up_nothing_twice(app: Flask) -> None:
    tick(app, berlin(2, 3, 31))
    tick(app, berlin(2, 3, 10))
    tick(app, berlin(2, 3, 31))
    assert nights(app) == ["2026-09-02", "2026-09-01"], "each day once, though the older one came later"


@pytest.mark.usefixtures("drilled")
def test_a_backup_from_the_future_does_not_keep_the_clinic_without_one(app: Flask) -> None:
    """The clock was wrong once, years ahead, and was set right."""
    tick(app, berlin(1, 12))
    tick(app, datetime(2031, 5, 1, 12, tzinfo=UTC))
    tick(app, berlin(1, 13))
    with app.app_context():
        newest = db.session.query(Work).filter_by(name="backups.nightly").order_by(Work.id.desc()).first()
    assert newest is not None
    assert (newest.due, newest.state) == (None, State.DONE)


@pytest.mark.usefixtures("drilled")
@pytest.mark.parametrize(("month", "day"), [(3, 29), (10, 25)])
def test_the_nights_when_the_clocks_change_have_one_backup_each(app: Flask, month: int, day: int) -> None:
    with app.app_context(), transaction("settings.change", actor=None):
        settings.change_settings(backup_at=datetime(2026, 1, 1, 2, 30).time())
    midnight = datetime(2026, month, day, tzinfo=UTC) - timedelta(hours=2)
    for quarter in range(4 * 10):
        tick(app, midnight + timedelta(minutes=15 * quarter))
    assert nights(app).count(f"2026-{month:02}-{day:02}") == 1


@pytest.mark.usefixtures("drilled")
def test_work_that_failed_is_tried_again_an_hour_later(app: Flask) -> None:
    folder = Path(app.config["CPMS_INSTANCE"], "backups")
    with app.app_context(), transaction("settings.change", actor=None):
        settings.change_settings(backup_key="age1-a-key-that-is-not-on-this-machine")
    tick(app, berlin(1, 3, 31))
    with app.app_context():
        row = queries.for_day("backups.nightly", "2026-09-01")
        assert row is not None
        assert (row.state, "key" in row.message) == (State.FAILED, True)
        assert list(folder.glob("*.tar")) == []
        failed = len(db.session.query(Work).all())
    with app.app_context(), transaction("settings.change", actor=None):
        settings.change_settings(backup_key="")
    tick(app, berlin(1, 4, 5))
    assert nights(app) == []
    with app.app_context():
        assert len([row for row in db.session.query(Work) if row.name == "backups.nightly"]) == 1, failed
    tick(app, berlin(1, 4, 32))
    assert nights(app) == ["2026-09-01"]


def test_nothing_runs_before_the_clinic_is_set_up(app: Flask) -> None:
    with app.app_context(), transaction("test.empty", actor=None):
        for table in ("user_session", "user"):
            db.session.connection().exec_driver_sql(f'DELETE FROM "{table}"')
    tick(app, berlin(1, 3, 31))
    assert nights(app) == []


def test_only_one_process_has_the_jobs(app: Flask) -> None:
    with files.only_one(Path(app.config["CPMS_INSTANCE"], "scheduler.lock")) as ours:
        assert ours
        assert scheduler.start(app) is None


def test_a_server_that_is_told_to_runs_no_jobs(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "CPMS_JOBS", False)
    assert scheduler.start(app) is None


@pytest.mark.usefixtures("drilled")
def test_long_work_waits_for_long_work(app: Flask) -> None:
    with app.app_context(), files.only_one(queries.lock()):
        tick(app, berlin(1, 3, 31))
    assert nights(app) == []
    tick(app, berlin(1, 3, 33))
    assert nights(app) == ["2026-09-01"]


@pytest.mark.usefixtures("drilled")
def test_work_whose_process_was_killed_is_told_and_done_again(app: Flask) -> None:
    with app.app_context():
        with transaction("work.begin", actor=None):
            db.session.add(Work(name="backups.nightly", due="2026-09-01", state=State.RUNNING))
        assert queries.running() is None
    tick(app, berlin(1, 12))
    assert nights(app) == ["2026-09-01"]


def test_what_a_job_does_wrong_is_told_with_a_code(ctx: Flask, caplog: pytest.LogCaptureFixture) -> None:
    def stumble(_progress: work.Progress) -> work.Outcome:
        raise KeyError("of ours")

    work_id = work.run("test.stumble", stumble)
    assert work_id is not None
    message = queries.work(work_id).message
    assert message.startswith("Something went wrong")
    assert message.rpartition(" ")[2] in caplog.text


def test_no_job_lies_in_the_hour_that_summer_time_skips_or_doubles(ctx: Flask) -> None:
    assert [job.name for job in JOBS if 1 <= job.at().hour <= 2] == []


def test_two_processes_that_ask_at_the_same_moment_do_a_day_once(ctx: Flask) -> None:
    """Both saw that it was due; the second comes to the lock when the first is done."""
    done = []

    def task(_progress: work.Progress) -> work.Outcome:
        done.append(True)
        return work.Outcome()

    assert work.run("test.once", task, due="2026-09-01") is not None
    assert work.run("test.once", task, due="2026-09-01") is None
    assert done == [True]


@pytest.fixture
def long_log(app: Flask, make: Make) -> Path:
    """The write-ahead log of a day on which some request was always under way."""
    log = Path(app.config["CPMS_INSTANCE"], "clinic.db-wal")
    reader = sqlcipher3.dbapi2.connect(log.with_name("clinic.db"), isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM patient").fetchone()
    while log.stat().st_size <= scheduler.LONG_LOG:
        for _ in range(20):
            make.patient(notes="x" * 60_000)
    reader.execute("COMMIT")
    reader.close()
    return log


def test_a_long_log_of_the_database_is_emptied_when_nobody_is_in_it(app: Flask, long_log: Path) -> None:
    before = patients_in(long_log)
    tick(app, berlin(1, 9))
    assert long_log.stat().st_size < scheduler.LONG_LOG // 4
    assert patients_in(long_log) == before


def test_a_log_that_somebody_reads_is_left_as_it_is(app: Flask, long_log: Path) -> None:
    reader = sqlcipher3.dbapi2.connect(long_log.with_name("clinic.db"), isolation_level=None)
    reader.execute("BEGIN")
    before = reader.execute("SELECT count(*) FROM patient").fetchone()
    tick(app, berlin(1, 9))
    assert long_log.stat().st_size > scheduler.LONG_LOG
    assert reader.execute("SELECT count(*) FROM patient").fetchone() == before
    reader.close()


def patients_in(log: Path) -> int:
    connection = sqlcipher3.dbapi2.connect(log.with_name("clinic.db"))
    try:
        return int(connection.execute("SELECT count(*) FROM patient").fetchone()[0])
    finally:
        connection.close()
