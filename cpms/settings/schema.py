"""Every wish of a clinic: typed, with its default. What is stored under another key is ignored."""

from dataclasses import dataclass, fields
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

WEEK = range(7)  # Monday is 0, as in `date.weekday()`


@dataclass(frozen=True, slots=True)
class Hours:
    """From when until when the clinic is open on a weekday: [opens, closes)."""

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.closes <= self.opens:
            raise ValueError("a day closes after it opens")


_WORKDAY = Hours(time(8), time(18))
_SATURDAY = Hours(time(9), time(14))


@dataclass(frozen=True, slots=True)
class ClinicSettings:
    clinic_name: str = "Dental clinic"
    address: str = ""
    phone: str = ""
    language: str = ""  # of who has chosen none, one of `web.language`; empty: as the browser asks
    time_zone: str = "UTC"
    opening: tuple[Hours | None, ...] = (_WORKDAY,) * 5 + (_SATURDAY, None)
    holiday_country: str = ""  # whose public holidays close the clinic, as ISO 3166 names it; empty: none do
    holiday_region: str = ""  # of that country; empty: the holidays that all of it has
    idle_minutes: int = 15  # after this long without a touch a screen locks itself
    backup_at: time = time(3, 30)  # not between 02:00 and 03:00: on two nights that hour is missing or comes twice
    backup_target: str = ""  # a second folder, such as a USB disk; empty: none
    backup_key: str = ""  # the public half of the key that backups are encrypted with; empty: not encrypted
    xray_max_mb: int = 25  # of one picture or document
    xray_floor_mb: int = 500  # of the server's disk: pictures never take this last room
    xray_phrases: str = ""  # one a line, for reports; empty: the usual ones
    feeds_on: bool = False  # whether providers may read their calendar outside the clinic
    is_demo: bool = False  # shows on every page that nothing here is real

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def hours(self, weekday: int) -> Hours | None:
        return self.opening[weekday]


def load(stored: dict[str, Any]) -> ClinicSettings:
    """Settings from their stored values; what is missing is the default."""
    known = {field.name for field in fields(ClinicSettings)}
    values = {key: value for key, value in stored.items() if key in known}
    if "backup_at" in values:
        values["backup_at"] = time.fromisoformat(values["backup_at"])
    if "opening" in values:
        values["opening"] = tuple(
            Hours(time.fromisoformat(day[0]), time.fromisoformat(day[1])) if day else None for day in values["opening"]
        )
    return ClinicSettings(**values)


def dump(value: Any) -> Any:
    """One setting's value as JSON knows it."""
    if isinstance(value, tuple):
        return [[f"{day.opens:%H:%M}", f"{day.closes:%H:%M}"] if day else None for day in value]
    return f"{value:%H:%M}" if isinstance(value, time) else value
