"""Whoever is looked for is found: by any part of a name, a phone, a number, a date of birth."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from cpms.core import db as database
from cpms.core.db import db, transaction
from cpms.patients import queries, rules, services
from cpms.patients.models import Patient
from tests.make import Make


def names(typed: str, **how: Any) -> list[str]:
    return [hit.name for hit in queries.search(typed, **how)]


@pytest.fixture
def people(ctx: Flask, make: Make) -> Callable[..., None]:
    def register(*whole_names: str) -> None:
        for number, name in enumerate(whole_names):
            first, _blank, last = name.rpartition(" ")
            make.patient(first_name=first, last_name=last, date_of_birth=date(1980, 1, 1) + timedelta(days=number))

    return register


@pytest.mark.parametrize(
    "typed", ["çığ", "cig", "CIG", "ÇIĞ", "ığ", "cı", "irem", "İREM", "ırem", "em cı", "çığ irem", "g"]
)
def test_marks_and_dots_do_not_matter(people: Callable[..., None], typed: str) -> None:
    people("İrem Çığ", "Max Huber")
    assert names(typed) == ["İrem Çığ"]


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Sinéad O'Brien", "obrien"),
        ("Sinéad O'Brien", "o'br"),
        ("Anne-Marie Groß", "annemarie gross"),
        ("Anne-Marie Groß", "marie groß"),
        ("Søren Ångström", "angstrom"),
        ("Łukasz Żak", "lukasz zak"),
        ("Нина Ёлкина", "елкина"),
        ("Γιώργος Νικολάου", "νικολαου"),
        ("محمد الأحمد", "حمد"),
        ("דוד כהן", "כהן"),
        ("伟 王", "王"),
        ("민준 김", "김"),
        ("Jan van der Berg", "berg van"),
        ("Madonna —", "madonna"),
        ("Max 😀 Huber", "huber"),
    ],
)
def test_names_of_everywhere_are_found(people: Callable[..., None], name: str, typed: str) -> None:
    people(name, "Nobody Else")
    assert names(typed) == [name.removesuffix(" —")]


def test_last_names_that_begin_with_the_word_come_first(people: Callable[..., None]) -> None:
    people("Kara Adam", "Mehmet Kara", "Ali Akkara", "Ayşe Karaca", "Zoe Kara")
    assert names("kara") == ["Mehmet Kara", "Zoe Kara", "Ayşe Karaca", "Kara Adam", "Ali Akkara"]


def test_the_first_of_several_words_is_the_last_name_if_it_can_be(people: Callable[..., None]) -> None:
    people("Kara Mehmet", "Mehmet Kara")
    assert names("kara me") == ["Mehmet Kara", "Kara Mehmet"]


@pytest.mark.parametrize(
    "typed",
    ["0532 123 45 67", "05321234567", "5321234567", "+90 532 123 45 67", "1234567", "123 45", "532 4567", "321", "216"],
)
def test_a_phone_is_found_by_a_part_of_it(ctx: Flask, make: Make, typed: str) -> None:
    make.patient(first_name="Ada", mobile_phone="+90 (532) 123-45-67", home_phone="0216 555 44 33")
    make.patient(first_name="Bea", mobile_phone="0541 999 99 99")
    assert [hit.name.split()[0] for hit in queries.search(typed)] == ["Ada"]


def test_a_part_of_a_phone_does_not_cross_into_the_next_number(ctx: Flask, make: Make) -> None:
    make.patient(mobile_phone="0532 111", home_phone="0216 555")
    assert queries.search("1110216") == []


@pytest.mark.parametrize("typed", ["1985-03-02", "2.3.1985", "02/03/1985", "02.03.85", "02031985", "2 3 1985", "1985"])
def test_a_date_of_birth_is_found_in_every_spelling(ctx: Flask, make: Make, typed: str) -> None:
    make.patient(first_name="Ada", date_of_birth=date(1985, 3, 2))
    make.patient(first_name="Bea", date_of_birth=date(1986, 2, 3))
    assert [hit.name.split()[0] for hit in queries.search(typed)] == ["Ada"]


@pytest.mark.parametrize("typed", ["12", "#12", "0012"])
def test_a_chart_number_is_found_whole(ctx: Flask, make: Make, typed: str) -> None:
    for _number in range(12):
        make.patient()
    assert [hit.chart_no for hit in queries.search(typed)] == [12]


def test_a_chart_number_comes_before_a_phone_that_holds_it(ctx: Flask, make: Make) -> None:
    with transaction("test", actor=None):
        for number in range(1, 131):
            services.create_patient(
                first_name="N", last_name=f"{number}", date_of_birth=date(1980, 1, 1), mobile_phone="0532 128 00 00"
            )
    assert queries.search("128")[0].chart_no == 128


@pytest.mark.parametrize("typed", ["yıldız 1985", "1985 selma", "selma 2.3.1985", "yıldız 532", "yıldız 1"])
def test_a_name_and_a_number_narrow_each_other(ctx: Flask, make: Make, typed: str) -> None:
    make.patient(last_name="Yıldız", date_of_birth=date(1985, 3, 2), mobile_phone="0532 000")
    make.patient(last_name="Yıldız", date_of_birth=date(1970, 1, 1), mobile_phone="0541 000")
    assert [hit.chart_no for hit in queries.search(typed)] == [1]


@pytest.mark.parametrize(
    "typed", ["%", "_", "%%%", "yıl%", "y_ld_z", '"', "'", 'q"z', "*", "yıl* OR *", "NEAR(a b)", "\\", "-"]
)
def test_no_sign_means_anything_to_the_database(people: Callable[..., None], typed: str) -> None:
    people("Max Huber")
    assert names(typed) == []


def test_deleted_ones_never_and_archived_ones_only_when_asked(people: Callable[..., None]) -> None:
    people("Ada Kaya", "Bea Kaya", "Cem Kaya")
    with transaction("test", actor=None):
        services.archive_patient(queries.patient(1))
        services.delete_patient(queries.patient(2))
    assert names("kaya") == ["Cem Kaya"]
    assert names("kaya", archived=True) == ["Cem Kaya", "Ada Kaya"], "archived ones at the end"


def test_many_archived_ones_do_not_hide_an_active_one(people: Callable[..., None]) -> None:
    people(*(f"Number{n} Kaya" for n in range(40)), "Selma Akaya")
    with transaction("test", actor=None):
        for patient_id in range(1, 41):
            services.archive_patient(queries.patient(patient_id))
    assert names("kaya") == ["Selma Akaya"]


def test_twenty_answers_are_enough(people: Callable[..., None]) -> None:
    people(*(f"Number{n} Kaya" for n in range(30)))
    assert len(queries.search("kaya")) == len(queries.search("numb")) == 20
    assert len(queries.search("kaya", limit=5)) == 5


def test_an_answer_tells_who_it_is(ctx: Flask, make: Make) -> None:
    patient = make.patient(first_name="Ada", last_name="Kaya", home_phone="0216 5", alert_text="Penicillin")
    assert queries.search("kaya") == [
        queries.Hit(patient.id, "Ada Kaya", 1, date(1985, 3, 2), "0216 5", "Penicillin", False)
    ]


def test_another_engine_finds_the_same(people: Callable[..., None]) -> None:
    people("Ada Kaya", "Bea Akaya", "Kay Öz", "O'Brien Kay_a", "İrem Çığ")
    among = (Patient.deleted_at.is_(None),)
    for typed in ("kaya", "kay", "ay", "a", "ada ka", "obrien", "cig", "1.1.1980", "2", "zz"):
        for phrases in rules.sought(typed).attempts:
            found = []
            for look, words in (
                (database._containing_by_index, database._index_parameters),
                (database._containing_by_like, database._like_parameters),
            ):
                query = look(Patient.search_text, tuple(map(len, phrases)), among)
                found.append(set(db.session.scalars(query, words(phrases))))
            assert found[0] == found[1], typed


def test_wildcards_are_escaped_for_an_engine_that_has_them(people: Callable[..., None]) -> None:
    people("Max Huber")
    for phrase in ("%ub%", "h_b", "/"):
        query = database._containing_by_like(Patient.search_text, (1,), (Patient.id > 0,))
        assert db.session.scalars(query, database._like_parameters(((phrase,),))).all() == []


def test_the_list_is_paged_in_a_stable_order(people: Callable[..., None]) -> None:
    people(*("Same Name" for _n in range(60)), "Ada Aal")
    first, second = queries.listing(), queries.listing(page=2)
    assert (first.total, first.pages, first.first, first.last) == (61, 2, 1, 50)
    assert (second.first, second.last) == (51, 61)
    ids = [row.id for row in first.rows + second.rows]
    assert ids == [61, *range(1, 61)]
    assert queries.listing(page=99).page == 2
    assert queries.listing(page=-1).page == 1


def test_a_search_in_the_list_is_paged_too(people: Callable[..., None]) -> None:
    people(*(f"Ada{n} Kaya" for n in range(60)), "Max Huber")
    assert queries.listing("kaya").total == 60
    assert [row.name for row in queries.listing("kaya", page=2).rows] == [
        row.name for row in queries.search("kaya", limit=60)
    ][50:]
