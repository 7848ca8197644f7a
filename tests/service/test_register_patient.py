"""A new patient: the chart number, the search keys, and the question whether they are here already."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from flask import Flask

from cpms.audit import queries as audit
from cpms.core.db import transaction
from cpms.patients import queries, services
from cpms.patients.models import Patient, Sex
from cpms.patients.services import LooksKnown
from tests.make import Make

SELMA = {"first_name": "Selma", "last_name": "Yıldız", "date_of_birth": date(1985, 3, 2)}


def register(**columns: Any) -> Patient:
    with transaction("patient.create", actor=None):
        return services.register_patient(**columns)


def test_a_patient_is_stored_as_typed(ctx: Flask) -> None:
    row = register(**SELMA, sex=Sex.FEMALE, mobile_phone="0532 123 45 67")
    assert (row.name, row.date_of_birth, row.sex, row.mobile_phone) == (
        "Selma Yıldız",
        date(1985, 3, 2),
        Sex.FEMALE,
        "0532 123 45 67",
    )
    assert row.chart_no == 1


def test_a_new_patient_leaves_a_trace(ctx: Flask) -> None:
    register(**SELMA)
    entry = audit.entries(limit=1)[0]
    assert entry.action == "patient.create"
    (change,) = audit.changes_of(entry.id)
    assert change.columns["last_name"] == [None, "Yıldız"]
    assert "search_text" not in change.columns


def test_a_chart_number_is_never_given_twice(ctx: Flask, make: Make) -> None:
    make.patient()
    last = make.patient()
    with transaction("patient.delete", actor=None):
        services.delete_patient(queries.patient(last.id))
    assert make.patient().chart_no == last.chart_no + 1


def test_eight_desks_at_once_get_numbers_of_their_own(app: Flask, make: Make) -> None:
    def five(desk: int) -> list[int]:
        return [make.patient(first_name=f"Desk {desk}", last_name=f"Number {n}").chart_no for n in range(5)]

    with ThreadPoolExecutor(8) as desks:
        numbers = [number for each in desks.map(five, range(8)) for number in each]
    assert sorted(numbers) == list(range(1, 41))


@pytest.mark.parametrize(
    "changes",
    [
        {"date_of_birth": date(1990, 1, 1)},
        {"first_name": "SELMA", "last_name": "yildiz", "date_of_birth": date(1990, 1, 1)},
        {"first_name": "Yıldız", "last_name": "Selma", "date_of_birth": date(1990, 1, 1)},
        {"first_name": "Zelma"},
        {
            "first_name": "Ayşe",
            "last_name": "Kaya",
            "date_of_birth": date(1990, 1, 1),
            "home_phone": "+90 532 123 45 67",
        },
    ],
    ids=["same name", "same name, other spelling", "names swapped", "same last name and birthday", "same phone"],
)
def test_somebody_like_this_is_asked_about(ctx: Flask, make: Make, changes: dict[str, Any]) -> None:
    first = make.patient(**SELMA, mobile_phone="0532 123 45 67")
    with pytest.raises(LooksKnown) as known:
        register(**(SELMA | changes))
    assert [hit.id for hit in known.value.candidates] == [first.id]
    assert queries.next_chart_no() == first.chart_no + 1


@pytest.mark.parametrize(
    "changes",
    [
        {"first_name": "Ayşe", "date_of_birth": date(1990, 1, 1)},
        {"first_name": "Ayşe", "last_name": "Kaya"},
        {"last_name": "Kaya", "date_of_birth": date(1990, 1, 1), "mobile_phone": "0532 123 45 68"},
    ],
    ids=["same last name only", "same birthday only", "other phone"],
)
def test_somebody_else_is_not_asked_about(ctx: Flask, make: Make, changes: dict[str, Any]) -> None:
    make.patient(**SELMA, mobile_phone="0532 123 45 67")
    assert register(**(SELMA | changes)).id


def test_an_archived_patient_is_remembered(ctx: Flask, make: Make) -> None:
    first = make.patient(**SELMA)
    with transaction("patient.archive", actor=None):
        services.archive_patient(queries.patient(first.id))
    with pytest.raises(LooksKnown) as known:
        register(**SELMA)
    assert known.value.candidates[0].archived


def test_twins_are_registered_when_somebody_says_that_they_are_two(ctx: Flask, make: Make) -> None:
    first = make.patient(**SELMA)
    twin = register(**(SELMA | {"first_name": "Zeynep"}), different_from=frozenset({first.id}))
    assert twin.chart_no == first.chart_no + 1


def test_a_form_that_is_sent_twice_meets_its_own_first_patient(ctx: Flask, make: Make) -> None:
    first = make.patient(**SELMA)
    twin = {"first_name": "Zeynep", "last_name": "Yıldız", "date_of_birth": date(1985, 3, 2)}
    register(**twin, different_from=frozenset({first.id}))
    with pytest.raises(LooksKnown) as known:
        register(**twin, different_from=frozenset({first.id}))
    assert len(known.value.candidates) == 2


def test_two_desks_that_register_the_same_person_make_one_chart(app: Flask) -> None:
    def at_a_desk(_desk: int) -> bool:
        with app.app_context():
            try:
                register(**SELMA)
            except LooksKnown:
                return False
            return True

    with ThreadPoolExecutor(4) as desks:
        assert sorted(desks.map(at_a_desk, range(4))) == [False, False, False, True]


def test_text_is_cleaned_whoever_stores_it(ctx: Flask, make: Make) -> None:
    row = make.patient(first_name="  Anna \x00 Lena ", last_name="O'Brien\u202e", notes="one\r\ntwo\x07  ")
    assert (row.first_name, row.last_name, row.notes) == ("Anna Lena", "O'Brien", "one\ntwo")


def test_a_column_that_is_not_ours_is_a_mistake(ctx: Flask) -> None:
    with pytest.raises(TypeError), transaction("test", actor=None):
        services.create_patient(**SELMA, chart_no=99)
