"""What is written is what a real calendar library reads."""

from datetime import UTC, date, datetime
from itertools import pairwise

import icalendar
import pytest

from cpms.feeds.rules import Entry, folded, window, written

AT = datetime(2026, 9, 1, 7, 0, tzinfo=UTC)


def entry(**columns: object) -> Entry:
    usual = {"uid": "a@cpms", "start": AT, "end": AT.replace(hour=8), "changed": AT, "version": 3}
    return Entry(**(usual | {"summary": "SY · Check-up", "place": "Chair 1", "cancelled": False} | columns))


def read(content: bytes) -> icalendar.Event:
    [event] = icalendar.Calendar.from_ical(content).walk("VEVENT")
    return event


@pytest.mark.parametrize(
    "summary",
    [
        "Diş taşı temizliği; şüpheli, çürük \\ kök",
        "First line\nsecond line",
        "ığüşöçİ" * 40,
        "\N{TOOTH}" * 60,
        "BEGIN:VEVENT\r\nSUMMARY:another",
    ],
)
def test_every_text_comes_back_as_it_was(summary: str) -> None:
    content = written("Dr Ada · Diş Kliniği", [entry(summary=summary)])
    assert str(read(content)["SUMMARY"]) == summary.replace("\r\n", "\n")
    name = icalendar.Calendar.from_ical(content)["X-WR-CALNAME"]
    assert str(name) == "Dr Ada · Diş Kliniği"


@pytest.mark.parametrize("length", range(60, 90))
def test_no_line_is_longer_than_75_octets_and_no_letter_is_cut(length: int) -> None:
    lines = folded("SUMMARY:" + "ş" * length).split(b"\r\n")
    assert lines.pop() == b""
    assert max(map(len, lines)) <= 75
    assert "".join(line.decode().removeprefix(" ") for line in lines) == "SUMMARY:" + "ş" * length


def test_control_signs_are_left_out() -> None:
    assert str(read(written("x", [entry(summary="a\x00b\x07c\rd")]))["SUMMARY"]) == "abcd"


def test_an_entry_tells_its_version_and_that_it_is_off() -> None:
    event = read(written("x", [entry(cancelled=True)]))
    assert (event["UID"], event["SEQUENCE"], event["STATUS"], event["TRANSP"]) == (
        "a@cpms", 3, "CANCELLED", "TRANSPARENT",
    )  # fmt: skip
    assert event["LAST-MODIFIED"].dt == event["DTSTAMP"].dt == AT
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (AT, AT.replace(hour=8))


def test_an_empty_calendar_is_one_too() -> None:
    calendar = icalendar.Calendar.from_ical(written("x", []))
    assert (calendar["VERSION"], calendar.walk("VEVENT")) == ("2.0", [])


def test_it_tells_a_month_back_and_a_year_ahead() -> None:
    first, until = window(date(2026, 9, 1))
    assert [(b - a).days for a, b in pairwise((first, date(2026, 9, 1), until))] == [30, 365]
