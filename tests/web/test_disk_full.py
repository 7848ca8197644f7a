"""The disk is full, or takes no writes: nothing breaks, the sentence is honest, the owner helps without a terminal."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, event

from cpms.backups import jobs, queries
from cpms.core.db import db, examine
from cpms.core.files import CHUNK
from tests.conftest import PASSPHRASE
from tests.drill import reached
from tests.make import Make
from tests.pages import Answer, Person
from tests.web.test_patients_edit import open_details, send

Write = Callable[[Person, Make], Answer]
LONG = "x" * 15_000  # more than any page of the database has room for


def book(person: Person, make: Make) -> Answer:
    for number in range(80):  # until one needs a new page of the database
        start = datetime(2026, 9, 3, 8) + timedelta(days=number // 20, minutes=30 * (number % 20))
        answer = person.htmx.post(
            "/calendar/events",
            target="dialog",
            kind="visit",
            title="A visit " * 20,
            day=f"{start:%Y-%m-%d}",
            start_time=f"{start:%H:%M}",
            minutes=30,
            chair_id=make.chair("Chair 1").id,
            provider_id=make.user("ada").id,
        )
        if answer.status_code not in {200, 409}:
            break
    return answer


def edit_patient(person: Person, make: Make) -> Answer:
    return send(person, make.spare, make.details, notes=LONG)  # type: ignore[attr-defined]


def open_chart(person: Person, make: Make) -> Answer:
    for _ in range(40):  # every look leaves a trace, and some trace needs a new page
        answer = person.get(f"/patients/{make.spare.id}")  # type: ignore[attr-defined]
        if answer.status_code != 200:
            break
    return answer


WRITES: list[Write] = [book, edit_patient, open_chart]


def no_room(connection: Connection) -> None:
    connection.exec_driver_sql("PRAGMA max_page_count=1")  # SQLite takes it as: not one page more than there are


def no_writes(connection: Connection) -> None:
    connection.exec_driver_sql("PRAGMA query_only=1")
    connection.info["query_only"] = "?"


@pytest.fixture(params=[no_room, no_writes])
def trouble(request: pytest.FixtureRequest, app: Flask) -> Iterator[Callable[[], None]]:
    """Called, it makes the disk bad; in the end it is well again."""
    with app.app_context():
        engine = db.engine
    begun = []

    def strike() -> None:
        event.listen(engine, "begin", request.param)
        begun.append(True)

    strike.sentence = "disk is full" if request.param is no_room else "takes no writes"  # type: ignore[attr-defined]
    yield strike
    if event.contains(engine, "begin", request.param):
        event.remove(engine, "begin", request.param)
    engine.dispose()


@pytest.mark.parametrize("write", WRITES)
def test_nothing_is_saved_and_the_sentence_is_honest(
    olga: Person, make: Make, app: Flask, trouble: Any, write: Write
) -> None:
    make.spare = make.patient()  # type: ignore[attr-defined]
    make.details = open_details(olga, make.spare)  # type: ignore[attr-defined]
    with app.app_context():
        db.engine.dispose()
    trouble()
    answer = write(olga, make)
    assert answer.status_code == 503, answer.html[:500]
    assert trouble.sentence in (answer.toast or answer.page.text)
    assert olga.get("/patients/").status_code == 200, "reading goes on"
    with app.app_context():
        db.session.remove()
        engine = db.engine
        engine.dispose()
    for listener in (no_room, no_writes):
        if event.contains(engine, "begin", listener):
            event.remove(engine, "begin", listener)
    engine.dispose()
    assert write(olga, make).status_code in {200, 409, 422}, "and afterwards all is well"
    with app.app_context():
        db.session.connection().exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.session.remove()
        db.engine.dispose()
        assert examine(Path(app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///"))).counts["patient"] == 1
    reached("A full disk is survivable", 1)


def test_the_owner_gives_the_reserve_back(olga: Person, app: Flask) -> None:
    with app.app_context():
        jobs.keep_reserve()
        file = queries.reserve()
    assert file.stat().st_size == 64 * CHUNK
    assert "give 64 MB back" in olga.get("/backups/").page.text
    assert olga.post("/backups/reserve").status_code == 303
    assert not file.exists()
    assert "give 64 MB back" not in olga.get("/backups/").page.text


def test_signing_in_on_a_full_disk_is_refused_in_words(outsider: Person, app: Flask, trouble: Any) -> None:
    trouble()
    answers = [outsider.post("/login", username="rita", password=PASSPHRASE) for _ in range(30)]
    refused = [answer for answer in answers if answer.status_code not in {303, 429}]
    assert refused
    assert all(answer.status_code == 503 and trouble.sentence in answer.page.text for answer in refused)
    reached("A full disk is survivable", 1)
