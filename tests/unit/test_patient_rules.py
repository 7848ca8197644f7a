"""What people type about patients, and what is made of it."""

from datetime import date

import pytest

from cpms.patients import rules
from cpms.patients.rules import Seen, days_meant, dial, is_phone, is_same_phone, name_key, names_meant, sought

SECOND_OF_MARCH = date(1985, 3, 2)


@pytest.mark.parametrize(
    "typed",
    [
        "1985-03-02",
        "1985.03.02",
        "1985/3/2",
        "2.3.1985",
        "02.03.1985",
        "02/03/1985",
        "2-3-1985",
        "2 3 1985",
        "02031985",
        "19850302",
        "  2.3.1985 ",
        "٢.٣.١٩٨٥",
    ],
)
def test_a_date_is_read_in_every_spelling(typed: str) -> None:
    assert days_meant(typed) == (SECOND_OF_MARCH,)


def test_a_date_with_one_reading_is_read_that_way() -> None:
    assert days_meant("03/25/1985") == (date(1985, 3, 25),)


def test_two_digits_of_a_year_are_two_years() -> None:
    assert days_meant("2.3.25") == (date(1925, 3, 2), date(2025, 3, 2))


def test_a_leap_day_exists_only_in_leap_years() -> None:
    assert days_meant("29.2.2000") == (date(2000, 2, 29),)
    assert days_meant("29.2.1900") == days_meant("29.2.2001") == ()


@pytest.mark.parametrize(
    "typed", ["", "31.2.1985", "0.1.1985", "2.3", "1985", "0532 123", "2.3.0085", "Selma", "1985-3"]
)
def test_what_is_no_date_is_none(typed: str) -> None:
    assert days_meant(typed) == ()


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("3.12.", date(2026, 12, 3)),
        ("3/12", date(2026, 12, 3)),
        ("1.9", date(2026, 9, 1)),
        ("31.8.", date(2027, 8, 31)),
        ("24.12.2026", date(2026, 12, 24)),
        ("2.3.1985", None),
        ("30.2.", None),
        ("12", None),
    ],
)
def test_a_day_to_go_to_is_near(typed: str, day: date | None) -> None:
    assert rules.day_near(typed, date(2026, 9, 1)) == day


@pytest.mark.parametrize(
    "typed", ["0532 123 45 67", "+90 (532) 123-45-67", "030/1234", "0532 1234567 ext 12", "123 Ext. 4", "٠٥٣٢"]
)
def test_a_phone_number_is_digits_and_the_signs_between(typed: str) -> None:
    assert is_phone(typed)


@pytest.mark.parametrize("typed", ["", "-", "abc", "0532 home", "ext 12 0532", "123 ext", "123 next 4", "1@2"])
def test_letters_are_no_phone_number(typed: str) -> None:
    assert not is_phone(typed)


@pytest.mark.parametrize(
    ("phone", "number"),
    [
        ("0532 123 45 67", "05321234567"),
        ("+90 532 123", "+90532123"),
        ("030 1234 ext 12", "0301234;ext=12"),
    ],
)
def test_a_number_can_be_dialled(phone: str, number: str) -> None:
    assert dial(phone) == number


def test_a_phone_is_the_same_with_its_country() -> None:
    assert is_same_phone("+90 532 123 45 67", "0532 1234567")
    assert not is_same_phone("0532 123 45 67", "0532 123 45 68")
    assert not is_same_phone("112", "0532 000 01 12")
    assert not is_same_phone("", "")


def test_names_are_sorted_by_last_name_without_marks() -> None:
    assert name_key("İrem", "Çığ") == "cig irem"
    assert name_key("Madonna", "—") == "madonna"


def test_a_word_is_looked_for_at_the_front_first_and_then_anywhere() -> None:
    assert sought("Çığ") == rules.Sought("cig", ((("cig",),),))
    assert sought("ay yıl") == rules.Sought("ay yil", ((("<<ay",), ("yil",)), (("^ay",), ("yil",))))


@pytest.mark.parametrize("typed", ["", "   ", "%", "_", '"', "* ' ; --", "😀"])
def test_signs_alone_look_for_nobody(typed: str) -> None:
    assert sought(typed) == rules.Sought()


def test_a_date_of_birth_never_meets_a_part_of_a_phone_number() -> None:
    text = rules.search_text(first_name="A", last_name="B", phones=["0532 111"], chart_no=7, born=SECOND_OF_MARCH)
    assert "1985" not in text
    assert "0532111" in text
    assert "#7#" in text


def test_a_long_search_is_cut_short() -> None:
    assert len(sought("ab " * 10_000).attempts[-1]) <= rules.MOST_WORDS


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ("Ayşe Nur  Yılmaz", {"first_name": "Ayşe Nur", "last_name": "Yılmaz"}),
        ("yılmaz", {"last_name": "yılmaz"}),
        ("0532 123 45 67", {"mobile_phone": "0532 123 45 67"}),
        ("2.3.1985", {"date_of_birth": "2.3.1985"}),
    ],
)
def test_a_search_that_found_nobody_begins_a_new_patient(typed: str, fields: dict[str, str]) -> None:
    assert names_meant(typed) == fields


def test_two_edits_meet_field_by_field() -> None:
    before = {"notes": "old", "email": "a@b.c", "sex": "female"}
    seen = Seen.read(str(Seen.of(3, before)), tuple(before))
    both = rules.meet(
        seen,
        typed={"notes": "mine", "email": "a@b.c", "sex": "female"},
        stored={"notes": "theirs", "email": "new@b.c", "sex": "female"},
    )
    assert both == {"notes": "mine", "email": "new@b.c", "sex": "female"}
    assert seen.version == 3


@pytest.mark.parametrize("text", ["", "x", "3", "3.a", "3.a.b.c", "x.a.b"])
def test_what_was_not_seen_is_not_read(text: str) -> None:
    with pytest.raises(ValueError):
        Seen.read(text, ("notes", "email"))
