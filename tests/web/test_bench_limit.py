"""The limits that `./cpms.sh bench` measures against are worth something only while they give the program's bytes."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from bench import limit
from cpms.calendar.models import Status
from cpms.core.db import db
from tests.make import TUESDAY, Make
from tests.pages import Person

TODAY = TUESDAY.date()
WEEK = "/calendar/week/2026-09-01"


@pytest.fixture
def raw(app: Flask) -> Iterator[Any]:
    with app.app_context():
        connection = limit.connect(Path(str(db.engine.url.database)))
    yield connection
    connection.close()


def test_the_week_is_the_same_with_all_that_a_card_can_show(rita: Person, make: Make, raw: Any) -> None:
    monday = TUESDAY - timedelta(days=1)
    hostile = make.patient(first_name="<b>Ann</b>", last_name='O\'Neil & "Sons"', alert_text="Latex <latex>")
    make.visit(patient=hostile, notes="Please ring first.", type_id=make.type("Filling").id)
    make.visit(patient=make.patient(last_name="—"), overbook_reason="Toothache")
    make.visit(chair="Chair 2", provider="hugo", minutes=5, title="Only a title & more")
    make.block(monday)
    for number, status in enumerate(Status):
        make.visit(TUESDAY + timedelta(days=1, hours=number), status=status)
    for number in range(14):  # more than lie side by side
        make.visit(TUESDAY + timedelta(days=2, minutes=5 * number), minutes=90, overbook_reason="full")
    make.visit(TUESDAY.replace(hour=6, minute=30), minutes=20, color="#123456")
    make.visit(TUESDAY + timedelta(days=5))
    answer = rita.htmx.get(WEEK, target="week-grid")
    assert limit.week(raw, TODAY, limit.opening(raw), TODAY).decode() == answer.html


@pytest.mark.parametrize("day", [date(2026, 9, 1), date(2026, 7, 1), date(2026, 12, 30)])
def test_an_empty_week_is_the_same(rita: Person, raw: Any, day: date) -> None:
    answer = rita.htmx.get(f"/calendar/week/{day}", target="week-grid")
    assert limit.week(raw, day, limit.opening(raw), TODAY).decode() == answer.html


def test_the_page_of_another_patient_is_the_same(rita: Person, make: Make, raw: Any) -> None:
    known = {"sex": "female", "email": "{}@example.org", "address": "{} street 5", "alert_text": "Ask {} & <look>"}
    known |= {"mobile_phone": "0150 1234{}", "home_phone": "030 9988{}", "medical_history": "None."}
    one = make.patient(
        last_name="Aslan", date_of_birth=date(1950, 5, 17), **{k: v.format("321") for k, v in known.items()}
    )
    two = make.patient(
        last_name="O'Brien", date_of_birth=date(1977, 12, 3), **{k: v.format("456") for k, v in known.items()}
    )
    pages = {each.id: rita.get(f"/patients/{each.id}").html for each in (one, two)}

    def values(number: int) -> dict[str, str]:
        row = raw.execute(limit.PATIENT, (number,)).fetchone()
        token = re.search(r"X-CSRFToken(?:&#34;|\"): (?:&#34;|\")([^\"&]+)", pages[number])
        assert token is not None
        return limit.patient_values(row, TODAY, token[1])

    assert limit.Mould(pages[one.id], values(one.id)).fill(values(two.id)) == pages[two.id]


def test_the_answer_of_the_search_is_the_same(rita: Person, make: Make, raw: Any) -> None:
    for number in range(22):
        phone = {"mobile_phone": f"0150 77 88 {number:02}"} if number % 3 else {}
        make.patient(first_name=f"Özlem {chr(65 + number)}", last_name="O'Martin <i>", **phone)
    answer = rita.htmx.get("/patients/find", target="search-results", q="o mar").html
    assert answer.count('href="/patients/') >= 20
    assert limit.Found(answer).find(raw, "o mar").decode() == answer
