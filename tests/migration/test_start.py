"""What a start does with the database that it finds."""

from pathlib import Path

import pytest
import sqlcipher3.dbapi2
from flask import Flask
from flask_migrate import upgrade

from config import Config
from cpms import ROOT, cli, create_app
from cpms.backups import archive, queries
from cpms.backups.models import BackupKind, BackupResult
from cpms.core.db import db
from cpms.core.errors import Unhealthy

HEAD = max(path.name[:4] for path in (ROOT / "migrations/versions").glob("0*.py"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def program(folder: Path) -> Flask:
    return create_app(Config.from_env({"CPMS_INSTANCE": str(folder)}))


def copies(folder: Path) -> list[Path]:
    return sorted((folder / "backups").glob("*")) if (folder / "backups").exists() else []


def revision(path: Path) -> str:
    connection = sqlcipher3.dbapi2.connect(str(path))
    try:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    finally:
        connection.close()


@pytest.mark.parametrize("old", ["0001", "0002", "0003", "0004", "0005"])
def test_an_older_database_is_copied_whole_and_brought_up_to_date(program: Flask, folder: Path, old: str) -> None:
    with program.app_context():
        upgrade(revision=old)
        db.session.remove()
        cli.bring_up_to_date()
        db.engine.dispose()
    [copy] = copies(folder)
    assert copy.stat().st_mode & 0o777 == 0o600
    with program.app_context():
        content = archive.opened(copy, None)
        archive.unpack_database(copy, content, None, folder / "before.db")
        [row] = queries.backups().rows
        assert (row.file_name, row.kind, row.result) == (copy.name, BackupKind.BEFORE_UPGRADE, BackupResult.GOOD)
        db.session.remove()
        db.engine.dispose()
    assert (revision(folder / "before.db"), revision(folder / "clinic.db")) == (old, HEAD)


def test_an_empty_database_and_a_new_one_are_not_copied(program: Flask, folder: Path) -> None:
    with program.app_context():
        cli.bring_up_to_date()
        cli.bring_up_to_date()
        db.engine.dispose()
    assert copies(folder) == []


def test_a_database_of_a_newer_program_is_left_alone(program: Flask, folder: Path) -> None:
    with program.app_context():
        cli.bring_up_to_date()
        db.engine.dispose()
    connection = sqlcipher3.dbapi2.connect(str(folder / "clinic.db"))
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with program.app_context(), pytest.raises(Unhealthy, match="newer version"):
        cli.bring_up_to_date()
    assert copies(folder) == []
