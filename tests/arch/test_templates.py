"""What a template may hold: all words through gettext, nothing that the content security policy forbids."""

import re
from pathlib import Path

import pytest
from flask import Flask

from cpms import ROOT
from tests.pages import Page

FOLDER = ROOT / "cpms" / "templates"
TEMPLATES = sorted(FOLDER.rglob("*.html"))
FORBIDDEN = re.compile(r"\son[a-z]+=|style=|hx-on|\|\s*safe\b|javascript:|js:|<script>|http-equiv", re.IGNORECASE)


def without_jinja(source: str) -> str:
    source = re.sub(r"\{#.*?#\}", " ", source, flags=re.DOTALL)
    return re.sub(r"\{%.*?%\}|\{\{.*?\}\}", " ", source, flags=re.DOTALL)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.relative_to(FOLDER).as_posix())
def test_nothing_that_the_policy_forbids(path: Path) -> None:
    assert FORBIDDEN.findall(re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)) == []


@pytest.mark.parametrize(
    "path",
    [p for p in TEMPLATES if p.name != "ui.html"],  # the macros' own words are arguments of theirs
    ids=lambda p: p.relative_to(FOLDER).as_posix(),
)
def test_every_word_goes_through_gettext(path: Path) -> None:
    page = Page(without_jinja(path.read_text()))
    for each in page.all("kbd"):
        each.node.decompose()
    words = re.findall(r"[^\W\d_]{2,}", page.text)
    for each in page.all("*"):
        for name in ("title", "placeholder", "aria-label", "alt"):
            words += re.findall(r"[^\W\d_]{2,}", each.get(name))
    assert words == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.relative_to(FOLDER).as_posix())
def test_a_target_has_an_element_and_a_block_of_its_name(path: Path, session_app: Flask) -> None:
    shared = {"dialog", "toasts", "lock", "main", "search-results"}
    source = path.read_text()
    everywhere = "\n".join(p.read_text() for p in TEMPLATES)
    for target in re.findall(r'hx[-_]target="#([a-z-]+)"', source):
        if target not in shared:
            assert f'id="{target}"' in everywhere or f'"{target}"' in everywhere, target


def test_no_fragment_calls_super() -> None:
    assert [p.name for p in TEMPLATES if "super()" in p.read_text()] == []
