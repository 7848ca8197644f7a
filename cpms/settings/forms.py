"""The clinic's wishes as a form."""

from datetime import time
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import available_timezones

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, HiddenField, validators
from wtforms.fields.choices import SelectChoice

from cpms.settings.schema import WEEK, ClinicSettings, Hours
from cpms.web.forms import Choice, ClockTime, Form, Line, Number, Paragraphs, at_most, required
from cpms.web.language import LANGUAGES

WEEKDAYS = (
    _l("Monday"),
    _l("Tuesday"),
    _l("Wednesday"),
    _l("Thursday"),
    _l("Friday"),
    _l("Saturday"),
    _l("Sunday"),
)
# What each setting is called, on its form and in the trail.
LABELS = {
    "clinic_name": _l("Name of the clinic"),
    "address": _l("Address"),
    "phone": _l("Phone"),
    "language": _l("Language"),
    "time_zone": _l("Time zone"),
    "opening": _l("Opening hours"),
    "holiday_country": _l("Public holidays of"),
    "holiday_region": _l("Public holidays of the region"),
    "idle_minutes": _l("Screen locks after (minutes)"),
    "backup_at": _l("Backup every night at"),
    "backup_target": _l("Second place of the backups"),
    "backup_key": _l("Encryption of the backups"),
    "xray_max_mb": _l("Largest picture or document, in MB"),
    "xray_floor_mb": _l("Room on the disk that pictures leave, in MB"),
    "xray_phrases": _l("Phrases for findings"),
    "feeds_on": _l("Calendar feeds"),
    "is_demo": _l("Demonstration"),
}
_NEW_DAY = Hours(time(8), time(18))  # what a closed day begins with when somebody opens it


@cache
def time_zones() -> tuple[str, ...]:
    """Zones with a place's name; the old abbreviations say nothing to people."""
    places = (name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "System")))
    return ("UTC", *sorted(places))


class DayFields(NamedTuple):
    name: str
    is_open: Field
    opens: Field
    closes: Field


class OpeningFields(Form):
    """For each weekday a tick and two times."""

    @property
    def days(self) -> list[DayFields]:
        return [
            DayFields(str(WEEKDAYS[day]), self[f"open_{day}"], self[f"opens_{day}"], self[f"closes_{day}"])
            for day in WEEK
        ]

    def opening(self) -> tuple[Hours | None, ...]:
        return tuple(Hours(day.opens.data, day.closes.data) if day.is_open.data else None for day in self.days)

    @staticmethod
    def of(opening: tuple[Hours | None, ...]) -> dict[str, Any]:
        """What the fields show for these hours."""
        shown: dict[str, Any] = {}
        for day, hours in enumerate(opening):
            shown[f"open_{day}"] = hours is not None
            shown[f"opens_{day}"] = (hours or _NEW_DAY).opens
            shown[f"closes_{day}"] = (hours or _NEW_DAY).closes
        return shown

    def validate(self, extra_validators: Any = None) -> bool:
        super().validate(extra_validators)
        for day in self.days:
            self._check_day(day)
        return not self.errors

    @staticmethod
    def _check_day(day: DayFields) -> None:
        if not day.is_open.data:
            day.opens.errors = day.closes.errors = []
            return
        if not day.opens.errors and day.opens.data is None:
            day.opens.errors = [_("From when on is the clinic open?")]
        if not day.closes.errors and day.closes.data is None:
            day.closes.errors = [_("Until when is the clinic open?")]
        if not (day.opens.errors or day.closes.errors) and day.closes.data <= day.opens.data:
            day.closes.errors = [_("The clinic closes after it opens.")]


for _day in WEEK:
    setattr(OpeningFields, f"open_{_day}", BooleanField(_l("Open")))
    setattr(OpeningFields, f"opens_{_day}", ClockTime(_l("From")))
    setattr(OpeningFields, f"closes_{_day}", ClockTime(_l("To")))


class ClinicFields(OpeningFields):
    clinic_name = Line(
        LABELS["clinic_name"],
        [required(_l("Please give the clinic's name.")), at_most(100)],
        render_kw={"autocomplete": "organization"},
    )
    language = Choice(
        LABELS["language"],
        choices=[SelectChoice("", _l("As the browser asks")), *(SelectChoice(*each) for each in LANGUAGES.items())],
        default="",
    )
    time_zone = Choice(
        LABELS["time_zone"],
        [required(_l("Please choose the clinic's time zone."))],
        choices=lambda: [SelectChoice(name, name.replace("_", " ")) for name in time_zones()],
    )


class ClinicForm(ClinicFields):
    address = Paragraphs(LABELS["address"], [at_most(300)], render_kw={"rows": 3, "autocomplete": "street-address"})
    phone = Line(LABELS["phone"], [at_most(40)], render_kw={"type": "tel", "autocomplete": "tel"})
    idle_minutes = Number(
        LABELS["idle_minutes"],
        [
            required(_l("Please give a number of minutes.")),
            validators.NumberRange(2, 60, message=_l("Between %(min)d and %(max)d minutes, please.")),
        ],
        render_kw={"min": 2, "max": 60},
    )
    seen = HiddenField()

    @classmethod
    def showing(cls, settings: ClinicSettings, seen: str) -> "ClinicForm":
        names = ("clinic_name", "language", "time_zone", "address", "phone", "idle_minutes")
        shown = {name: getattr(settings, name) for name in names}
        return cls(data=shown | cls.of(settings.opening) | {"seen": seen})

    def changes(self) -> dict[str, Any]:
        return {
            "clinic_name": self.clinic_name.data,
            "language": self.language.data,
            "time_zone": self.time_zone.data,
            "address": self.address.data,
            "phone": self.phone.data,
            "idle_minutes": self.idle_minutes.data,
            "opening": self.opening(),
        }

    def stored_beside(self, settings: ClinicSettings) -> dict[str, str]:
        """What is stored now, by field, where it is not what the form says."""
        found = {
            name: str(getattr(settings, name)) or _("nothing")
            for name, value in self.changes().items()
            if name != "opening" and getattr(settings, name) != value
        }
        if "language" in found:
            found["language"] = LANGUAGES.get(settings.language) or _("As the browser asks")
        for day, hours in zip(self.days, settings.opening, strict=True):
            typed = Hours(day.opens.data, day.closes.data) if day.is_open.data else None
            if typed != hours:
                found[day.is_open.name] = f"{hours.opens:%H:%M}–{hours.closes:%H:%M}" if hours else _("closed")
        return found
