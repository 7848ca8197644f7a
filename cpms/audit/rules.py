"""The trail's seals. Each entry carries an HMAC over its own words, its changes and the seal before it, under a key
that lies outside the database: an entry that is changed, taken out, put in or moved breaks the row of seals.

The form of what is sealed never changes: entries of the first day must still fit their seals.
"""

import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

SEALED = (
    "id",
    "actor_id",
    "action",
    "about_table",
    "about_id",
    "patient_id",
    "reason",
    "origin",
    "request_id",
    "undoes_id",
)
FIRST = ""  # what stands before the first entry
RESTORE = "backup.restore"  # the action of putting the clinic back to an earlier backup


class Anchor(NamedTuple):
    """The last entry at some moment, kept where whoever changes the database does not reach: id, seal, and when."""

    id: int
    mac: str
    at: datetime


def seal(key: bytes, before: str, entry: Mapping[str, Any], changes: Iterable[Mapping[str, Any]]) -> str:
    """The seal of an entry as 64 hex digits; `created_at` is an aware instant, `columns` are JSON values."""
    rows = sorted(
        json.dumps([row["table_name"], row["row_id"], row["patient_id"], row["columns"]], sort_keys=True)
        for row in changes
    )
    words = [entry["created_at"].isoformat(timespec="microseconds"), *(entry[name] for name in SEALED), rows]
    return hmac.new(key, f"{before}\n{json.dumps(words)}".encode(), sha256).hexdigest()


def undoes_in_force(undoes: Mapping[int, int]) -> dict[int, int]:
    """{entry: the entry that takes it back now}, from {undo: what it undoes}. An undo that was itself taken back takes
    nothing back any more; each is newer than what it undoes."""
    valid: dict[int, int] = {}
    for undo in sorted(undoes, reverse=True):
        if undo not in valid:
            valid.setdefault(undoes[undo], undo)
    return valid


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the trail found."""

    entries: int
    broken: tuple[int, ...]  # entries that do not fit their seals
    lost: tuple[Anchor, ...]  # anchors whose entry is gone or is another one

    @property
    def is_whole(self) -> bool:
        return not (self.broken or self.lost)


Sealed = tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]  # an entry with its `mac`, and its changes
Page = Callable[[int, int], Sequence[Sealed]]


def check(trail: Iterable[Sealed], *, key: bytes, anchors: Sequence[Anchor] = ()) -> Verdict:
    """Read the whole trail in order. An anchor's entry may be missing only when the clinic was put back to an earlier
    backup after it: that restore stands in the trail."""
    entries, before, broken = 0, FIRST, []
    wanted = {anchor.id for anchor in anchors}
    seen: dict[int, str] = {}
    restores: list[tuple[int, datetime]] = []
    for entry, changes in trail:
        entries += 1
        if not hmac.compare_digest(entry["mac"], seal(key, before, entry, changes)):
            broken.append(entry["id"])
        before = entry["mac"]
        if entry["id"] in wanted:
            seen[entry["id"]] = entry["mac"]
        if entry["action"] == RESTORE:
            restores.append((entry["id"], entry["created_at"]))
    lost = (
        anchor
        for anchor in anchors
        if seen.get(anchor.id) != anchor.mac
        and not any(number <= anchor.id and anchor.at <= when for number, when in restores)
    )
    return Verdict(entries, tuple(broken), tuple(lost))


def in_pages(page: Page, *, size: int = 500) -> Iterator[Sealed]:
    """A long read in short ones, so that the database may tidy up meanwhile. `page(after, size)` gives entries."""
    after = 0
    while rows := page(after, size):
        yield from rows
        after = rows[-1][0]["id"]
