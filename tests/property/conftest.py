"""A clinic of its own for tests that need more than one process."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlcipher3.dbapi2
from flask import Flask

from config import Config
from cpms import create_app
from cpms.core.db import db
from tests.make import Make
from tests.racers import Racers, racers
from tests.server import Server

Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def clinic_folder(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clinic")
    shutil.copy(template_db, folder / "clinic.db")
    return folder


@pytest.fixture(scope="session")
def clinic_app(clinic_folder: Path) -> Iterator[Flask]:
    """The application in the test's own hands, over the file that the others write too."""
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(clinic_folder)}), TESTING=False)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def clinic(clinic_app: Flask) -> Make:
    """Makes records in it. Tests take days of their own: the file is theirs together."""
    return Make(clinic_app)


@pytest.fixture(scope="session")
def server(clinic_folder: Path) -> Iterator[Server]:
    """The shipped server with two processes."""
    with Server(clinic_folder, CPMS_WORKERS=2, CPMS_THREADS=8) as running:
        yield running


@pytest.fixture(scope="session")
def two_processes(clinic_folder: Path) -> Iterator[Racers]:
    with racers(clinic_folder) as crew:
        yield crew


@pytest.fixture
def ask(clinic_folder: Path) -> Ask:
    """Plain SQL against the file, past the application."""
    return lambda statement, *values: ask_file(clinic_folder / "clinic.db", statement, *values)


def ask_file(path: Path, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """With the application's own SQLite: two libraries in one process would break each other's locks."""
    connection = sqlcipher3.dbapi2.connect(path)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()
