"""All words go through gettext: the extractor finds them in templates and in Python."""

from babel.messages.extract import extract_from_dir

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
    import ast

    for path in (ROOT / "cpms").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"_", "_l", "gettext"}:
                first = node.args[0]
                assert isinstance(first, ast.Constant), f"{path.name}:{node.lineno}: {ast.unparse(node)}"
