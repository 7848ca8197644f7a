"""Mounts: where pictures lie side by side, as one faces the patient."""

from dataclasses import dataclass

from cpms.core import teeth
from cpms.xrays import rules
from cpms.xrays.models import MountLayout, XrayKind

FULL = MountLayout.FULL_MOUTH_18


@dataclass
class Picture:
    id: int
    kind: XrayKind
    teeth: list[str]


def test_a_full_mouth_series_has_fourteen_periapicals_and_four_bitewings() -> None:
    kinds = [cell.kind for cell in rules.LAYOUTS[FULL]]
    assert (kinds.count(XrayKind.PERIAPICAL), kinds.count(XrayKind.BITEWING)) == (14, 4)
    shown = {code for cell in rules.LAYOUTS[FULL] if cell.kind is XrayKind.PERIAPICAL for code in cell.teeth}
    assert shown == set(teeth.PERMANENT), "every tooth once"


def test_the_patient_s_right_is_on_the_left() -> None:
    first, *_rest, last = [cell for cell in rules.LAYOUTS[FULL] if cell.name.startswith("u")]
    assert first.teeth[0] == "18"
    assert last.teeth[-1] == "28"


def test_pictures_find_their_places_by_their_teeth() -> None:
    pictures = [
        Picture(1, XrayKind.PERIAPICAL, ["24", "25"]),
        Picture(2, XrayKind.BITEWING, ["14", "15", "44", "45"]),
        Picture(3, XrayKind.PERIAPICAL, ["11", "21"]),
        Picture(4, XrayKind.PANORAMIC, ["11"]),
        Picture(5, XrayKind.PERIAPICAL, []),
    ]
    cells = rules.filled(FULL, {}, pictures)
    assert {name: content["xray"] for name, content in cells.items()} == {"u6": 1, "b2": 2, "u4": 3}


def test_what_somebody_placed_stays() -> None:
    mine = {"u6": {"xray": 9, "turn": 90}}
    assert rules.filled(FULL, mine, [Picture(1, XrayKind.PERIAPICAL, ["24", "25"])])["u6"] == mine["u6"]


def test_a_picture_lies_in_one_place_and_two_change_places() -> None:
    cells = {"b1": {"xray": 1, "turn": 90}, "b2": {"xray": 2, "turn": 0}}
    assert rules.placed(cells, "b2", 1) == {"b2": {"xray": 1, "turn": 90}, "b1": {"xray": 2, "turn": 0}}
    assert rules.placed(cells, "b3", 1) == {"b3": {"xray": 1, "turn": 90}, "b2": {"xray": 2, "turn": 0}}
    assert rules.placed(cells, "b1", 1) == cells
    assert rules.placed(cells, "b1", 7)["b1"] == {"xray": 7, "turn": 0}
    assert rules.placed(cells, "b1", None) == {"b2": {"xray": 2, "turn": 0}}
    assert cells == {"b1": {"xray": 1, "turn": 90}, "b2": {"xray": 2, "turn": 0}}, "nothing is changed in place"


def test_four_quarters_are_a_whole_turn() -> None:
    cells = {"b1": {"xray": 1, "turn": 0}}
    for turn in (90, 180, 270, 0):
        cells = rules.turned(cells, "b1")
        assert cells["b1"]["turn"] == turn
    assert rules.turned(cells, "b2") == cells
