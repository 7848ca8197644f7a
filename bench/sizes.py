"""Goals 3 and 9, which are exact: statements and bytes. Tests assert them too."""

import re
from pathlib import Path

import brotli

from bench.calendar import poll_url
from bench.desk import GRID, SEARCH
from bench.run import Run
from bench.table import Line
from cpms.web.assets import ROOT as STATIC


def figures(run: Run) -> list[Line]:
    desk = run.desk
    lines = []
    for what, url, headers in (
        ("week", run.week_url, GRID),
        ("poll without change", poll_url(desk.request(run.week_url, GRID)().body), GRID),
        ("patient page", "/patients/12347", None),
        ("search answer", "/patients/find?q=mar", SEARCH),
    ):
        ask = desk.request(url, headers)
        desk.forget_drawn()
        with desk.statements() as seen:
            ask()
        lines.append(Line("3", f"statements of: {what}", len(seen), "", 6))
    desk.forget_drawn()
    week = desk.request(run.week_url, GRID | {"Accept-Encoding": "br"})()
    page = desk.request(run.week_url, {"Accept-Encoding": "br"})()
    html = brotli.decompress(page.body).decode()
    scripts, sheets = on_the_wire(html, "js"), on_the_wire(html, "css")
    return [
        *lines,
        Line("9", "week, compressed", len(week.body) / 1024, "kB", 16),
        Line("9", "all JavaScript, compressed", scripts / 1024, "kB", 25),
        Line(
            "9",
            "JavaScript, styles and page of a cold week",
            (scripts + sheets + len(page.body)) / 1024,
            "kB",
            45,
        ),
    ]


def on_the_wire(html: str, kind: str) -> int:
    """Bytes on the wire of the page's own files, modules that others import included."""
    named = set(re.findall(rf'/static/[0-9a-f]+/([^"]+\.{kind})"', html))
    return sum(_squeezed(STATIC / name) for name in (_with_imports(named) if kind == "js" else named))


def _with_imports(names: set[str]) -> set[str]:
    found: set[str] = set()
    while names:
        found |= names
        texts = [(STATIC / name).read_text() for name in names]
        imported = {each for text in texts for each in re.findall(r'(?:from|import) "\./([a-z-]+\.js)"', text)}
        names = {f"js/{each}" for each in imported} - found
    return found


def _squeezed(path: Path) -> int:
    return min(len(brotli.compress(path.read_bytes())), path.stat().st_size)
