"""Who may import whom: core knows nobody, web knows core, a domain knows only those before it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from cpms import DOMAINS, ROOT

PACKAGE = ROOT / "cpms"
SOURCES = sorted(PACKAGE.rglob("*.py"))
# What a module of each name may import of its own domain and of earlier ones.
MAY = {
    "models": {"models"},
    "rules": {"rules", "models"},
    "queries": {"queries", "rules", "models", "schema", "almanac", "series"},
    "slots": {"slots", "queries", "rules", "models"},
    "services": {"services", "queries", "rules", "models", "schema", "demo", "archive", "series"},
    "forms": {"forms", "services", "queries", "rules", "models", "schema", "series"},
    "views": {
        *("views", "jobs", "forms", "services", "queries", "rules", "models"),
        *("schema", "demo", "archive", "candidate", "proof", "restore", "words", "intake", "slots", "series"),
        *("agenda", "choices", "clipboard", "grid", "paper", "rebooking", "shown", "elsewhere"),
    },
    "jobs": {"jobs", "services", "queries", "rules", "models", "archive", "restore", "words", "intake", "elsewhere"},
}
# Loaded only where they are needed: each takes a good part of a second and of a small machine's memory.
DECODER = PACKAGE / "xrays" / "decoder.py"
HEAVY = {"PIL", "numpy", "pydicom", "gdcm"}
ALMANAC = PACKAGE / "hours" / "almanac.py"  # the server does load it, in a clinic that keeps public holidays
LATE = {DECODER: HEAVY, ALMANAC: {"holidays"}}
DOORS = {"__init__.py", "cli.py", "jobs.py", "scheduler.py"}


def imports(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Every module of ours that a file imports, and where."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("cpms"):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                exists = (ROOT / Path(*whole.split("."))).with_suffix(".py").exists()
                yield (whole if exists else node.module), node
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("cpms"):
                    yield alias.name, node


def place(path: Path) -> str:
    """core, web, a domain, or "door"."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else "door"


def kind(path: Path) -> str:
    """views, services …: the file's name, or the folder's when there are many of them."""
    parts = path.relative_to(PACKAGE).parts
    return parts[1] if len(parts) > 2 else path.stem


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_follow_the_order_of_the_house(path: Path) -> None:
    here = place(path)
    for module, _node in imports(path):
        parts = module.split(".")
        there = parts[1] if len(parts) > 1 else "door"
        if here == "core":
            assert there == "core", f"core imports {module}"
        elif here == "web":
            assert there in {"core", "web"}, f"web imports {module}"
        elif here in DOMAINS:
            assert there in {"core", "web", *DOMAINS[: DOMAINS.index(here) + 1]}, f"{here} imports {module}"
            if there in {"core", "web"}:
                is_http = there == "web" and parts[2:3] != ["forms"]
                assert not (is_http and kind(path) in {"models", "rules", "queries", "services"}), f"{path} knows HTTP"
            elif kind(path) in MAY and len(parts) > 2:
                foreign_views = parts[2] == "views" and there != here
                assert parts[2] in MAY[kind(path)] and not foreign_views, f"{kind(path)} imports {module}"


def test_every_domain_is_in_the_table_of_contents() -> None:
    folders = {p.name for p in PACKAGE.iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    assert folders - {"core", "web", "translations"} == set(DOMAINS)


@pytest.mark.parametrize("path", [p for p in SOURCES if p.name == "__init__.py" and p.parent != PACKAGE], ids=str)
def test_a_package_exports_nothing(path: Path) -> None:
    assert path.read_text().strip() == ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_import_hides_inside_a_function(path: Path) -> None:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            hidden = [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
            heavy = [n for n in hidden if set(roots(n)) <= LATE.get(path, set())]
            assert hidden == heavy, f"line {hidden[0].lineno}"


def roots(node: ast.Import | ast.ImportFrom) -> list[str]:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    return [name.partition(".")[0] for name in names]


def test_heavy_libraries_are_the_decoders_alone() -> None:
    """It runs in a process of its own; the server imports neither them nor it."""
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        used = {root for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom) for root in roots(n)}
        if path != DECODER:
            assert not used & HEAVY, path
            assert "cpms.xrays.decoder" not in {module for module, _node in imports(path)}, path
        if path != ALMANAC:
            assert "holidays" not in used, path
