"""The made-up clinic: the same numbers give the same one, and nothing in it breaks the rules of the calendar."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import sqlcipher3.dbapi2 as sqlite
from flask import Flask

from bench.data import digest
from config import Config
from cpms import create_app
from cpms.auth import queries as auth
from cpms.auth import services as auth_services
from cpms.calendar.models import Status
from cpms.core import clock
from cpms.core.db import db
from cpms.setup import demo
from cpms.today import queries as today
from cpms.xrays import queries as xrays

AS_OF = date(2026, 9, 2)
MONDAY = date(2026, 8, 31)


def make(folder: Path, *, patients: int, events: int, seed: int = 1, as_of: date = AS_OF) -> Flask:
    """A demo clinic, as the command makes it."""
    folder.mkdir(parents=True, exist_ok=True)
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(folder)}))
    words = f"--patients {patients} --events {events} --seed {seed} --as-of {as_of}"
    result = app.test_cli_runner().invoke(args=["cpms", "demo", *words.split()])
    assert result.exit_code == 0, result.output
    with app.app_context():
        db.engine.dispose()
    return app


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A full clinic: five chairs, and just enough visits to fill the weeks around the day."""
    place = tmp_path_factory.mktemp("demo") / "full"
    make(place, patients=300, events=20_000)
    return place


def rows(folder: Path, query: str) -> list[tuple]:
    connection = sqlite.connect(str(folder / "clinic.db"))
    found = connection.execute(query).fetchall()
    connection.close()
    return found


def this_week(folder: Path, what: str, rest: str = "") -> list[tuple]:
    until = MONDAY + timedelta(days=7)
    return rows(folder, f"SELECT {what} FROM event WHERE start >= '{MONDAY}' AND start < '{until}' {rest}")


def test_the_same_numbers_give_the_same_clinic(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make(tmp_path / name, patients=40, events=300)
    make(tmp_path / "other", patients=40, events=300, seed=2)
    one, two, other = (digest(tmp_path / name / "clinic.db") for name in ("one", "two", "other"))
    assert one == two
    assert other != one


def test_there_are_as_many_as_asked_for(folder: Path) -> None:
    assert rows(folder, "SELECT count(*) FROM patient") == [(300,)]
    assert rows(folder, "SELECT count(*) FROM event") == [(20_000,)]


@pytest.mark.parametrize("holder", ["chair_id", "provider_id"])
def test_no_two_visits_hold_one_chair_or_provider_at_one_time(folder: Path, holder: str) -> None:
    held = rows(
        folder,
        f"SELECT {holder}, start, \"end\" FROM event WHERE status NOT IN ('cancelled', 'no_show') ORDER BY 1, 2",
    )
    assert not [one for one, two in pairwise(held) if one[0] == two[0] and one[2] > two[1]]


def test_the_week_of_the_day_is_full(folder: Path) -> None:
    ((visits,),) = this_week(folder, "count(*)")
    assert 270 <= visits <= 330
    assert len(this_week(folder, "DISTINCT chair_id")) == 5


def test_the_statuses_are_those_of_a_clinic_at_half_past_ten(folder: Path) -> None:
    by_status = Counter(status for (status,) in rows(folder, "SELECT status FROM event WHERE kind = 'visit'"))
    assert by_status["completed"] > 10 * (by_status["no_show"] + by_status["cancelled"])
    today = dict(this_week(folder, "status, count(*)", f"AND start LIKE '{AS_OF}%' AND kind = 'visit' GROUP BY 1"))
    assert {"completed", "in_chair", "arrived", "confirmed"} <= set(today)
    assert not this_week(folder, "id", "AND status IN ('completed', 'no_show') AND \"end\" > '2026-09-02 10:30:01'")
    assert not this_week(folder, "id", "AND status = 'scheduled' AND kind = 'visit' AND \"end\" < '2026-09-02 10:30'")
    assert not rows(folder, "SELECT id FROM event WHERE (status = 'cancelled') <> (cancel_reason IS NOT NULL)")


@pytest.mark.parametrize("hour", [8, 14, 21])
def test_who_waits_has_come_some_minutes_before_somebody_looks(tmp_path: Path, hour: int) -> None:
    app, looks = (
        create_app(Config.from_env({"CPMS_INSTANCE": str(tmp_path)})),
        datetime(2026, 9, 2, hour, 20, tzinfo=UTC),
    )
    with clock.freeze(looks):
        result = app.test_cli_runner().invoke(args=["cpms", "demo", "--patients", "200", "--events", "1200"])
    assert result.exit_code == 0, result.output
    with app.app_context(), clock.freeze(looks):
        waiting = [each.minutes for each in today.visits(AS_OF) if each.status is Status.ARRIVED]
        treated = [each.minutes for each in today.visits(AS_OF) if each.status is Status.IN_CHAIR]
        db.session.remove()
        db.engine.dispose()
    assert waiting or treated  # a small clinic's waiting room may be empty
    assert all(1 <= minutes <= 20 for minutes in waiting), waiting
    assert all(1 <= minutes <= 90 for minutes in treated), treated


def test_archived_patients_are_not_expected(folder: Path) -> None:
    query = "SELECT event.id FROM event JOIN patient ON patient.id = patient_id WHERE patient.status = 'archived'"
    assert rows(folder, query) == []
    assert rows(folder, "SELECT count(*) FROM patient WHERE status = 'archived'") == [(6,)]


def test_everybody_signs_in_with_the_printed_passphrase(tmp_path: Path) -> None:
    app = make(tmp_path, patients=10, events=20)
    with app.app_context():
        for username, role in demo.USERS:
            user = auth.user_named(username)
            assert user is not None and user.role == role
            assert auth_services.password_fits(user, demo.PASSPHRASE), username


def test_it_goes_only_into_an_empty_database(tmp_path: Path) -> None:
    app = make(tmp_path, patients=10, events=20)
    before = digest(tmp_path / "clinic.db")
    result = app.test_cli_runner().invoke(args=["cpms", "demo", "--patients", "10", "--events", "20"])
    assert result.exit_code != 0 and "in use" in result.output
    assert digest(tmp_path / "clinic.db") == before


def test_two_patients_of_the_demo_have_pictures_that_can_be_read(tmp_path: Path) -> None:
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(tmp_path)}))
    done = app.test_cli_runner().invoke(args=["cpms", "prepare", "--demo"])
    assert done.exit_code == 0, done.output
    with app.app_context():
        rows = xrays.listing().rows
        db.session.remove()
        db.engine.dispose()
    assert len(rows) == 12
    assert len({row.patient_id for row in rows}) == 2
    assert {(row.bit_depth, row.problem) for row in rows} == {(16, "")}
