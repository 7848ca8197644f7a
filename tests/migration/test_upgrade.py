"""From every earlier schema to the newest and back: old records survive, a failed migration changes nothing."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlcipher3.dbapi2
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade

from config import Config
from cpms import ROOT, create_app
from cpms.core.db import db
from tests.drill import reached

AT = "'2026-09-01 07:00:00.000000'"
# For each revision: rows, in the schema as it was then, for the tables that it made. A new revision gets a line here.
ROWS: dict[str, tuple[str, ...]] = {
    "0001": (
        f"INSERT INTO setting VALUES ('clinic_name', '\"Old Dental\"', {AT}, {AT})",
        f"INSERT INTO sign_in_attempt VALUES ('name:ada', 3, NULL, {AT}, {AT})",
        "INSERT INTO user (id, username, username_key, email, email_key, password_hash, display_name, role, color, "
        "is_provider, active, must_change_password, theme, created_at, updated_at, row_version) VALUES "
        f"(1, 'Ada', 'ada', 'a@x.org', 'a@x.org', 'h', 'Dr Ada', 'dentist', '#0f766e', 1, 1, 0, 'auto', {AT}, {AT}, 4)",
        f"INSERT INTO user_session VALUES (1, 'hash', 1, {AT}, {AT}, NULL, '10.0.0.7', 'Tablet', {AT}, {AT})",
    ),
    "0002": (
        "INSERT INTO patient (id, chart_no, first_name, last_name, date_of_birth, sex, home_phone, mobile_phone, "
        "email, address, notes, alert_text, status, current_treatment, medical_history, surgery_history, "
        "any_medical_problems, women_specific_info, search_text, name_key, created_at, updated_at, row_version) "
        "VALUES (1, 12, 'Işıl', 'Çağ', '1985-03-02', 'female', '1', '2', 'a@x.org', 'Street', 'Notes', 'Latex', "
        f"'active', 't', 'm', 's', 'a', 'w', 'isil cag 12 19850302', 'cag isil', {AT}, {AT}, 2)",
    ),
    "0003": (
        f"INSERT INTO chair VALUES (1, 'Chair 1', 0, 1, {AT}, {AT}, 1)",
        f"INSERT INTO appointment_type VALUES (1, 'Check-up', 30, '#0f766e', 0, 1, {AT}, {AT}, 1)",
        'INSERT INTO event (id, title, start, "end", color, kind, status, notes, patient_id, chair_id, provider_id, '
        "type_id, created_at, updated_at, row_version) VALUES (1, 'Visit', '2026-09-01 10:00:00.000000', "
        f"'2026-09-01 10:30:00.000000', '#0f766e', 'visit', 'scheduled', 'n', 1, 1, 1, 1, {AT}, {AT}, 3)",
        "UPDATE calendar_revision SET number = 17",
    ),
    "0004": (
        "INSERT INTO audit_entry (id, actor_id, action, about_table, about_id, patient_id, origin, request_id, "
        f"created_at, updated_at) VALUES (1, 1, 'patient.create', 'patient', '1', 1, '10.0.0.7', 'abcd', {AT}, {AT})",
        "INSERT INTO audit_change (id, entry_id, table_name, row_id, patient_id, columns, created_at, updated_at) "
        f"""VALUES (1, 1, 'patient', '1', 1, '{{"notes": [null, "Notes"]}}', {AT}, {AT})""",
    ),
    "0005": (
        "INSERT INTO audit_entry (id, actor_id, action, origin, request_id, mac, undoes_id, created_at, updated_at) "
        f"VALUES (2, 1, 'patient.undo', '10.0.0.7', 'abcd', '{'5e' * 32}', 1, {AT}, {AT})",
    ),
    "0006": (
        f"INSERT INTO work VALUES (1, 'backups.nightly', '2026-09-01', 'done', 's', 1, 2, 'm', 'r', {AT}, 1, "
        f"{AT}, {AT})",
        f"INSERT INTO backup VALUES ('b', 'b.tar', 5, 'nightly', 'sum', {AT}, 'good', '', '{{}}', 0, '', NULL, '', "
        f"NULL, {AT}, {AT})",
    ),
    "0007": (
        "INSERT INTO xray (id, date_performed, findings, impression, kind, teeth, laterality, sha256, size, mime, "
        "width, height, bit_depth, frames, original_name, dicom, problem, layers, uploaded_by_id, created_at, "
        "updated_at, row_version, patient_id) VALUES (1, '2026-08-31', 'f', 'i', 'bitewing', '[\"16\"]', 'right', "
        f"'{'5e' * 32}', 9, 'image/png', 3, 4, 8, 1, 'a.png', '{{}}', '', '[]', 1, {AT}, {AT}, 1, 1)",
    ),
    "0008": (
        "INSERT INTO xray_mount (id, layout, title, cells, created_at, updated_at, row_version, patient_id) "
        f"""VALUES (1, 'bitewings_2', 't', '{{"b1": {{"xray": 1, "turn": 90}}}}', {AT}, {AT}, 1, 1)""",
    ),
    "0009": ("UPDATE user SET language = 'tr'",),
    "0010": (
        f"INSERT INTO work_week VALUES (1, '[]', 1, {AT}, {AT}, 1)",
        "INSERT INTO time_off (id, kind, name, start, end, created_at, updated_at, row_version) "
        f"VALUES (1, 'closed', 'Leave', {AT}, '2099-01-01', {AT}, {AT}, 1)",
    ),
    "0011": (
        f"INSERT INTO calendar_choice VALUES (1, '[1]', '[]', '[1]', 0, 'provider', {AT}, {AT})",
        f"INSERT INTO calendar_clipboard VALUES (1, 1, 'cut', {AT}, {AT})",
        "UPDATE event SET no_new_date_reason = 'Moved away'",
    ),
    "0012": (f"INSERT INTO feed VALUES (1, 1, '{'5e' * 32}', 1, {AT}, NULL, {AT}, {AT})",),
    "0013": (
        "INSERT INTO event_series (id, unit, every, weekdays, monthly, anchor, count, made_by_id, created_at, "
        f"updated_at, row_version) VALUES (1, 'week', 2, '1', 'day', '2026-09-01', 10, 1, {AT}, {AT}, 1)",
    ),
}
REVISIONS = sorted(ROWS)
HEAD = REVISIONS[-1]

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Flask]:
    """An application over an empty folder."""
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(tmp_path)}), TESTING=False)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def sql(clinic: Flask, tmp_path: Path) -> Iterator[Sql]:
    """Plain SQL against the file, past the application."""
    connection = sqlcipher3.dbapi2.connect(tmp_path / "clinic.db", isolation_level=None)
    connection.execute("PRAGMA foreign_keys=ON")
    yield lambda statement: connection.execute(statement).fetchall()
    connection.close()


def fill(sql: Sql, *, up_to: str) -> None:
    for revision in REVISIONS:
        if revision <= up_to:
            for statement in ROWS[revision]:
                sql(statement)


def tables(sql: Sql) -> list[str]:
    found = sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    return sorted(name for (name,) in found if not name.startswith(("patient_search", "alembic")))


def records(sql: Sql) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, by column."""
    everything = {}
    for table in tables(sql):
        columns = [name for _, name, *_ in sql(f'PRAGMA table_info("{table}")')]
        everything[table] = [dict(zip(columns, row, strict=True)) for row in sql(f'SELECT * FROM "{table}" ORDER BY 1')]
    return everything


def schema(sql: Sql) -> list[tuple[Any, ...]]:
    return sql("SELECT type, name, sql FROM sqlite_master ORDER BY type, name")


def revision(sql: Sql) -> list[tuple[Any, ...]]:
    return sql("SELECT version_num FROM alembic_version")


def test_every_revision_has_rows_to_survive(clinic: Flask, sql: Sql) -> None:
    script = ScriptDirectory(clinic.extensions["migrate"].directory)
    assert sorted(each.revision for each in script.walk_revisions()) == REVISIONS
    upgrade()
    fill(sql, up_to=HEAD)
    assert not [table for table, rows in records(sql).items() if not rows]


@pytest.mark.parametrize("start", REVISIONS)
def test_old_records_survive_the_way_up(clinic: Flask, sql: Sql, start: str) -> None:
    upgrade(revision=start)
    fill(sql, up_to=start)
    before = records(sql)
    upgrade()
    after = records(sql)
    for table, rows in before.items():
        assert [{name: new[name] for name in old} for old, new in zip(rows, after[table], strict=True)] == rows
    assert revision(sql) == [(HEAD,)]
    assert sql("PRAGMA foreign_key_check") == []
    assert sql("PRAGMA integrity_check") == [("ok",)]
    reached("An upgrade keeps the records", 1)


@pytest.mark.parametrize("start", REVISIONS)
def test_search_and_slots_work_after_the_way_up(clinic: Flask, sql: Sql, start: str) -> None:
    upgrade(revision=start)
    fill(sql, up_to=start)
    upgrade()
    for each in REVISIONS:
        if each > start:
            for statement in ROWS[each]:
                sql(statement)
    assert sql("SELECT rowid FROM patient_search WHERE patient_search MATCH '\"sil\"'") == [(1,)]
    sql("INSERT INTO patient_search (patient_search) VALUES ('integrity-check')")
    sql("UPDATE patient SET search_text = 'renamed' WHERE id = 1")
    assert sql("SELECT rowid FROM patient_search WHERE patient_search MATCH '\"sil\"'") == []
    assert sql("SELECT rowid FROM patient_search WHERE patient_search MATCH '\"ename\"'") == [(1,)]
    again = ROWS["0003"][2].replace("VALUES (1, 'Visit'", "VALUES (2, 'Second'")
    with pytest.raises(sqlcipher3.dbapi2.IntegrityError, match="event_slot_taken"):
        sql(again)
    sql(again.replace("'scheduled'", "'cancelled'"))
    with pytest.raises(sqlcipher3.dbapi2.IntegrityError, match="event_slot_taken"):
        sql("UPDATE event SET status = 'scheduled' WHERE id = 2")


def test_down_step_by_step_and_up_again(clinic: Flask, sql: Sql) -> None:
    upgrade()
    fill(sql, up_to=HEAD)
    whole, everything = schema(sql), records(sql)
    for below in [*reversed(REVISIONS[:-1]), "base"]:
        downgrade(revision=below)
        left = records(sql)
        for table, rows in left.items():
            assert [{name: row[name] for name in rows[0]} for row in everything[table]] == rows, table
        assert sql("PRAGMA foreign_key_check") == []
    assert tables(sql) == []
    assert [name for _, name, _ in schema(sql) if not name.startswith(("sqlite", "alembic"))] == []
    upgrade()
    assert schema(sql) == whole


def test_the_server_finds_nothing_to_do_the_second_time(clinic: Flask, sql: Sql) -> None:
    upgrade()
    fill(sql, up_to=HEAD)
    whole, everything = schema(sql), records(sql)
    upgrade()
    assert (schema(sql), records(sql)) == (whole, everything)


@pytest.fixture
def with_revision(tmp_path: Path) -> Callable[[str], str]:
    """A folder of migrations with one more, which does what the given lines say."""

    def make(lines: str) -> str:
        folder = tmp_path / "migrations"
        shutil.copytree(ROOT / "migrations", folder)
        body = "\n".join(f"    {line}" for line in lines.splitlines())
        (folder / "versions" / "9999_bad.py").write_text(
            f'import sqlalchemy as sa\nfrom alembic import op\n\nrevision = "9999"\ndown_revision = "{HEAD}"\n\n\n'
            f"def upgrade():\n{body}\n\n\ndef downgrade():\n    pass\n"
        )
        return str(folder)

    return make


FIRST_SOME_WORK = """
op.create_table("half", sa.Column("id", sa.Integer(), primary_key=True))
op.execute("UPDATE patient SET notes = 'overwritten'")
with op.batch_alter_table("chair") as batch_op:
    batch_op.add_column(sa.Column("floor", sa.Integer(), nullable=True))
"""


@pytest.mark.parametrize(
    ("then", "error"),
    [
        ("op.execute('UPDATE no_such_table SET x = 1')", Exception),
        ("raise KeyboardInterrupt", KeyboardInterrupt),
        ("op.execute('DELETE FROM chair')", SystemExit),
        ("op.execute('DROP TABLE patient')", SystemExit),
    ],
    ids=["bad statement", "interrupted", "visits without a chair", "visits without a patient"],
)
@pytest.mark.parametrize("start", ["0003", HEAD])
def test_a_migration_that_fails_changes_nothing(
    clinic: Flask,
    sql: Sql,
    with_revision: Callable[[str], str],
    start: str,
    then: str,
    error: type[BaseException],
) -> None:
    upgrade(revision=start)
    fill(sql, up_to=start)
    whole, everything = schema(sql), records(sql)
    with pytest.raises(error):
        upgrade(directory=with_revision(FIRST_SOME_WORK + then))
    assert (schema(sql), records(sql), revision(sql)) == (whole, everything, [(start,)])


def test_a_migration_that_breaks_references_says_so_and_they_are_watched_again(
    clinic: Flask, sql: Sql, with_revision: Callable[[str], str], caplog: pytest.LogCaptureFixture
) -> None:
    upgrade()
    fill(sql, up_to=HEAD)
    with pytest.raises(SystemExit):
        upgrade(directory=with_revision("op.execute('DELETE FROM chair')"))
    assert "would break 1 references; nothing was changed" in caplog.text
    connection = db.session.connection()
    assert [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("foreign_keys", "query_only")] == [1, 1]


def test_rebuilding_a_table_deletes_no_row_that_points_at_it(
    clinic: Flask, sql: Sql, with_revision: Callable[[str], str]
) -> None:
    upgrade()
    fill(sql, up_to=HEAD)
    upgrade(
        directory=with_revision(
            'with op.batch_alter_table("patient", recreate="always") as batch_op:\n'
            '    batch_op.add_column(sa.Column("nickname", sa.String(60), nullable=True))'
        )
    )
    assert sql("SELECT id, patient_id FROM event") == [(1, 1)]
    assert sql("SELECT id, nickname FROM patient") == [(1, None)]
