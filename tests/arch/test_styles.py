"""The layout has no left and no right: it follows the direction in which a language is written."""

import re
from pathlib import Path

import pytest

from cpms import ROOT

SHEETS = sorted((ROOT / "cpms/static/css").glob("*.css"))
PHYSICAL = re.compile(
    r"(?<![\w-])(?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right)\b"
    r"|(?<![\w-])(?:left|right)\s*:|text-align:\s*(?:left|right)|(?:float|clear):\s*(?:left|right)"
    r"|border-(?:top|bottom)-(?:left|right)-radius|background-position:[^;]*\b(?:left|right)\b"
)
FOUR_SIDES = re.compile(
    r"(?<![\w-])(?:margin|padding|inset|border-width|scroll-margin|scroll-padding):\s*"
    r"([^\s;(]+)\s+([^\s;(]+)\s+([^\s;(]+)\s+([^\s;(!]+)"
)
# Where a side is a side: by the pointer's pixels, or with a twin for the other direction.
MEANT = {
    ("calendar.css", "left:"): "the place under the finger is set in pixels from the left",
    ("components.css", "background-position: right 14px center, right"): "has a twin under [dir=rtl]",
    ("components.css", "background-position: left 9px center, left"): "is that twin",
    ("xray-viewer.css", "inset: 50% auto auto 50%"): "a picture has a left and a right of its own",
    ("xray-viewer.css", "inset: 0 auto auto 0"): "so have the lines that are drawn on it",
}


@pytest.mark.parametrize("path", SHEETS, ids=lambda p: p.name)
def test_a_sheet_names_no_side_of_the_screen(path: Path) -> None:
    sheet = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    found = {each.group().strip() for each in PHYSICAL.finditer(sheet)}
    found |= {each.group() for each in FOUR_SIDES.finditer(sheet) if each[2] != each[4]}
    assert {each for each in found if (path.name, each) not in MEANT} == set()
