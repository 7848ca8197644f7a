"""The one door for writes: what it lets in, what it keeps out, and what it leaves behind."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlcipher3.dbapi2
from flask import Flask
from sqlalchemy import delete, inspect, update
from sqlalchemy.exc import OperationalError

from config import Config
from cpms import create_app
from cpms.audit import queries as audit
from cpms.auth import queries as auth
from cpms.core import clock
from cpms.core.db import db, transaction
from cpms.core.errors import ConstraintBroken, Stale, Unhealthy, WriteOutsideTransaction
from cpms.patients import queries as patients
from cpms.patients.models import Patient
from tests.conftest import NOW
from tests.make import Make

LATER = NOW + timedelta(hours=1)
PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "recursive_triggers": 1,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "temp_store": 2,
    "busy_timeout": 10_000,
}


@pytest.fixture
def patient(ctx: Flask, make: Make) -> Patient:
    return patients.patient(make.patient(notes="As it was").id)


def notes(patient_id: int) -> str:
    """As they are in the file, whatever the session thinks."""
    with db.engine.connect() as connection:
        return str(connection.exec_driver_sql("SELECT notes FROM patient WHERE id = ?", (patient_id,)).scalar_one())


def entries() -> int:
    with db.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM audit_entry").scalar_one())


def test_what_is_written_inside_is_stored(patient: Patient) -> None:
    with transaction("patient.update", actor=None):
        patient.notes = "New"
    assert notes(patient.id) == "New"


def test_transactions_do_not_nest(ctx: Flask) -> None:
    with (
        transaction("outer", actor=None),
        pytest.raises(RuntimeError, match="do not nest"),
        transaction("inner", actor=None),
    ):
        pass


def test_after_a_refused_inner_one_the_outer_goes_on(patient: Patient) -> None:
    with transaction("outer", actor=None):
        patient.notes = "Outer"
        with pytest.raises(RuntimeError), transaction("inner", actor=None):
            patient.notes = "Inner"
    assert notes(patient.id) == "Outer"


def test_a_flush_outside_is_refused(patient: Patient) -> None:
    patient.notes = "Stray"
    with pytest.raises(WriteOutsideTransaction):
        db.session.flush()
    db.session.rollback()
    assert notes(patient.id) == "As it was"


def test_a_transaction_does_not_take_in_what_was_changed_before_it(patient: Patient) -> None:
    patient.notes = "Stray"
    with pytest.raises(WriteOutsideTransaction), transaction("patient.update", actor=None):
        pass
    db.session.rollback()
    assert notes(patient.id) == "As it was"


@pytest.mark.parametrize("way", ["session", "engine"])
def test_sql_outside_cannot_write(patient: Patient, way: str) -> None:
    with db.engine.connect() as own:
        connection = db.session.connection() if way == "session" else own
        with pytest.raises(OperationalError, match="readonly"):
            connection.exec_driver_sql("UPDATE patient SET notes = 'Stray'")
    db.session.rollback()
    assert notes(patient.id) == "As it was"


def test_a_connection_that_wrote_is_read_only_again(patient: Patient) -> None:
    with transaction("patient.update", actor=None):
        patient.notes = "New"
    with pytest.raises(OperationalError, match="readonly"):
        db.session.connection().exec_driver_sql("DELETE FROM patient")
    db.session.rollback()


@pytest.mark.parametrize("statement", [update(Patient).values(notes="All"), delete(Patient)], ids=["update", "delete"])
def test_changes_in_bulk_leave_no_trace_and_are_refused(patient: Patient, statement: Any) -> None:
    with (
        pytest.raises(WriteOutsideTransaction, match="one by one"),
        transaction("patient.update", actor=None),
    ):
        db.session.execute(statement)
    assert notes(patient.id) == "As it was"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_whatever_goes_wrong_nothing_is_left(patient: Patient, error: type[BaseException]) -> None:
    before = entries()
    with pytest.raises(error), transaction("patient.update", actor=None, about=patient):
        patient.notes = "Half"
        db.session.flush()
        raise error
    assert (notes(patient.id), entries(), patient.notes) == ("As it was", before, "As it was")


def test_after_an_error_the_door_opens_again(patient: Patient) -> None:
    with pytest.raises(ValueError), transaction("patient.update", actor=None):
        raise ValueError
    with transaction("patient.update", actor=None):
        patient.notes = "New"
    assert notes(patient.id) == "New"


def test_the_lock_is_taken_before_the_first_look(patient: Patient, app: Flask) -> None:
    """What is read inside is what will be there at the write: nobody else gets in between."""
    with transaction("patient.update", actor=None):
        other = sqlcipher3.dbapi2.connect(db.engine.url.database, timeout=0, isolation_level=None)
        try:
            with pytest.raises(sqlcipher3.dbapi2.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        finally:
            other.close()


def test_readers_do_not_wait_for_the_writer(patient: Patient, app: Flask) -> None:
    seen = []

    def look() -> None:
        with app.app_context():
            seen.append(patients.patient(1).notes)

    with transaction("patient.update", actor=None):
        patient.notes = "Not yet"
        db.session.flush()
        reader = threading.Thread(target=look)
        reader.start()
        reader.join(timeout=60)
    assert seen == ["As it was"]


def test_a_row_that_was_loaded_before_is_read_again_inside(patient: Patient, make: Make) -> None:
    assert patient.notes == "As it was"
    with make.app.app_context(), transaction("patient.update", actor=None):
        patients.patient(1).notes = "By another desk"
    with transaction("patient.update", actor=None):
        assert patient.notes == "By another desk"


def test_who_holds_an_old_picture_is_told_and_overwrites_nothing(patient: Patient) -> None:
    seen = patient.row_version
    with transaction("patient.update", actor=None):
        patient.notes = "First"
    with pytest.raises(Stale), transaction("patient.update", actor=None):
        patient.expect_version(seen)
        patient.notes = "Second"
    assert notes(patient.id) == "First"


def test_the_database_itself_notices_a_row_that_changed_under_the_hand(patient: Patient) -> None:
    with pytest.raises(Stale), transaction("patient.update", actor=None):
        assert patient.row_version == 1
        db.session.connection().exec_driver_sql("UPDATE patient SET row_version = 7")
        patient.notes = "Second"
    assert notes(patient.id) == "As it was"


def test_a_broken_rule_is_named(ctx: Flask) -> None:
    with pytest.raises(ConstraintBroken) as broken, transaction("user.create", actor=None):
        user = auth.user_named("ada")
        assert user is not None
        user.email_key = "rita@example.org"
    assert broken.value.constraint == "user.email_key"


def test_a_reference_to_nobody_is_refused(ctx: Flask) -> None:
    with pytest.raises(ConstraintBroken), transaction("event.create", actor=None):
        db.session.connection().exec_driver_sql(
            "INSERT INTO user_session (token_hash, user_id, last_seen_at, expires_at, ip, device, created_at, "
            "updated_at) VALUES ('x', 4711, '2026-01-01', '2026-01-01', '', '', '2026-01-01', '2026-01-01')"
        )


def test_the_old_value_is_kept_even_when_nobody_read_it(patient: Patient) -> None:
    db.session.expire(patient)
    with transaction("patient.update", actor=None):
        assert "notes" in inspect(patient).unloaded
        patient.notes = "New"
    [change] = audit.changes_of(audit.entries(limit=1)[0].id)
    assert change.columns == {"notes": ["As it was", "New"]}


def test_the_trail_tells_who_what_and_about_whom(patient: Patient, make: Make) -> None:
    ada = make.user("ada")
    with transaction("patient.update", actor=ada, about=patient, reason="Asked to"):
        patient.notes = "New"
    entry = audit.entries(limit=1)[0]
    assert (entry.actor_id, entry.action, entry.reason) == (ada.id, "patient.update", "Asked to")
    assert (entry.about_table, entry.about_id, entry.patient_id) == ("patient", str(patient.id), patient.id)
    assert (entry.created_at, entry.origin) == (NOW, "server")


def test_two_flushes_are_one_entry(patient: Patient) -> None:
    before = entries()
    with transaction("patient.update", actor=None):
        patient.notes = "First"
        db.session.flush()
        patient.alert_text = "Second"
    assert entries() == before + 1
    assert len(audit.changes_of(audit.entries(limit=1)[0].id)) == 2


def test_looking_at_a_chart_leaves_a_trace_without_a_change(patient: Patient) -> None:
    with transaction("patient.view", actor=None, about=patient):
        pass
    entry = audit.entries(limit=1)[0]
    assert (entry.action, entry.patient_id, audit.changes_of(entry.id)) == ("patient.view", patient.id, [])


def test_nothing_done_to_nobody_leaves_no_trace(ctx: Flask) -> None:
    before = entries()
    with transaction("nothing", actor=None):
        pass
    assert entries() == before


def test_a_secret_is_masked_in_the_trail(ctx: Flask) -> None:
    with transaction("user.reset_password", actor=None):
        user = auth.user_named("ada")
        assert user is not None
        user.password_hash = "$argon2id$new"
    [change] = audit.changes_of(audit.entries(limit=1)[0].id)
    assert change.columns == {"password_hash": ["•••", "•••"]}


def test_a_row_knows_when_it_was_made_and_last_changed(patient: Patient) -> None:
    assert (patient.created_at, patient.updated_at) == (NOW, NOW)
    with clock.freeze(LATER), transaction("patient.update", actor=None):
        patient.notes = "New"
    assert (patient.created_at, patient.updated_at) == (NOW, LATER)


def test_every_pooled_connection_has_the_pragmas(ctx: Flask) -> None:
    held = [db.engine.connect() for _ in range(3)]
    try:
        for connection in held:
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS}
            assert found == PRAGMAS
    finally:
        for connection in held:
            connection.close()


def test_a_connection_that_comes_back_from_the_pool_still_has_them(patient: Patient) -> None:
    with transaction("patient.update", actor=None):
        patient.notes = "New"
    db.session.remove()
    found = {name: db.session.connection().exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS}
    assert found == PRAGMAS


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 44, 5), (3, 45, 0), (3, 50, 6), (3, 51, 2)])
def test_a_sqlite_that_can_lose_rows_is_refused(
    version: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sqlcipher3.dbapi2, "sqlite_version_info", version)
    with pytest.raises(Unhealthy, match="can lose stored rows"):
        create_app(Config.from_env({"CPMS_INSTANCE": str(tmp_path)}))


@pytest.mark.parametrize("version", [(3, 44, 6), (3, 50, 7), (3, 51, 3), (3, 53, 0), (4, 0, 0)])
def test_a_mended_sqlite_is_welcome(
    version: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sqlcipher3.dbapi2, "sqlite_version_info", version)
    assert create_app(Config.from_env({"CPMS_INSTANCE": str(tmp_path)}))


def test_the_library_in_use_is_the_locked_one(ctx: Flask) -> None:
    assert db.session.connection().exec_driver_sql("SELECT sqlite_version()").scalar() == (
        sqlcipher3.dbapi2.sqlite_version
    )


def test_an_error_does_not_print_what_was_typed(patient: Patient) -> None:
    with pytest.raises(OperationalError) as broken, transaction("patient.update", actor=None):
        db.session.connection().exec_driver_sql("UPDATE patient SET no_such_column = ?", ("Selma is ill",))
    assert "Selma" not in str(broken.value)
