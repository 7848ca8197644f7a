"""Every page and every refusal in Turkish: no English sentence of the catalogue is left on it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from cpms.auth import queries as auth
from cpms.core.db import transaction
from cpms.web.language import catalogue
from scripts import words
from tests.pages import Answer, Page, Person
from tests.web.test_access_matrix import addresses, objects  # noqa: F401 - a fixture

# Names that the clinic of the tests was furnished with in English: they are its own, as a patient's name is.
DATA = {"Chair 1", "Chair 2", "Check-up", "Cleaning", "Filling", "Root canal", "Extraction", "Emergency"}
PLACES = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
SPOKEN = ("title", "aria-label", "placeholder", "alt")


@pytest.fixture
def turkish(app: Flask, olga: Person) -> Person:
    with app.app_context(), transaction("test.language", actor=None):
        auth.user(olga.id or 0).language = "tr"
    return olga


@pytest.fixture(scope="module")
def english() -> tuple[set[str], list[str]]:
    """Whole sentences and words that Turkish says otherwise, and the longer parts of those with places in them."""
    spoken = catalogue("tr")
    ids = [(one, more or one) for one, more, _files in words.extracted().values()]
    whole = {one for one, _more in ids if spoken.gettext(one) != one}
    whole |= {more for one, more in ids if spoken.ngettext(one, more, 2) != more and one != more}
    parts = {part.strip() for forms in ids for each in forms for part in PLACES.split(each)}
    return whole - DATA - {"Form"}, sorted(part for part in parts if part.count(" ") >= 2)


def said(html: str) -> Iterator[str]:
    page = Page(html)
    for each in page.all("kbd, textarea"):
        each.node.decompose()
    for text in page.root.strings:
        yield from re.split(r" · |, ", " ".join(text.split()))
        yield " ".join(text.split())
    for each in page.all("*"):
        for name, value in each.attrs.items():
            if name in SPOKEN or (name.startswith("data-") and " " in str(value)):
                yield " ".join(str(value).split())


def in_english(answer: Answer, english: tuple[set[str], list[str]]) -> set[str]:
    whole, parts = english
    texts = set(said(answer.html))
    everything = "\n".join(texts)
    return {text for text in texts if text in whole} | {part for part in parts if part in everything}


def test_no_page_and_no_refusal_is_left_in_english(
    app: Flask,
    turkish: Person,
    objects: dict[str, list[Any]],  # noqa: F811
    english: tuple[set[str], list[str]],
) -> None:
    left: dict[str, set[str]] = {}
    pages = 0
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: "POST" in (rule.methods or set())):
        if rule.endpoint in {"auth.logout", "auth.lock", "auth.theme", "auth.language", "health.healthz"}:
            continue
        if rule.endpoint.startswith(("exchange.", "backups.")) and "POST" in (rule.methods or set()):
            continue  # long work; its words have tests of their own
        for address, exists in addresses(rule, objects):
            if not exists:
                continue  # one page says that for all
            writes = "POST" in (rule.methods or set())
            answer = turkish.post(address) if writes else turkish.get(address)
            if not answer.headers.get("Content-Type", "").startswith("text/html") or answer.status_code in {302, 303}:
                continue
            pages += 1
            if found := in_english(answer, english):
                left[f"{rule.endpoint} {answer.status_code}"] = found
            if "<html" in answer.html:
                assert '<html lang="tr"' in answer.html
    assert left == {}
    assert pages > 100
