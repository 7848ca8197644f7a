"""What a file that was looked at is, whose it may be, and what it is called. No database."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cpms.core import teeth as fdi
from cpms.core.text import clean_line, fold
from cpms.xrays.models import Laterality, XrayKind

# The names of what is done to a picture in the trail, besides its making; whoever opens the transaction uses them.
CHANGES = ("xray.update", "xray.report", "xray.move", "xray.delete", "xray.undelete", "xray.note", "xray.remove_note")
LOOKS = ("xray.view", "xray.original")

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
    from_file) of a picture deeper than 8 bits; `spacing` (row, column in mm, plane "calibrated" or "detector");
    `patient` (name, id, birth_date, sex); `transfer_syntax`, `modality`, `manufacturer`, `model`, `laterality`,
    `teeth`, `region`, `burned_in`, `sop_instance_uid`.
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
