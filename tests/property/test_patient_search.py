"""Any fragment of any name finds its patient, and nobody else than a plain search through all folded names would."""

import random
from datetime import date, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpms.core.db import transaction
from cpms.core.text import fold
from cpms.patients import queries, services

FIRST = (
    "Ayşe İrem Işıl Çağla Özgür Şükrü Mehmet Anne-Marie Jean-Luc José Zoë Björn Łukasz Siân D'Arcy Nguyễn Ngọc "
    "Нина Сергей Γιώργος Ελένη محمد فاطمة דוד רחל 小明 민준 प्रिया Ḥanna Ða Mary Al Bo Æsa"
)
LAST = (
    "Yılmaz Çığ Kaya Iğdır İpek O'Brien Müller Groß Ångström Żak García-López Dvořák Ionescu Đặng Ёлкина Νικολάου "
    "الأحمد כהן 王 김 शर्मा McDonald deSouza Li Ng Straße Yıldırım"
)
LONG_LAST = ("van der Berg", "de la Cruz", "—")


@pytest.fixture
def people(ctx: Flask) -> list[tuple[int, str, str]]:
    chance = random.Random(7)
    with transaction("test.make", actor=None):
        rows = [
            services.create_patient(
                first_name=" ".join(chance.sample(FIRST.split(), chance.choice((1, 1, 2)))),
                last_name=chance.choice([*LAST.split(), *LONG_LAST]),
                date_of_birth=date(1950, 1, 1) + timedelta(days=number),
            )
            for number in range(150)
        ]
        return [(row.id, row.first_name, row.last_name) for row in rows]


def holds(first: str, last: str, words: list[str]) -> bool:
    """The plain search: every word stands in the folded names, or in the names written without signs."""
    squeezed = fold("".join(c for c in f"{first} {last}" if c not in "'-"))
    return all(word in fold(first) or word in fold(last) or word in squeezed for word in words)


@given(data=st.data())
@settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_fragment_of_any_name_finds_the_patient(people: list[tuple[int, str, str]], data: st.DataObject) -> None:
    patient_id, first, last = data.draw(st.sampled_from(people))
    fragments = []
    for name in data.draw(st.permutations((first, last)))[: data.draw(st.integers(1, 2))]:
        start = data.draw(st.integers(0, max(0, len(name) - 2)))
        end = data.draw(st.integers(start + 2, max(start + 2, len(name))))
        fragments.append(name[start:end])
    typed = data.draw(st.sampled_from((str, str.upper, str.lower)))(" ".join(fragments))
    words = fold(typed).split()

    found = {hit.id for hit in queries.search(typed, limit=1000)}

    if words and holds(first, last, words):  # upper case and back may change a letter, as ß does
        assert patient_id in found
        assert found == {each for each, one, other in people if holds(one, other, words)}
