"""The calendar's style sheets and scripts: current, readable, small."""

import gzip
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cpms import ROOT
from cpms.calendar import rules
from cpms.calendar.grid import MOST_LANES
from scripts import slots_css

STATIC = ROOT / "cpms" / "static"
SHEET = slots_css.FILE.read_text()


def test_the_sheet_of_slots_is_what_its_program_writes() -> None:
    assert slots_css.sheet() == SHEET


@pytest.mark.parametrize("name", rules.SWATCHES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_card_is_readable_and_its_edge_stands_out(name: str, theme: str) -> None:
    ground = slots_css.tint(rules.SWATCHES[name], theme)
    assert slots_css.contrast(slots_css.INK[theme], ground) >= 7
    assert slots_css.contrast(slots_css.edge(rules.SWATCHES[name], theme), ground) >= 3


def test_every_place_of_a_card_has_its_classes() -> None:
    midnight = datetime(2026, 9, 1)
    for number in range(0, 24 * 60, rules.STEP):
        start, end = midnight + timedelta(minutes=number), midnight + timedelta(days=1)
        for lanes in range(1, MOST_LANES + 1):
            css = rules.css_place(start, end, rules.Place(lanes - 1, lanes))
            assert all(f".{each}{{" in SHEET for each in css.split()), css


def packed(paths: list[Path]) -> int:
    """Bytes on the wire, each file by itself."""
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


def test_scripts_and_sheets_are_small() -> None:
    scripts = sorted((STATIC / "js").glob("calendar*.js"))
    on_demand = {"calendar-clipboard.js", "calendar-month.js"}
    assert packed([path for path in scripts if path.name not in on_demand]) <= 7_600
    assert packed(scripts) <= 10_000
    sheets = sorted((STATIC / "css").glob("calendar*.css"))
    assert packed([path for path in sheets if path.name != "calendar-paper.css"]) <= 11_000
