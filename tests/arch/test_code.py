"""Habits of the house that a machine can see in the source."""

import ast
import re
from pathlib import Path

import pytest

from cpms import ROOT

PACKAGE = ROOT / "cpms"
SOURCES = sorted(PACKAGE.rglob("*.py"))


def calls(path: Path) -> set[str]:
    """The dotted names of everything that a file calls."""
    return {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}


def offenders(pattern: str, *, but: set[str] = frozenset(), within: list[Path] | None = None) -> list[str]:
    found = []
    for path in within or SOURCES:
        name = path.relative_to(PACKAGE).as_posix()
        if name not in but:
            found += [f"{name}: {call}" for call in calls(path) if re.fullmatch(pattern, call)]
    return found


def test_only_the_database_door_commits_and_rolls_back() -> None:
    assert offenders(r"(.*\.)?(session|connection)(\(\))?\.(commit|rollback)", but={"core/db.py"}) == []


def test_only_queries_and_services_select() -> None:
    assert (
        offenders(
            r"select|db\.select",
            within=[p for p in SOURCES if p.name in {"views.py", "forms.py", "rules.py"} or "views" in p.parts],
        )
        == []
    )


def test_only_a_door_opens_a_transaction() -> None:
    inside = [p for p in SOURCES if p.name in {"services.py", "queries.py", "rules.py", "models.py", "forms.py"}]
    assert offenders("transaction|look", within=inside) == []


def test_only_the_clock_reads_the_clock() -> None:
    assert offenders(r"(datetime\.)?(datetime|date)\.(now|utcnow|today)|time\.time", but={"core/clock.py"}) == []


def test_a_number_of_an_address_fits_into_the_database() -> None:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("request."):
                types = [ast.unparse(each.value) for each in node.keywords if each.arg == "type"]
                assert "int" not in types, f"{path}:{node.lineno}: web.numbers.whole knows how large one may be"


def test_rules_know_no_database() -> None:
    for path in SOURCES:
        if path.name == "rules.py":
            assert "db.session" not in path.read_text(), path


def test_only_the_database_door_knows_the_engine() -> None:
    for path in SOURCES:
        name = path.relative_to(PACKAGE).as_posix()
        if name not in {"core/db.py"}:
            words = re.findall(r"sqlite3|sqlcipher|dialect\.name|psycopg", path.read_text())
            assert not words, f"{name}: {words}"


def test_no_statement_is_glued_together_from_text() -> None:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"text", "sa.text", "sqlalchemy.text"}:
                assert all(isinstance(arg, ast.Constant) for arg in node.args), f"{path}:{node.lineno}"


@pytest.mark.parametrize("word", ["Markup", "eval", "exec", "pickle.loads", "yaml.load"])
def test_dangerous_calls_are_not_made(word: str) -> None:
    assert offenders(re.escape(word)) == []


def test_every_permission_is_asked_for_somewhere() -> None:
    from cpms.core.permissions import P

    asked = "\n".join(p.read_text() for p in SOURCES if p.name != "permissions.py")
    assert [each.name for each in P if f"P.{each.name}" not in asked] == []


def test_every_setting_is_used_somewhere() -> None:
    from dataclasses import fields

    from cpms.settings.schema import ClinicSettings

    used = "\n".join(p.read_text() for p in SOURCES if "settings" not in p.parts)
    used += "\n".join(p.read_text() for p in (PACKAGE / "templates").rglob("*.html"))
    assert [field.name for field in fields(ClinicSettings) if f".{field.name}" not in used] == []


def names_of(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return [statement.name]
        case ast.Assign():
            return [target.id for target in statement.targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name() as target):
            return [target.id]
    return []


def bodies(tree: ast.Module) -> list[list[ast.stmt]]:
    return [tree.body, *(node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef))]


def test_no_name_and_no_key_is_given_twice() -> None:
    """The second would silently win: two people's changes side by side look like that."""
    twice = list[str]()
    for path in [*SOURCES, *(ROOT / "tests").rglob("*.py")]:
        tree = ast.parse(path.read_text())
        for body in bodies(tree):
            names = [name for statement in body for name in names_of(statement) if name != "_"]
            twice += [f"{path}: {name}" for name in set(names) if names.count(name) > 1]
        for each in ast.walk(tree):
            if isinstance(each, ast.Dict):
                keys = [ast.unparse(key) for key in each.keys if key is not None]
                twice += [f"{path}:{each.lineno}: {key}" for key in set(keys) if keys.count(key) > 1]
    assert twice == []
