"""What a file that was looked at is, whose it may be, and what it is called. No database."""

import math
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol, TypeVar

from cpms.core import teeth as fdi
from cpms.core.text import clean_line, fold
from cpms.xrays.models import Laterality, MountLayout, XrayKind

# The names of what is done to a picture in the trail, besides its making; whoever opens the transaction uses them.
CHANGES = ("xray.update", "xray.report", "xray.move", "xray.delete", "xray.undelete", "xray.note", "xray.remove_note")
LOOKS = ("xray.view", "xray.original", "xray.print", "xray_mount.view", "xray_mount.print")

SIZES = ("thumb", "screen", "full", "depth")
PROBLEMS = ("no-picture", "syntax", "depth", "undecodable")
SUFFIXES = {
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/webp": (".webp",),
    "image/tiff": (".tif", ".tiff"),
    "application/dicom": (".dcm", ".dicom", ".dic"),
    "application/pdf": (".pdf",),
}
NEED_NO_FINDINGS = (XrayKind.DOCUMENT, XrayKind.PHOTO)
LONGEST_NAME = 255
SIDES = {"R": Laterality.RIGHT, "L": Laterality.LEFT, "B": Laterality.BOTH}


@dataclass(frozen=True, slots=True)
class Read:
    """A file that was looked at and is good to keep.

    `facts`, each only when the file says so: `depth` (bits, offset, slope, intercept, center, window, inverted,
    from_file, function unless LINEAR) of a picture whose values are kept: one deeper than 8 bits, or one whose window
    shows not all of them as they are; `curves` (of "modality", "voi", "function") that it has and that are not applied;
    `spacing` (row, column in mm, plane "calibrated" or "detector"); `patient` (name, id, birth_date, sex);
    `transfer_syntax`, `modality`, `manufacturer`, `model`, `laterality`, `teeth`, `region`, `burned_in`,
    `sop_instance_uid`.
    """

    name: str  # what the file was called, without its folders
    path: Path  # where it waits
    copies: Path  # a folder with what was made of it
    mime: str
    kind: XrayKind  # the likely one
    sha256: str
    size: int
    width: int = 0
    height: int = 0
    bits: int = 0
    frames: int = 1
    day: date | None = None  # on which it was taken, as the file says
    facts: Mapping[str, Any] | None = None
    problem: str = ""

    @property
    def teeth(self) -> list[str]:
        return fdi.in_order(set((self.facts or {}).get("teeth", [])))

    @property
    def laterality(self) -> Laterality:
        return SIDES.get((self.facts or {}).get("laterality", ""), Laterality.UNKNOWN)


class Dated(Protocol):
    @property
    def date_performed(self) -> date: ...


Picture = TypeVar("Picture", bound=Dated)


def by_day(pictures: Iterable[Picture]) -> list[tuple[date, list[Picture]]]:
    """The pictures of each day together, in the order in which they come."""
    days: dict[date, list[Picture]] = {}
    for each in pictures:
        days.setdefault(each.date_performed, []).append(each)
    return list(days.items())


def plain_name(name: str) -> str:
    """A file's name as data: without folders, line breaks and signs that turn it round."""
    last = re.split(r"[/\\]", clean_line(name.replace("\0", "")))[-1].strip(" .")
    if len(last) <= LONGEST_NAME:
        return last or "file"
    stem, dot, suffix = last.rpartition(".")
    suffix = dot + suffix if dot and len(suffix) <= 8 else ""
    return (stem or last)[: LONGEST_NAME - len(suffix)] + suffix


def short_name(name: str, longest: int = 60) -> str:
    """A name for a sentence."""
    return name if len(name) <= longest else f"{name[: longest - 12]}…{name[-11:]}"


def download_name(name: str, mime: str) -> str:
    """What an original is called when it is taken along: never with the ending of another kind of file."""
    suffixes = SUFFIXES[mime]
    return name if name.lower().endswith(suffixes) else f"{name}{suffixes[0]}"


def teeth_in(typed: str) -> list[str]:
    """The FDI codes of a typed list, in order. Raises ValueError with what is no tooth."""
    codes = set(re.findall(r"[^\s,;]+", typed))
    if wrong := sorted(code for code in codes if not fdi.is_tooth(code)):
        raise ValueError(", ".join(wrong))
    return fdi.in_order(codes)


def differences(said: Mapping[str, str], *, first: str, last: str, born: date, chart_no: int) -> list[str]:
    """In what a file's patient is not this one: of "name", "birth_date" and "id". Only what the file says counts, and
    a number of its own only when it says nothing else: other programs number patients in other ways."""
    found = []
    theirs, ours = _words(said.get("name", "")), set(fold(f"{first} {last}").split())
    if theirs and not (theirs <= ours or ours <= theirs):
        found.append("name")
    if said.get("birth_date") and said["birth_date"] != born.isoformat():
        found.append("birth_date")
    if not theirs and not said.get("birth_date") and said.get("id") and said["id"].lstrip("0") != str(chart_no):
        found.append("id")
    return found


def _words(name: str) -> set[str]:
    """The folded words of a DICOM name `Family^Given^Middle^Prefix^Suffix`, titles left out."""
    parts = name.partition("=")[0].split("^")
    return set(fold(" ".join(parts[:3])).split())


@dataclass(frozen=True, slots=True)
class Cell:
    """A place in a mount: which teeth it shows, and by what kind of picture."""

    name: str
    teeth: tuple[str, ...]
    kind: XrayKind


def _cells(kind: XrayKind, **teeth: str) -> tuple[Cell, ...]:
    return tuple(Cell(name, tuple(codes.split()), kind) for name, codes in teeth.items())


# Seen as one faces the patient. A full-mouth series of 18: fourteen periapicals and four bitewings.
LAYOUTS: dict[MountLayout, tuple[Cell, ...]] = {
    MountLayout.BITEWINGS_2: _cells(
        XrayKind.BITEWING, b1="18 17 16 15 14 44 45 46 47 48", b2="24 25 26 27 28 34 35 36 37 38"
    ),
    MountLayout.BITEWINGS_4: _cells(
        XrayKind.BITEWING, b1="18 17 16 46 47 48", b2="15 14 44 45", b3="24 25 34 35", b4="26 27 28 36 37 38"
    ),
    MountLayout.FULL_MOUTH_18: (
        *_cells(
            XrayKind.PERIAPICAL,
            u1="18 17 16", u2="15 14", u3="13", u4="12 11 21 22", u5="23", u6="24 25", u7="26 27 28",
        ),
        *_cells(
            XrayKind.BITEWING, b1="18 17 16 46 47 48", b2="15 14 44 45", b3="24 25 34 35", b4="26 27 28 36 37 38"
        ),
        *_cells(
            XrayKind.PERIAPICAL,
            l1="48 47 46", l2="45 44", l3="43", l4="42 41 31 32", l5="33", l6="34 35", l7="36 37 38",
        ),
    ),
}  # fmt: skip

Cells = Mapping[str, Mapping[str, int]]


def present(cells: Cells, there: Container[int]) -> dict[str, dict[str, int]]:
    """The cells whose pictures are there still: of a picture that left the chart the place is empty."""
    return {name: dict(content) for name, content in cells.items() if content["xray"] in there}


def placed(cells: Cells, cell: str, xray_id: int | None) -> dict[str, dict[str, int]]:
    """The cells after a picture was put into one of them, or one was emptied. A picture is in a mount once: when it
    comes from another cell, what lies in the new one goes there."""
    new = {name: dict(content) for name, content in cells.items()}
    there = new.pop(cell, None)
    if xray_id is None:
        return new
    if there and there["xray"] == xray_id:
        return {**new, cell: there}
    before = next((name for name, content in new.items() if content["xray"] == xray_id), None)
    moved = new.pop(before) if before else {"xray": xray_id, "turn": 0}
    if before and there:
        new[before] = there
    return {**new, cell: moved}


def turned(cells: Cells, cell: str) -> dict[str, dict[str, int]]:
    """A quarter more, clockwise."""
    new = {name: dict(content) for name, content in cells.items()}
    if cell in new:
        new[cell]["turn"] = (new[cell]["turn"] + 90) % 360
    return new


class Shown(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def kind(self) -> XrayKind: ...
    @property
    def teeth(self) -> list[str]: ...


def filled(layout: MountLayout, cells: Cells, pictures: Sequence[Shown]) -> dict[str, dict[str, int]]:
    """Empty cells get the first picture of their kind that shows the most of their teeth; those at hand come first."""
    new = {name: dict(content) for name, content in cells.items()}
    used = {content["xray"] for content in new.values()}
    for cell in LAYOUTS[layout]:
        if cell.name in new:
            continue
        fits = [each for each in pictures if each.id not in used and each.kind is cell.kind]
        best = max(fits, key=lambda each: _overlap(each, cell), default=None)
        if best is not None and _overlap(best, cell) > 0:
            new[cell.name] = {"xray": best.id, "turn": 0}
            used.add(best.id)
    return new


def _overlap(picture: Shown, cell: Cell) -> float:
    """How well a picture's teeth are those of the cell, from 0 to 1."""
    theirs, ours = set(picture.teeth), set(cell.teeth)
    return len(theirs & ours) / len(theirs | ours) if theirs else 0


# What is drawn over a picture, and how somebody saw it

POINTS = {"text": 1, "arrow": 2, "ruler": 2, "angle": 3}
VIEW = "adjust"  # brightness, contrast and direction, kept as one more note
LONGEST_WORDS = 200
MOST_AT_ONCE = 50

Point = tuple[float, float]


def mark(given: Mapping[str, Any], *, width: int, height: int) -> dict[str, Any]:
    """What a note holds, and nothing else of what was sent. ValueError when nobody can have drawn that."""
    kind = given.get("kind")
    if kind == VIEW:
        return _view(given)
    if kind not in POINTS:
        raise ValueError(kind)
    points = [_point(each, width, height) for each in _list(given.get("points"))]
    words = clean_line(str(given.get("text") or ""))
    if len(points) != POINTS[kind] or (kind == "text" and not words) or len(words) > LONGEST_WORDS:
        raise ValueError(kind)
    return {"kind": kind, "points": points} | ({"text": words} if words and kind in {"text", "arrow"} else {})


def _view(given: Mapping[str, Any]) -> dict[str, Any]:
    turn, width = given.get("turn"), _number(given.get("width"))
    if turn not in {0, 1, 2, 3} or width <= 0:
        raise ValueError(turn)
    sides = {name: given.get(name) is True for name in ("invert", "flip")}
    return {"kind": VIEW, "center": _number(given.get("center")), "width": width, "turn": int(turn), **sides}


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(value)
    return value


def _point(value: Any, width: int, height: int) -> Point:
    """A point of the picture's pixels; a little beside it, words and arrows may begin."""
    x, y = (_number(each) for each in _list(value))
    if not (-width <= x <= 2 * width and -height <= y <= 2 * height):
        raise ValueError(value)
    return x, y


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e9:  # nor what is no number
        raise ValueError(value)
    return value


def length(points: Sequence[Point], spacing: tuple[float, float] | None) -> float:
    """From point to point, in millimetres where a pixel's size (down, across) is known, else in pixels."""
    (a, b), (down, across) = points, spacing or (1, 1)
    return math.hypot((b[0] - a[0]) * across, (b[1] - a[1]) * down)


def angle(points: Sequence[Point], spacing: tuple[float, float] | None) -> float:
    """Degrees between two legs, 0 to 180; the corner is the second point."""
    (a, corner, b), (down, across) = points, spacing or (1, 1)
    (px, py), (qx, qy) = (((x - corner[0]) * across, (y - corner[1]) * down) for x, y in (a, b))
    return math.degrees(math.atan2(abs(px * qy - py * qx), px * qx + py * qy))


def phrases(text: str) -> list[str]:
    """One a line, each once."""
    return list(dict.fromkeys(line for each in text.splitlines() if (line := clean_line(each))))
