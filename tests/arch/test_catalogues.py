"""The translations are complete, and fit what the program says."""

import re

import pytest

from cpms import ROOT
from cpms.web import language
from scripts import words

TURKISH = "tr"


def test_every_language_but_the_source_has_a_catalogue() -> None:
    assert {*words.languages(), language.SOURCE} == set(language.LANGUAGES)


@pytest.mark.parametrize("name", words.languages())
def test_nothing_is_missing_left_over_guessed_or_says_other_places(name: str) -> None:
    """After new sentences: `./cpms.sh words update`, then docs/translating.md."""
    assert words.problems(name) == []


@pytest.mark.parametrize("name", words.languages())
def test_the_file_is_as_the_script_writes_it(name: str) -> None:
    assert words.written(name) == words.path_of(name).read_bytes()


def test_a_sentence_that_is_the_same_in_turkish_is_a_name_or_a_sign() -> None:
    """What was forgotten often looks translated: the English sentence stands in both places."""
    allowed = {"Form", "DICOM", "SHA-256", "Dental CPMS", "%(label)s: %(value)s", "Asistan"}
    catalog = words.read(TURKISH)
    same = {
        message.id
        for message in catalog
        if message.id and words.forms(message) == [message.id] and re.search(r"[a-z]{3}", _plain(message.id))
    }
    assert same - allowed == set()


def test_the_source_holds_no_translation_that_the_turkish_alphabet_lacks() -> None:
    """q, w and x are in no Turkish word: where they stand, something was left in English."""
    foreign = re.compile(r"\b\w*[qwxQWX]\w*\b")
    names = re.compile(r"bite-wing|Bite-wing|px|ext|WebP|www|X|Y")
    found = {
        word
        for message in words.read(TURKISH)
        if message.id
        for form in words.forms(message)
        for word in foreign.findall(_plain(form))
        if not names.fullmatch(word) and word not in str(message.id)
    }
    assert found - {"wing"} == set()


def test_dates_are_said_in_the_order_of_the_catalogue() -> None:
    """A pattern that stands in the code says the same order to every reader."""
    literal = re.compile(r"""format_(?:date|datetime)\([^"'\n]*(?<!_\()["'][^"']* """)
    assert [path.name for path in (ROOT / "cpms").rglob("*.py") if literal.search(path.read_text())] == []


def _plain(text: str) -> str:
    return words.PLACE.sub(" ", text)
