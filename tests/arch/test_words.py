"""All words go through gettext: the extractor finds them in templates and in Python."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from jinja2 import Environment, nodes

from cpms import ROOT

METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
KEYWORDS = {"_": None, "_l": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None}


def test_the_extractor_finds_the_words_of_every_screen() -> None:
    found = list(extract_from_dir(str(ROOT / "cpms"), method_map=METHODS, keywords=KEYWORDS))
    words = {
        message if isinstance(message, str) else message[0] for _file, _line, message, _comments, _context in found
    }
    assert {"New appointment", "Please choose a chair.", "Calendar", "The server is busy"} <= words
    files = {file for file, *_rest in found}
    screens = {path.relative_to(ROOT / "cpms").as_posix() for path in (ROOT / "cpms/templates").rglob("*_dialog.html")}
    assert screens <= files


def test_no_sentence_is_put_together_before_it_is_translated() -> None:
    """`_(f"…")` and `_("…" + name)` cannot be found in a catalogue."""
    for path in (ROOT / "cpms").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"_", "_l", "gettext"}:
                first = node.args[0]
                assert isinstance(first, ast.Constant), f"{path.name}:{node.lineno}: {ast.unparse(node)}"


GETTEXT = {"_", "_l", "gettext", "ngettext", "lazy_gettext"}
# For whoever looks after the server, or made up for the demonstration.
NOT_FOR_THE_CLINIC = {"cpms/cli.py", "cpms/core/db.py", "cpms/setup/demo.py"}
# What looks like a sentence and is none: names of programs, the name of a clinic that has none yet.
NO_SENTENCES = {"Samsung Internet", "Mac OS", "Dental clinic", "PALETTE COLOR"}
SENTENCE = re.compile(r"[A-Z“].*\s.*|.*\s.*[.?!…]", re.DOTALL)
SQL = re.compile(r"SELECT |PRAGMA |BEGIN |VACUUM ")
SOURCES = [p for p in sorted((ROOT / "cpms").rglob("*.py")) if str(p.relative_to(ROOT)) not in NOT_FOR_THE_CLINIC]
FOR_HTMX = {"closest form", "click, look-again from:body"}
KEYS = {"Enter", "Backspace", "Esc", "Shift R", "Delete", "Home", "End", "Tab", "Escape"}
TEMPLATES = sorted((ROOT / "cpms/templates").rglob("*.html"))


def bare_sentences(tree: ast.AST) -> Iterator[str]:
    """Text that reads like a sentence and is neither translated nor a docstring."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in GETTEXT:
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        said = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if SENTENCE.fullmatch(said) and re.search(r"[A-Za-z]{2,} [A-Za-z]", said):
            yield said
        yield from bare_sentences(node)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_sentence_in_the_code_is_said_in_english_only(path: Path) -> None:
    found = set(bare_sentences(ast.parse(path.read_text())))
    assert {each for each in found - NO_SENTENCES if not SQL.match(each)} == set()


def bare_literals(node: nodes.Node) -> Iterator[str]:
    """Text inside the braces of a template that reads like words for people and is not translated."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in GETTEXT:
        return
    said = node.value if isinstance(node, nodes.Const) and isinstance(node.value, str) else ""
    if re.search(r"[A-Za-z]{2,} [A-Za-z]|^[A-Z][a-z]+$", said):
        yield said
    for each in node.iter_child_nodes():
        yield from bare_literals(each)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.relative_to(ROOT / "cpms/templates").as_posix())
def test_no_word_in_the_braces_of_a_template_is_said_in_english_only(path: Path) -> None:
    tree = Environment(autoescape=True).parse(path.read_text())
    assert set(bare_literals(tree)) - FOR_HTMX - KEYS == set()
