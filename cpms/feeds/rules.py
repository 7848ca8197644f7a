"""Writes a calendar as RFC 5545 wants it. All times are UTC, so that no reader needs to know the clinic's zone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

BACK, AHEAD = timedelta(days=30), timedelta(days=365)
LONGEST = 75  # octets of a line
PROGRAM = "-//Dental CPMS//Calendar feed//EN"


@dataclass(frozen=True, slots=True)
class Entry:
    """One visit or block, as a calendar outside the clinic may know it."""

    uid: str
    start: datetime
    end: datetime
    changed: datetime
    version: int
    summary: str
    place: str
    cancelled: bool


def window(today: date) -> tuple[date, date]:
    """The first day that is told, and the first that is not any more."""
    return today - BACK, today + AHEAD


def written(name: str, entries: Iterable[Entry]) -> bytes:
    """The whole calendar. The same entries give the same bytes."""
    return b"".join(folded(line) for line in _lines(name, entries))


def _lines(name: str, entries: Iterable[Entry]) -> Iterator[str]:
    yield "BEGIN:VCALENDAR"
    yield "VERSION:2.0"
    yield f"PRODID:{PROGRAM}"
    yield "CALSCALE:GREGORIAN"
    yield "METHOD:PUBLISH"
    yield f"NAME:{escaped(name)}"
    yield f"X-WR-CALNAME:{escaped(name)}"
    yield "REFRESH-INTERVAL;VALUE=DURATION:PT15M"
    yield "X-PUBLISHED-TTL:PT15M"
    for entry in entries:
        yield "BEGIN:VEVENT"
        yield f"UID:{escaped(entry.uid)}"
        yield f"DTSTAMP:{moment(entry.changed)}"
        yield f"LAST-MODIFIED:{moment(entry.changed)}"
        yield f"SEQUENCE:{entry.version}"
        yield f"DTSTART:{moment(entry.start)}"
        yield f"DTEND:{moment(entry.end)}"
        yield f"SUMMARY:{escaped(entry.summary)}"
        yield f"LOCATION:{escaped(entry.place)}"
        yield f"STATUS:{'CANCELLED' if entry.cancelled else 'CONFIRMED'}"
        yield f"TRANSP:{'TRANSPARENT' if entry.cancelled else 'OPAQUE'}"
        yield "CLASS:PRIVATE"
        yield "END:VEVENT"
    yield "END:VCALENDAR"


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def escaped(value: str) -> str:
    """A value whose commas, semicolons and lines are no syntax, and which has nothing that cannot be seen."""
    value = "".join(sign for sign in value.replace("\r\n", "\n") if sign == "\n" or sign.isprintable())
    for sign, instead in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        value = value.replace(sign, instead)
    return value


def folded(line: str) -> bytes:
    """The line in pieces of at most 75 octets, none of which begins within a letter."""
    rest, pieces, room = line.encode(), [], LONGEST
    while len(rest) > room:
        end = room
        while rest[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(rest[:end])
        rest, room = rest[end:], LONGEST - 1  # the next one begins with a space
    return b"\r\n ".join([*pieces, rest]) + b"\r\n"
