"""Somebody signed in, who asks the application without a server between: the WSGI call alone is timed."""

import io
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import event
from werkzeug.test import EnvironBuilder

from bench.data import Clinic
from config import Config
from cpms import create_app
from cpms.auth import queries as auth
from cpms.auth.models import UserSession
from cpms.core import clock
from cpms.core.db import db, transaction
from cpms.core.permissions import P
from cpms.web.access import require

GRID = {"HX-Request": "true", "HX-Target": "section#week-grid"}
SEARCH = {"HX-Request": "true", "HX-Target": "div#search-results"}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


class Desk:
    """A signed-in receptionist before an application of her own."""

    def __init__(self, clinic: Clinic, username: str = "rita") -> None:
        self.clinic = clinic
        self.app: Flask = create_app(Config.from_env({"CPMS_INSTANCE": str(clinic.folder)}))
        self.cookie = cookie(self.app, username)
        with self.app.app_context():
            self.user = auth.user_named(username)
            assert self.user is not None
            db.session.expunge_all()
        self._behind: dict[str, Callable[[], bytes]] = {}

        @require(P.PATIENT_READ)
        def bare(name: str) -> Response:
            return Response(self._behind[name](), mimetype="text/html")

        self.app.add_url_rule("/bare/<name>", view_func=bare)

    def behind_the_door(self, name: str, answer: Callable[[], bytes]) -> Callable[[], Answer]:
        """A request to a view that does nothing but this: what the session, the gate and the headers cost is in it."""
        self._behind[name] = answer
        return self.request(f"/bare/{name}")

    def request(self, url: str, headers: dict[str, str] | None = None, **form: Any) -> Callable[[], Answer]:
        """A request that can be made again and again; with `form` it is a POST."""
        headers = dict(headers or {}) | {"Cookie": self.cookie}
        body = b""
        if form:
            body = urlencode({"csrf_token": csrf_token(self.app)} | form).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        path, _, query = url.partition("?")
        method = "POST" if form else "GET"
        environ = EnvironBuilder(path=path, query_string=query, method=method, headers=headers, data=body).get_environ()
        answers: list[Any] = []

        def start(status: str, headers: list[Any], _error: Any = None) -> Any:
            answers.append(int(status[:3]))

        def ask() -> Answer:
            answers.clear()
            environ_now = environ | {"wsgi.input": io.BytesIO(body)}
            result = self.app.wsgi_app(environ_now, start)
            whole = b"".join(result)
            if hasattr(result, "close"):
                result.close()
            return Answer(answers[0], whole)

        return ask

    def forget_drawn(self) -> None:
        """The next grid is drawn anew."""
        self.app.extensions.get("calendar_drawn", {}).clear()

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Every SQL statement meanwhile, transaction words aside."""
        seen: list[str] = []

        def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith(("BEGIN", "PRAGMA")):
                seen.append(statement)

        with self.app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(engine, "before_cursor_execute", note)


_RAW_CSRF = "b" * 40


def cookie(app: Flask, username: str, *, hours: float = 12, at: datetime | None = None) -> str:
    """The Cookie header of a new session. Signing in itself is slow on purpose and no matter here."""
    token = secrets.token_urlsafe(32)
    now = at or clock.now()
    with app.app_context(), transaction("bench.sign_in", actor=None):
        user = auth.user_named(username)
        assert user is not None
        db.session.add(
            UserSession(
                token_hash=auth.token_hash(token),
                user_id=user.id,
                last_seen_at=now,
                expires_at=now + timedelta(hours=hours),
            )
        )
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    value = signer.dumps({"_user_id": token, "_fresh": True, "csrf_token": _RAW_CSRF})
    return f"{app.config['SESSION_COOKIE_NAME']}={value}"


def csrf_token(app: Flask) -> str:
    """What a page of that session would carry."""
    return str(URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").dumps(_RAW_CSRF))


def interleaved(
    rounds: int,
    figures: dict[str, Callable[[], Any]],
    *,
    before: Callable[[], None] | None = None,
    warm: int = 3,
) -> dict[str, list[float]]:
    """CPU milliseconds of this thread, each figure once a round, so that a noisy machine is equally unfair to all."""
    times: dict[str, list[float]] = {name: [] for name in figures}
    for number in range(-warm, rounds):
        for name, figure in figures.items():
            if before:
                before()
            start = time.thread_time()
            figure()
            spent = time.thread_time() - start
            if number >= 0:
                times[name].append(spent * 1000)
    return times
