"""Which passwords are taken, and which are not."""

import pytest

from cpms.auth.rules import Weakness, common_passwords, one_time_password, weakness

OLGA = ["olga", "Olga Owner", "olga@example.org", "Test Dental"]

GOOD = [
    "correct horse battery staple",
    "blue kettle walks sideways",
    "kj38fj29dks81nd",
    "Der Hund frisst gern Käse",
    "ş ğ ı ç ö ü kahve masa",
    "пятнадцать букв и больше",
    "歯医者は毎日九時から午後六時まで",
    "🦷🦷 ein Zahn 🪥 für jeden Tag 🌞",
    "  blanks at both ends count  ",
    "15 of the letters",
    "x7#kQ!m2$vR9pLz4 and then some more, up to " + "two hundred signs, all of them counted " * 3,
    "".join(chr(0x4E00 + n) for n in range(200)),
]

BAD = [
    ("", Weakness.SHORT),
    ("xk7#Qm2vR9pLz4", Weakness.SHORT),
    ("ı" * 14, Weakness.SHORT),
    ("".join(chr(0x4E00 + n) for n in range(201)), Weakness.LONG),
    ("aaaaaaaaaaaaaaaaaaaa", Weakness.FORESEEABLE),
    ("abcabcabcabcabcabc", Weakness.FORESEEABLE),
    ("123456789012345678", Weakness.FORESEEABLE),
    ("987654321098765432", Weakness.FORESEEABLE),
    ("qwertyuiopasdfgh", Weakness.FORESEEABLE),
    ("1q2w3e4r5t6y7u8i", Weakness.FORESEEABLE),
    ("passwordpassword", Weakness.FORESEEABLE),
    ("Password1234567!", Weakness.FORESEEABLE),
    ("P@ssw0rd12345678", Weakness.FORESEEABLE),
    ("iloveyouiloveyou", Weakness.FORESEEABLE),
    ("letmein-letmein-letmein", Weakness.FORESEEABLE),
    ("olga.owner.olga.owner", Weakness.FORESEEABLE),
    ("OLGA@example.org123", Weakness.FORESEEABLE),
    ("Test Dental Test Dental", Weakness.FORESEEABLE),
    ("testdentalclinic1", Weakness.FORESEEABLE),
    ("dentistdentist1234", Weakness.FORESEEABLE),
]


@pytest.mark.parametrize("password", GOOD)
def test_a_good_password_is_taken(password: str) -> None:
    assert weakness(password, about=OLGA) is None


@pytest.mark.parametrize(("password", "why"), BAD)
def test_a_bad_password_is_not(password: str, why: Weakness) -> None:
    assert weakness(password, about=OLGA) is why


def test_the_same_letters_count_the_same_however_they_are_composed() -> None:
    assert weakness("\u015f" * 7 + "s\u0327" * 7) is Weakness.SHORT


def test_the_list_of_common_passwords_is_long_enough() -> None:
    assert len(common_passwords()) >= 3000
    assert {"123456", "password", "qwerty"} <= common_passwords()


def test_a_password_for_one_time_is_good_and_never_the_same() -> None:
    made = {one_time_password() for _ in range(50)}
    assert len(made) == 50
    assert {weakness(each) for each in made} == {None}
