"""The clinic that every test begins with: Olga (owner), Dr Ada (dentist), Hugo (hygienist), Rita (reception).

The schema is migrated once into a file; each test gets a copy of it, and a clock that stands on Tuesday 1 September
2026, 09:00 in Berlin.
"""

import secrets
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import event as sqlalchemy_event

from config import Config
from cpms import create_app
from cpms.audit import queries as audit
from cpms.audit.models import AuditEntry
from cpms.auth import queries as auth
from cpms.auth.models import User, UserSession
from cpms.calendar import services as calendar
from cpms.core import clock
from cpms.core.db import db, transaction
from cpms.core.permissions import Role
from cpms.core.text import fold_name
from cpms.settings import services as settings
from tests.make import Make
from tests.pages import Person

NOW = datetime(2026, 9, 1, 7, 0, tzinfo=UTC)
PASSPHRASE = "correct horse battery staple"
# Argon2id of the passphrase, made once: hashing it in each test would take a third of a second.
PASSWORD_HASH = "$argon2id$v=19$m=19456,t=2,p=1$9a71RqPnj4xgs2/52oZBSA$ui7sMGXfEKiZRb1EK5E8UQfDryJO1PVl62GMwqjamyo"
CAST = (
    ("olga", "Olga Owner", Role.OWNER, False),
    ("ada", "Dr Ada Dent", Role.DENTIST, True),
    ("hugo", "Hugo Clean", Role.HYGIENIST, True),
    ("rita", "Rita Desk", Role.RECEPTIONIST, False),
)


@pytest.fixture(scope="session", autouse=True)
def _closed_network() -> Iterator[None]:
    """Nothing here speaks to anybody but this machine."""
    connect = socket.socket.connect

    def only_here(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect(self, address)

    socket.socket.connect = only_here  # type: ignore[method-assign]
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def session_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """One application for the whole run; only its database file is new for each test."""
    folder = tmp_path_factory.mktemp("instance")
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(folder)}), TESTING=False)
    with app.app_context():
        upgrade()
        with clock.freeze(NOW):
            furnish()
        db.engine.dispose()
    return app


@pytest.fixture(scope="session")
def template_db(session_app: Flask) -> Path:
    """The furnished database as one file, write-ahead log folded in."""
    folder = Path(session_app.config["CPMS_INSTANCE"])
    with session_app.app_context():
        db.session.connection().exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.session.remove()
        db.engine.dispose()
    return Path(shutil.copy(folder / "clinic.db", folder / "template.db"))


def furnish() -> None:
    """The cast, two chairs, a handful of appointment types."""
    with transaction("test.furnish", actor=None):
        settings.change_settings(clinic_name="Test Dental", time_zone="Europe/Berlin")
        for username, name, role, is_provider in CAST:
            db.session.add(
                User(
                    username=username,
                    username_key=fold_name(username),
                    email=f"{username}@example.org",
                    email_key=fold_name(f"{username}@example.org"),
                    password_hash=PASSWORD_HASH,
                    display_name=name,
                    role=role,
                    is_provider=is_provider,
                )
            )
        calendar.first_furniture()


@pytest.fixture
def app(session_app: Flask, template_db: Path) -> Iterator[Flask]:
    """The application over a fresh copy of the furnished database."""
    live = Path(session_app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///"))
    with session_app.app_context():
        db.engine.dispose()
    for leftover in (live.with_name(live.name + "-wal"), live.with_name(live.name + "-shm")):
        leftover.unlink(missing_ok=True)
    shutil.copy(template_db, live)
    for folder in ("backups", "media", "derived", "incoming", "restore", "exports"):
        shutil.rmtree(live.parent / folder, ignore_errors=True)
    for secret in live.parent.glob("backup.key*"):
        secret.unlink()
    for kept in ("calendar_drawn", "feed_times"):  # of another database
        session_app.extensions.pop(kept, None)
    with clock.freeze(NOW):
        yield session_app
        wait_for_work()
    with session_app.app_context():
        db.engine.dispose()


def wait_for_work() -> None:
    """Until nothing runs behind a screen any more."""
    for thread in threading.enumerate():
        if thread.name.startswith("work "):
            thread.join(timeout=60)


@pytest.fixture
def ctx(app: Flask) -> Iterator[Flask]:
    """For tests below HTTP: services and queries at hand."""
    with app.app_context():
        yield app


@pytest.fixture
def make(app: Flask) -> Make:
    return Make(app)


@pytest.fixture
def sign_in(app: Flask) -> Callable[[str], Person]:
    """Put somebody at a browser of their own, signed in. Signing in itself is tested in test_auth_sign_in.py."""

    def at_a_browser(username: str) -> Person:
        token = secrets.token_urlsafe(32)
        with app.app_context(), transaction("test.sign_in", actor=None):
            user = auth.user_named(username)
            assert user is not None
            user_id = user.id
            db.session.add(
                UserSession(
                    token_hash=auth.token_hash(token),
                    user_id=user_id,
                    last_seen_at=clock.now(),
                    expires_at=clock.now() + timedelta(hours=12),
                )
            )
        client = app.test_client()
        with client.session_transaction() as session:
            session["_user_id"] = token
            session["_fresh"] = True
        return Person(client, user_id=user_id)

    return at_a_browser


@pytest.fixture
def olga(sign_in: Callable[[str], Person]) -> Person:
    return sign_in("olga")


@pytest.fixture
def ada(sign_in: Callable[[str], Person]) -> Person:
    return sign_in("ada")


@pytest.fixture
def hugo(sign_in: Callable[[str], Person]) -> Person:
    return sign_in("hugo")


@pytest.fixture
def rita(sign_in: Callable[[str], Person]) -> Person:
    return sign_in("rita")


@pytest.fixture
def outsider(app: Flask) -> Person:
    """Somebody who is not signed in."""
    return Person(app.test_client())


@pytest.fixture
def last_audit(app: Flask) -> Callable[[], AuditEntry]:
    """The newest entry of the trail."""

    def newest() -> AuditEntry:
        with app.app_context():
            entry = audit.entries(limit=1)[0]
            db.session.expunge_all()
            return entry

    return newest


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """Every SQL statement from here on, transaction words aside."""
    seen: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "COMMIT", "ROLLBACK")):
            seen.append(statement)

    sqlalchemy_event.listen(engine, "before_cursor_execute", note)
    yield seen
    sqlalchemy_event.remove(engine, "before_cursor_execute", note)
