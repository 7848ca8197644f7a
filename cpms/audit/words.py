"""The trail in words: what somebody did, and every value as the screens show it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Date, Enum

from cpms.audit.models import AuditChange, AuditEntry
from cpms.auth import queries as auth
from cpms.auth.forms import ROLE_NAMES
from cpms.auth.models import Theme
from cpms.calendar import queries as calendar
from cpms.calendar.models import Kind, Monthly, Unit
from cpms.calendar.series import queries as series
from cpms.core.columns import Instant, WallClock
from cpms.core.db import db
from cpms.hours import queries as hours
from cpms.hours import rules as hour_rules
from cpms.patients import queries as patients
from cpms.patients.forms import SEXES
from cpms.patients.models import PatientStatus
from cpms.settings.forms import LABELS as SETTINGS
from cpms.settings.forms import WEEKDAYS
from cpms.settings.schema import ClinicSettings, dump
from cpms.web.filters import full_day, happened, when
from cpms.web.language import LANGUAGES, retold
from cpms.xrays import queries as xrays

# What stands after the name of whoever did it. Progress of long work and the like changes no audited row: "".
ACTIONS = {
    "access.denied": _l("was refused"),
    "audit.export": _l("exported the audit log"),
    "audit.verify": _l("checked the trail"),
    "auth.forget_sessions": "",
    "auth.known": "",
    "auth.lock": _l("locked the screen"),
    "auth.sign_in": _l("signed in"),
    "auth.sign_in_failed": _l("failed to sign in"),
    "auth.sign_out": _l("signed out"),
    "auth.try": "",
    "auth.unlock": _l("ended the wait after wrong passwords"),
    "backup.adopt": _l("entered a backup into the history"),
    "backup.begin_restore": _l("began to put a backup back"),
    "backup.copy": _l("copied a backup to the second place"),
    "backup.create": _l("made a backup"),
    "backup.download": _l("downloaded a backup"),
    "backup.fail": _l("could not make a backup"),
    "backup.forget_key": _l("stopped encrypting backups"),
    "backup.look": _l("looked at a backup to put back"),
    "backup.print_sheet": _l("printed the recovery sheet"),
    "backup.remove": _l("let go of an old backup"),
    "backup.restore": _l("put the clinic back to a backup"),
    "backup.set_key": _l("set the passphrase of the backups"),
    "backup.verify": _l("checked a backup"),
    "calendar.choose": "",
    "calendar.let_go": "",
    "calendar.take_up": "",
    "calendar.outside_list": _l("opened the list of visits outside the hours"),
    "calendar.rebook_list": _l("opened the list of visits to be rebooked"),
    "calendar.print": _l("printed the calendar"),
    "demo.fill": _l("filled in the demo clinic"),
    "exchange.download": _l("downloaded the export of all data"),
    "exchange.export": _l("exported all data"),
    "entry.undo": _l("took a change back"),
    "event.change": _l("changed it"),
    "event.create": _l("booked it"),
    "event.delete": _l("took it off the calendar"),
    "event.move": _l("moved it"),
    "event.no_new_date": _l("noted that no new date is wanted"),
    "event_series.cancel": _l("cancelled this visit and those that follow"),
    "event_series.change": _l("changed this entry and those that follow"),
    "event_series.create": _l("booked a series"),
    "event_series.delete": _l("took this entry and those that follow off the calendar"),
    "event_series.extend": _l("extended the series"),
    "event_series.move": _l("moved this entry and those that follow"),
    "event.status": _l("set its status"),
    "event.undelete": _l("put it back on the calendar"),
    "event.view": _l("opened the visit"),
    "hours.away": _l("entered an absence"),
    "hours.change": _l("changed the hours"),
    "hours.change_off": _l("changed an absence or closed days"),
    "hours.close": _l("closed the clinic for a time"),
    "hours.close_holiday": _l("closed the clinic on a public holiday"),
    "hours.country": _l("chose whose public holidays the clinic keeps"),
    "hours.delete_off": _l("took an absence or closed days away"),
    "hours.open_holiday": _l("opened the clinic on a public holiday"),
    "feed.names": _l("chose what a calendar feed tells"),
    "feed.read": _l("gave out a calendar feed, the first time that day"),
    "feed.renew": _l("made an address for a calendar feed"),
    "feed.revoke": _l("revoked the address of a calendar feed"),
    "patient.archive": _l("archived the patient"),
    "patient.create": _l("entered the patient"),
    "patient.delete": _l("deleted the patient"),
    "patient.restore": _l("made the patient active again"),
    "patient.undelete": _l("restored the patient"),
    "patient.update": _l("changed the details"),
    "patient.update_medical": _l("changed the medical text"),
    "patient.view": _l("opened the chart"),
    "patient.view_medical": _l("opened the medical text"),
    "profile.language": _l("chose a language"),
    "profile.password": _l("changed the own password"),
    "profile.password_failed": _l("gave a wrong password"),
    "profile.theme": _l("chose light or dark"),
    "profile.update": _l("changed the own profile"),
    "session.end": _l("ended sessions"),
    "session.seen": "",
    "settings.change": _l("changed the settings"),
    "setup.finish": _l("set the clinic up"),
    "today.view": _l("opened the list of the day"),
    "user.create": _l("added a user"),
    "user.deactivate": _l("took a user's access away"),
    "user.reactivate": _l("let a user in again"),
    "user.reset_password": _l("gave a user a new password"),
    "user.update": _l("changed a user"),
    "work.begin": _l("began long work"),
    "work.end": "",
    "work.step": "",
    "xray.create": _l("put a picture into the chart"),
    "xray.delete": _l("deleted a picture"),
    "xray.list": _l("leafed through the pictures"),
    "xray.move": _l("moved a picture to another patient"),
    "xray.note": _l("put a note on a picture"),
    "xray.original": _l("took a picture's file along"),
    "xray.remove_note": _l("took a note off a picture"),
    "xray.print": _l("printed the report on a picture"),
    "xray.report": _l("reported on a picture"),
    "xray.undelete": _l("restored a picture"),
    "xray.update": _l("changed what a picture is"),
    "xray.view": _l("looked at a picture"),
    "xray_mount.change": _l("changed a mount"),
    "xray_mount.create": _l("made a mount of pictures"),
    "xray_mount.delete": _l("took a mount away"),
    "xray_mount.print": _l("printed a mount"),
    "xray_mount.undelete": _l("restored a mount"),
    "xray_mount.view": _l("looked at a mount"),
}  # chairs and appointment types name their actions by their tables: see `action`
_FURNITURE = {
    "create": _l("added it"),
    "change": _l("changed it"),
    "retire": _l("took it out of use"),
    "reuse": _l("took it into use again"),
}

LABELS = {
    "patient": {
        "chart_no": _l("Chart number"),
        "first_name": _l("First name"),
        "last_name": _l("Last name"),
        "date_of_birth": _l("Date of birth"),
        "sex": _l("Sex"),
        "home_phone": _l("Home phone"),
        "mobile_phone": _l("Mobile phone"),
        "email": _l("E-mail"),
        "address": _l("Address"),
        "notes": _l("Notes"),
        "alert_text": _l("Alert"),
        "status": _l("Status"),
        "current_treatment": _l("Current treatment"),
        "medical_history": _l("Medical history"),
        "surgery_history": _l("Operations"),
        "any_medical_problems": _l("Medical problems, allergies, medicines"),
        "women_specific_info": _l("For women: pregnancy, breast-feeding, contraceptives"),
        "deleted_at": _l("Deleted"),
    },
    "event": {
        "title": _l("Title"),
        "start": _l("From"),
        "end": _l("To"),
        "color": _l("Colour"),
        "kind": _l("Kind"),
        "status": _l("Status"),
        "status_changed_at": _l("Status since"),
        "notes": _l("Notes"),
        "overbook_reason": _l("Why over another entry"),
        "cancel_reason": _l("Why cancelled"),
        "booking_key": _l("Form"),
        "patient_id": _l("Patient"),
        "chair_id": _l("Chair"),
        "provider_id": _l("With"),
        "type_id": _l("Type"),
        "no_new_date_reason": _l("Why no new date"),
        "deleted_at": _l("Deleted"),
        "series_id": _l("Series"),
        "series_slot": _l("Place in the series"),
    },
    "event_series": {
        "unit": _l("Repeats"),
        "every": _l("Every"),
        "weekdays": _l("Weekdays"),
        "monthly": _l("Day of the month"),
        "anchor": _l("Counted from"),
        "until": _l("Last date"),
        "count": _l("Entries"),
        "made_by_id": _l("Booked by"),
    },
    "chair": {"name": _l("Name"), "position": _l("Place"), "active": _l("In use")},
    "appointment_type": {
        "name": _l("Name"),
        "minutes": _l("Minutes"),
        "color": _l("Colour"),
        "position": _l("Place"),
        "active": _l("In use"),
    },
    "user": {
        "username": _l("User name"),
        "username_key": _l("User name, folded"),
        "email": _l("E-mail"),
        "email_key": _l("E-mail, folded"),
        "password_hash": _l("Password"),
        "display_name": _l("Name"),
        "role": _l("Role"),
        "color": _l("Colour"),
        "is_provider": _l("Takes visits"),
        "active": _l("Works here"),
        "must_change_password": _l("One-time password"),
        "theme": _l("Light or dark"),
        "language": _l("Language"),
        "last_login_at": _l("Last signed in"),
    },
    "work_week": {"days": _l("Hours"), "provider_id": _l("Whose")},  # day by day: see `Speaker.week`
    "time_off": {
        "kind": _l("Kind"),
        "name": _l("Name"),
        "start": _l("From"),
        "end": _l("Until"),
        "provider_id": _l("Whose"),
        "deleted_at": _l("Taken away"),
    },
    "feed": {
        "user_id": _l("Provider"),
        "token_hash": _l("Address"),
        "with_names": _l("Tells names"),
        "made_at": _l("Made"),
        "read_at": _l("Read"),
    },
    "setting": {"value": _l("Value")},  # each has a name of its own: see `Speaker.setting`
    "backup": {
        "file_name": _l("File"),
        "size": _l("Bytes"),
        "kind": _l("Why"),
        "sha256": _l("SHA-256"),
        "verified_at": _l("Checked"),
        "result": _l("Result"),
        "error": _l("What is wrong"),
        "counts": _l("Rows"),
        "encrypted": _l("Encrypted"),
        "target": _l("Second place"),
        "copied_at": _l("Copied"),
        "target_error": _l("What went wrong with the copy"),
        "removed_at": _l("Made room"),
    },
    "xray_mount": {
        "layout": _l("Layout"),
        "title": _l("Title"),
        "cells": _l("Pictures"),
        "patient_id": _l("Patient"),
        "deleted_at": _l("Deleted"),
    },
    "xray": {
        "date_performed": _l("Taken on"),
        "findings": _l("Findings"),
        "impression": _l("Impression"),
        "kind": _l("Kind"),
        "teeth": _l("Teeth"),
        "laterality": _l("Side"),
        "sha256": _l("SHA-256"),
        "size": _l("Bytes"),
        "mime": _l("Type of file"),
        "width": _l("Width"),
        "height": _l("Height"),
        "bit_depth": _l("Bits"),
        "frames": _l("Frames"),
        "original_name": _l("File"),
        "dicom": _l("What the file says"),
        "problem": _l("Why it cannot be shown"),
        "layers": _l("Notes on the picture"),
        "patient_id": _l("Patient"),
        "taken_by_id": _l("Taken by"),
        "uploaded_by_id": _l("Brought in by"),
        "reported_by_id": _l("Reported by"),
        "reported_at": _l("Reported"),
        "deleted_at": _l("Deleted"),
    },
}
# Kept by the program for itself: they follow from others and would say the same twice.
SILENT = {
    *("booking_key", "username_key", "email_key", "status_changed_at", "last_login_at", "counts", "position"),
    *("sha256", "size", "mime", "width", "height", "bit_depth", "frames", "dicom", "layers", "reported_at"),
    *("cells", "series_id", "series_slot"),
}
MEDICAL = {column.key for table in db.metadata.sorted_tables for column in table.columns if column.info.get("medical")}
OF_COURSE = {"color", "kind", "status"}  # of a booking these go without saying
LONGEST = 160
# How the shelf of pictures wrote down what it was asked for: "q lee, since 2026-09-01, open 1".
_ASKED = re.compile(r"(?:^|, )(q|since|until|open) (.*?)(?=, (?:since|until|open) |$)")
# Reasons that the program gives by itself; the trail keeps them in English.
TOLD = {
    *("access.denied", "audit.export", "audit.verify", "auth.sign_in_failed", "backup.set_key", "exchange.export"),
    *("profile.password_failed", "xray.list"),
}
REASONS = {
    "all": _l("all"),
    "no such user name": _l("there is no such user name"),
    "wrong password": _l("wrong password"),
    "does not work here any more": _l("does not work here any more"),
    "everything": _l("everything"),
}


def action(name: str) -> str:
    noun, _dot, verb = name.partition(".")
    if noun in {"chair", "appointment_type", "type"}:
        return str(_FURNITURE.get(verb, verb))
    return str(ACTIONS.get(name) or name)


class Speaker:
    """Says values in words. Names are looked up once for all that it says."""

    def __init__(
        self, *, may_read_medical: bool, patient_ids: Iterable[int] = (), starts: Mapping[int, datetime] | None = None
    ) -> None:
        """`starts`: when the calendar's entries are that it will be asked about."""
        self._may_read_medical = may_read_medical
        people = {user.id: user.display_name for user in auth.users()}
        self._starts = starts or {}
        self._names: dict[str, Mapping[int, str]] = {
            **dict.fromkeys(
                ("provider_id", "user_id", "made_by_id", "taken_by_id", "uploaded_by_id", "reported_by_id"), people
            ),
            "chair_id": {chair.id: chair.name for chair in calendar.chairs(every=True)},
            "type_id": {type_.id: type_.name for type_ in calendar.types(every=True)},
            "patient_id": patients.names(set(patient_ids)),
        }

    def who(self, user_id: int | None) -> str:
        return self._names["provider_id"].get(user_id or 0) or _("The server")

    def subject(self, entry: AuditEntry, patient_id: int | None) -> str:
        """Whom or what an entry is about: a patient, a user, a chair, an appointment type."""
        if patient_id:
            return self._names["patient_id"].get(patient_id, "")
        named = {"user": "provider_id", "chair": "chair_id", "appointment_type": "type_id"}.get(entry.about_table or "")
        if entry.about_table in {"time_off", "work_week"}:
            return self._hours_of(entry.about_table).get(_row_id(entry), "")
        return self._names[named].get(_row_id(entry), "") if named else ""

    def _hours_of(self, table: str) -> Mapping[int, str]:
        """Whose hours, or what closed days; looked up when the first entry asks."""
        if table not in self._names:
            self._names[table] = hours.names_off() if table == "time_off" else hours.names_weeks()
        return self._names[table]

    def visit(self, entry: AuditEntry) -> str:
        """When the entry of the calendar is that this one is about."""
        return when(self._starts.get(_row_id(entry))) if entry.about_table == "event" else ""

    def changes(self, table: str, row_id: str, columns: Mapping[str, list[Any]]) -> list[str]:
        """One line for each column that says something: "Phone: 030 1 → 030 2"."""
        if table == "setting":
            return self.setting(row_id, *columns["value"])
        if table == "work_week" and "days" in columns:
            return self.week(*columns["days"])
        silent = OF_COURSE if table == "event" and columns.get("start", [""])[0] is None else set()
        return [
            self._line(table, key, *values)
            for key, values in columns.items()
            if key not in silent and self._says(table, key, values)
        ]

    @staticmethod
    def week(old: Any, new: Any) -> list[str]:
        """The weekdays of a provider that changed, before and after."""
        before = hour_rules.load_week(old) if old else hour_rules.USUAL_WEEK
        return [
            _("%(day)s: %(old)s → %(new)s", day=day, old=hours.plan_words(was), new=hours.plan_words(plan))
            for day, was, plan in zip(map(str, WEEKDAYS), before, hour_rules.load_week(new), strict=True)
            if was != plan
        ]

    def moved(self, columns: Mapping[str, list[Any]]) -> str | None:
        """The sentence of a move, when it is one in time."""
        if "start" not in columns or columns["start"][0] is None:
            return None
        old, new = (when(datetime.fromisoformat(value)) for value in columns["start"])
        return _("moved it from %(old)s to %(new)s", old=old, new=new)

    def series(self, action: str, changes: Sequence[AuditChange]) -> str:
        """The sentence of a series: how many entries, from when on, how often."""
        made = [change for change in changes if change.table_name == "event"]
        starts = sorted(filter(None, (self._start(change) for change in made)))
        rule = next((change.columns for change in changes if change.table_name == "event_series"), {})
        if action == "event_series.create" and starts and "unit" in rule:
            return ngettext(
                "booked a series of %(num)d entry: %(when)s, %(rhythm)s",
                "booked a series of %(num)d entries from %(when)s, %(rhythm)s",
                len(starts),
                when=when(starts[0]),
                rhythm=series.rhythm(Unit(rule["unit"][1]), rule["every"][1]),
            )
        return ngettext("%(what)s (%(num)d entry)", "%(what)s (%(num)d entries)", len(made), what=ACTIONS[action])

    def of_series(self, changes: Sequence[AuditChange]) -> list[str]:
        """The entries of a series by date: from when to when each went, or when it is."""
        found = [(self._start(change), change) for change in changes if change.table_name == "event"]
        dated = sorted(((start, change) for start, change in found if start), key=lambda each: each[0])
        return [self.moved(change.columns) or when(start) for start, change in dated]

    def _start(self, change: AuditChange) -> datetime | None:
        new = change.columns.get("start", [None, None])[1]
        return datetime.fromisoformat(new) if new else self._starts.get(int(change.row_id))

    def setting(self, key: str, old: Any, new: Any) -> list[str]:
        """A changed wish of the clinic: its name, and both values; of the opening hours only the days that changed."""
        if key == "setup_done":  # the entry itself says it
            return []
        label = str(SETTINGS.get(key, key))
        if old is None and key in SETTINGS:
            old = dump(getattr(ClinicSettings(), key))  # what held as long as nobody had chosen
        if old == new:
            return []
        if key == "opening":
            return [
                _("%(label)s, %(day)s: %(old)s → %(new)s", label=label, day=day, old=_hours(before), new=_hours(after))
                for day, before, after in zip(map(str, WEEKDAYS), old, new, strict=True)
                if before != after
            ]
        before, after = (_setting(key, value) or _("nothing") for value in (old, new))
        return [_("%(label)s: %(old)s → %(new)s", label=label, old=before, new=after)]

    @staticmethod
    def reason(action: str, reason: str) -> str:
        """What stands behind an entry besides its changes, in the reader's language where the program wrote it."""
        if action == "calendar.print":
            view, _space, first = reason.partition(" ")
            day = full_day(date.fromisoformat(first))
            if view == "list":
                return _("list from %(day)s", day=day)
            return _("week of %(day)s", day=day) if view == "week" else day
        if action in {"today.view", "calendar.outside_list", "calendar.rebook_list"}:
            return full_day(date.fromisoformat(reason))
        if action == "xray.list" and reason != "all":
            return ", ".join(_asked_for(name, value) for name, value in _ASKED.findall(reason))
        if action in TOLD:
            return str(REASONS.get(reason) or retold(reason))
        return _("Reason: %(reason)s", reason=reason)

    @staticmethod
    def _says(table: str, key: str, values: list[Any]) -> bool:
        return (
            key in LABELS.get(table, {}) and key not in SILENT and any(value not in (None, "", []) for value in values)
        )

    def _line(self, table: str, key: str, old: Any, new: Any) -> str:
        label = str(LABELS[table][key])
        if key in MEDICAL and not self._may_read_medical:
            return _("%(label)s: changed", label=label)
        if isinstance(old, str) and isinstance(new, str):
            old, new = _where_they_part(old, new)
        before, after = self.value(table, key, old), self.value(table, key, new)
        if old in (None, ""):
            return _("%(label)s: %(value)s", label=label, value=after)
        return _("%(label)s: %(old)s → %(new)s", label=label, old=before, new=after or _("nothing"))

    def value(self, table: str, key: str, value: Any) -> str:
        """A value of the trail, which is a JSON value, as the screens show it."""
        if value is None or value == "":
            return ""
        if key in self._names:
            return self._names[key].get(value, f"#{value}")
        if isinstance(value, list):
            return ", ".join(map(str, value))
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if key == "language":
            return LANGUAGES.get(value, str(value))
        if key == "color":
            return calendar.swatch_words().get(value, str(value))
        column = db.metadata.tables[table].columns.get(key)
        kind = column.type if column is not None else None
        if (table, key) == ("xray", "problem"):
            return xrays.problem_words().get(value, str(value))
        if isinstance(kind, Instant):
            return happened(datetime.fromisoformat(value))
        if isinstance(kind, WallClock):
            return when(datetime.fromisoformat(value))
        if isinstance(kind, Date):
            return full_day(date.fromisoformat(value))
        if isinstance(kind, Enum):
            return _enum_words().get((table, key), {}).get(value, str(value))
        return _short(str(value))


def _asked_for(name: str, value: str) -> str:
    """One wish of somebody who leafed through the pictures, with the words of the page."""
    if name == "open":
        return _("Without findings")
    label = {"q": _("Patient"), "since": _("From"), "until": _("Until")}[name]
    with suppress(ValueError):  # a name that looks like a wish
        value = value if name == "q" else full_day(date.fromisoformat(value))
    return _("%(label)s: %(value)s", label=label, value=value)


def _row_id(entry: AuditEntry) -> int:
    return int(entry.about_id) if entry.about_id and entry.about_id.isdecimal() else 0


def _hours(day: list[str] | None) -> str:
    return f"{day[0]}–{day[1]}" if day else _("closed")


def _setting(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return _short(", ".join(map(str, value)))
    if key == "backup_key":
        return _("with the clinic's passphrase") if value else _("none")
    if key == "language":
        return LANGUAGES.get(value) or _("As the browser asks")
    if key == "time_zone":
        return str(value).replace("_", " ")
    if key == "holiday_country" and value:
        return get_locale().territories.get(value, value)
    return _short(", ".join(str(value).split("\n")))


def _where_they_part(old: str, new: str) -> tuple[str, str]:
    """Of texts too long to stand whole, what follows the words that both begin with."""
    shorter = min(len(old), len(new))
    same = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    if max(len(old), len(new)) <= LONGEST or same < LONGEST // 2:
        return old, new
    near = same - LONGEST // 4
    start = next((at for at in range(near, same) if old[at - 1].isspace()), near)
    return f"…{old[start:]}", f"…{new[start:]}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _enum_words() -> dict[tuple[str, str], dict[str, str]]:
    return {
        ("event", "status"): {status.value: words for status, words in calendar.status_words().items()},
        ("event", "kind"): {Kind.VISIT: _("visit"), Kind.BLOCK: _("block")},
        ("event_series", "unit"): {Unit.WEEK: _("every so many weeks"), Unit.MONTH: _("every so many months")},
        ("event_series", "monthly"): {
            Monthly.DAY: _("the same day"),
            Monthly.NTH: _("the same weekday"),
            Monthly.LAST: _("the last such weekday"),
        },
        ("patient", "sex"): {sex.value: str(words) for sex, words in SEXES.items()},
        ("patient", "status"): {PatientStatus.ACTIVE: _("active"), PatientStatus.ARCHIVED: _("archived")},
        ("xray", "kind"): {kind.value: word for kind, word in xrays.kind_words().items()},
        ("xray_mount", "layout"): {layout.value: word for layout, word in xrays.layout_words().items()},
        ("xray", "laterality"): {side.value: word for side, word in xrays.laterality_words().items()},
        ("time_off", "kind"): {kind.value: str(word) for kind, word in hours.KIND_WORDS.items()},
        ("user", "theme"): {Theme.AUTO: _("as the device"), Theme.LIGHT: _("light"), Theme.DARK: _("dark")},
        ("user", "role"): {role.value: str(words) for role, words in ROLE_NAMES.items()},
    }
