"""A made-up clinic to look around in, and to measure with. The same numbers give the same clinic.

It is written with plain inserts inside one transaction: two hundred thousand visits one by one through the
services would take an hour. The trail has one entry for all of it, and the rules of the database hold as always.
"""

import random
import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Table, insert, select

from cpms.auth import queries as auth
from cpms.auth import services as auth_services
from cpms.auth.models import Theme, User
from cpms.calendar import queries as calendar
from cpms.calendar import rules as calendar_rules
from cpms.calendar import services as calendar_services
from cpms.calendar.models import Event, Kind, Status
from cpms.core import clock
from cpms.core.db import db
from cpms.core.permissions import Role
from cpms.core.text import fold_name
from cpms.patients import queries as patients_queries
from cpms.patients import rules as patient_rules
from cpms.patients.models import Patient, PatientStatus, Sex
from cpms.settings import services as settings
from cpms.setup import demo_films

USERS = (("olga", "owner"), ("ada", "dentist"), ("hugo", "hygienist"), ("rita", "receptionist"))
PASSPHRASE = "nine calm teeth in a row"  # noqa: S105 - printed for everybody; only a demo clinic knows it

TIME_ZONE = "Europe/Berlin"

_STAFF = (
    ("olga", "Olga Peters", Role.OWNER, False, "slate"),
    ("ada", "Dr Ada Keller", Role.DENTIST, True, "teal"),
    ("hugo", "Hugo Brandt", Role.HYGIENIST, True, "amber"),
    ("rita", "Rita Moreno", Role.RECEPTIONIST, False, "slate"),
    ("deniz", "Dr Deniz Aksoy", Role.DENTIST, True, "indigo"),
    ("milan", "Dr Milan Novak", Role.DENTIST, True, "lime"),
    ("sara", "Dr Sara Lind", Role.DENTIST, True, "brown"),
)


def _names(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_FIRST = {
    Sex.FEMALE: _names(
        """Selma Ayşe Elif Zeynep Çiğdem Işıl María Lucía Carmen Hannah Lena Greta Sofía Núria Anna Emma
        Clara Olivia Amélie Chloé Zoë Irène Małgorzata Zuzana Ines Paula Rosa Marta Nadia Leyla"""
    ),
    Sex.MALE: _names(
        """Şükrü Mehmet Emre Çağrı İbrahim Ömer José Diego Pablo Jonas Lukas Felix Tomás André Björn Søren
        Noah Liam Oscar Théo René Łukasz Marek Rui Karim Yusuf Anton Pjotr Hans Otto"""
    ),
}
_LAST = _names(
    """Yılmaz Kaya Demir Çelik Şahin Yıldız Aydın Öztürk Arslan Doğan Kılıç Aslan Çetin Koç Kurt Özdemir
    Işık García Martínez López Sánchez Pérez Gómez Fernández Ruiz Müller Schmidt Schneider Fischer Weber
    Wagner Becker Hoffmann Schäfer Köhler Krüger Smith Jones Taylor Brown Wilson Evans Walker Wright
    O'Brien Lefèvre Dubois Moreau Rousseau Nowak Kowalska Novák Svoboda Jensen Nielsen Hansen Berg
    Lindqvist Ångström Silva Santos Oliveira Costa Ferreira Papadopoulos Haddad Rossi Russo Ferrari
    Bianchi Romano Colombo Ricci Marino Greco"""
)
_LONG_NAMES = (
    ("Maximiliane-Theodora", "von Hohenstein-Wittgensteinburg-Lauterbach", Sex.FEMALE),
    ("محمد", "الحداد", Sex.MALE),
    ("Aleksandra Wiktoria", "Brzęczyszczykiewicz-Chrząszczyżewoszycka", Sex.FEMALE),
)
_ALERTS = (
    "Allergic to penicillin (rash, 2019)",
    "Takes an anticoagulant: ask for the newest INR",
    "Latex allergy",
    "Pacemaker",
    "Allergic to local anaesthetics with sulphite",
)
_HISTORY = (
    "High blood pressure, treated.",
    "Type 2 diabetes.",
    "Asthma, carries an inhaler.",
    "Nothing to report.",
)
_TREATMENT = (
    "Composite fillings upper left.",
    "Periodontal maintenance every 4 months.",
    "Crown on 36 planned.",
)
_CANCELLED = ("The patient cancelled", "The patient is ill", "The clinic cancelled")
_DAY_START, _DAY_END, _LUNCH = 8 * 60, 18 * 60, 12 * 60 + 30
_CHUNK = 5_000  # rows sent to the database at once
_A_ROOM_IN_FIVE_YEARS = 16_000  # entries


def fill(
    *,
    patients: int,
    events: int,
    seed: int,
    as_of: date,
    now: datetime | None = None,
    passphrase: str | None = PASSPHRASE,
) -> None:
    """Fill the database, inside the transaction that is open.

    `as_of` is the day that is today in this clinic, and `now` the instant at which somebody looks: who waits has come
    some minutes before it, who is treated sat down not long ago. Without it, it is half past ten. With a `passphrase`
    the demo's users can sign in with it; without one, where an owner only wants to look around, nobody can until the
    owner gives them a password.
    """
    chance = random.Random(f"{seed}/{patients}/{events}")
    written = datetime.combine(as_of, time(6), UTC)
    settings.change_settings(
        **({"clinic_name": "Demo Dental", "time_zone": TIME_ZONE} if passphrase else {}), is_demo=True
    )
    if not calendar.chairs():
        calendar_services.first_furniture()
    rooms = 2 if events < 1000 else 3 if events < 20_000 else 5
    chair_ids = _chairs(rooms)
    provider_ids = _staff(rooms, passphrase)
    db.session.flush()
    patient_ids = _patients(patients, chance, as_of, written)
    types = [(each.id, each.minutes, each.color) for each in calendar.types()]
    former = _former_rooms(events, len(chair_ids))
    hour = _Hour.at(as_of, now)
    _insert(Event, _events(events, chance, hour, written, chair_ids, provider_ids, former, types, patient_ids))


def day_of(instant: datetime) -> date:
    """The demo clinic's date, also before there is one that knows its zone."""
    return instant.astimezone(ZoneInfo(TIME_ZONE)).date()


class _Hour(NamedTuple):
    """Where the day stands: the clinic's time, and the instant of it. At night the day stands where it ended."""

    wall: datetime
    instant: datetime

    @classmethod
    def at(cls, day: date, now: datetime | None) -> "_Hour":
        if now is None:
            half_past_ten = datetime.combine(day, time(10, 30))
            return cls(half_past_ten, clock.to_instant(half_past_ten))
        opens, closes = (datetime.combine(day, time(at // 60)) for at in (_DAY_START, _DAY_END))
        first, last = opens + timedelta(minutes=45), closes - timedelta(minutes=45 if day.weekday() < 5 else 285)
        return cls(min(max(clock.to_wall(now), first), last), now)

    def ago(self, wall: datetime) -> datetime:
        """The instant of a time before this one; at least a minute ago."""
        return self.instant - max(self.wall - wall, timedelta(minutes=1))


def _insert(model: Any, rows: Iterator[dict[str, Any]]) -> None:
    table: Table = model.__table__
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _CHUNK:
            db.session.connection().execute(insert(table), chunk)
            chunk = []
    if chunk:
        db.session.connection().execute(insert(table), chunk)


def _chairs(wanted: int) -> list[int]:
    for number in range(len(calendar.chairs()) + 1, wanted + 1):
        calendar_services.add_chair(name=f"Chair {number}")
        db.session.flush()
    return [chair.id for chair in calendar.chairs()][:wanted]


def _staff(rooms: int, passphrase: str | None) -> list[int]:
    """The demo's users; those who take visits, one for each chair."""
    secret = auth_services.hash_password(passphrase or secrets.token_urlsafe(32))
    ids = []
    for username, name, role, is_provider, color in _STAFF:
        if (is_provider and len(ids) == rooms) or (role is Role.OWNER and not passphrase):
            continue
        user = auth.user_named(username)
        if user is None:
            user = User(
                username=username,
                username_key=fold_name(username),
                email=f"{username}@clinic.example",
                email_key=fold_name(f"{username}@clinic.example"),
                password_hash=secret,
                display_name=name,
                role=role,
                is_provider=is_provider,
                color=calendar_rules.SWATCHES[color],
                theme=Theme.AUTO,
            )
            db.session.add(user)
            db.session.flush()
        if is_provider:
            ids.append(user.id)
    return ids


def _patients(count: int, chance: random.Random, as_of: date, written: datetime) -> list[int]:
    """So many patients; their ids."""
    start = patients_queries.next_chart_no()
    _insert(Patient, (_patient(start + n, n, chance, as_of, written) for n in range(count)))
    return list(range(start, start + count))


def _patient(number: int, n: int, chance: random.Random, as_of: date, written: datetime) -> dict[str, Any]:
    sex = chance.choice((Sex.FEMALE, Sex.MALE))
    first, last = chance.choice(_FIRST[sex]), chance.choice(_LAST)
    if n >= 4000:  # enough people share a name; the rest have a second one, as in any big clinic
        last = f"{last}-{chance.choice(_LAST)}" if n % 3 else last
        first = f"{first} {chance.choice(_FIRST[sex])}" if n % 5 else first
    if n < len(_LONG_NAMES):
        first, last, sex = _LONG_NAMES[n]
    born = as_of - timedelta(days=chance.randrange(2 * 365, 90 * 365))
    mobile = f"0{chance.randrange(150, 180)} {chance.randrange(1_000_000, 9_999_999)}"
    home = f"030 {chance.randrange(100_000, 999_999)}" if n % 3 == 0 else ""
    asked = n % 4 != 0
    return {
        "id": number,
        "chart_no": number,
        "first_name": first,
        "last_name": last,
        "date_of_birth": born,
        "sex": sex,
        "home_phone": home,
        "mobile_phone": mobile,
        "email": f"patient{number}@mail.example" if n % 2 else "",
        "address": f"Demo street {chance.randrange(1, 200)}, Sampletown" if n % 3 else "",
        "notes": "",
        "alert_text": chance.choice(_ALERTS) if n % 9 == 0 else "",
        "status": PatientStatus.ARCHIVED if n % 50 == 49 else PatientStatus.ACTIVE,
        "current_treatment": chance.choice(_TREATMENT) if n % 3 == 1 else "",
        "medical_history": chance.choice(_HISTORY) if asked else "",
        "surgery_history": "Appendectomy as a child." if n % 11 == 0 else "",
        "any_medical_problems": "",
        "women_specific_info": "",
        "search_text": patient_rules.search_text(
            first_name=first, last_name=last, born=born, chart_no=number, phones=(mobile, home)
        ),
        "name_key": patient_rules.name_key(first, last),
        "row_version": 1,
        "created_at": written,
        "updated_at": written,
    }


def _former_rooms(events: int, rooms: int) -> list[tuple[int, int]]:
    """Chairs given up and people who left, so that a big clinic's history fits into the same five years."""
    rooms_left = []
    for number in range(1, max(0, events // _A_ROOM_IN_FIVE_YEARS - rooms) + 1):
        chair = calendar_services.add_chair(name=f"Former chair {number}")
        chair.active = False
        name = f"former{number}"
        person = User(
            username=name,
            username_key=name,
            email=f"{name}@clinic.example",
            email_key=f"{name}@clinic.example",
            password_hash="",  # no hash: nobody signs in with this name
            display_name=f"Dr Former {number}",
            role=Role.DENTIST,
            is_provider=True,
            active=False,
        )
        db.session.add(person)
        db.session.flush()
        rooms_left.append((chair.id, person.id))
    return rooms_left


def _events(
    count: int,
    chance: random.Random,
    hour: _Hour,
    written: datetime,
    chair_ids: list[int],
    provider_ids: list[int],
    former: list[tuple[int, int]],
    types: list[tuple[int, int, str]],
    patient_ids: list[int],
) -> Iterator[dict[str, Any]]:
    """Visits until there are enough: this week, the eight to come, then back into the years."""
    monday = calendar_rules.monday(hour.wall.date())
    left = count
    weeks = [0, 1, -1, 2, 3, 4, 5, 6, 7, 8, *range(-2, -2000, -1)]
    recent = [patient for patient in patient_ids if patient % 50 != 0]  # the archived ones come no more
    for week in weeks:
        share = 1.0 if week <= 0 else max(0.15, 0.8 - 0.1 * week)  # what lies ahead is not booked out yet
        rooms = list(zip(chair_ids, provider_ids, strict=False)) + (former if week < -1 else [])
        for weekday in range(6):
            day = monday + timedelta(days=7 * week + weekday)
            for chair_id, provider_id in rooms:
                close = 14 * 60 if weekday == 5 else _DAY_END
                for start, minutes, kind in _day(chance, close, dense=count >= 20_000, share=share):
                    if left <= 0:
                        return
                    left -= 1
                    yield _event(
                        count - left,
                        day,
                        start,
                        minutes,
                        kind,
                        chance,
                        hour,
                        written,
                        chair_id,
                        provider_id,
                        types,
                        recent,
                    )


def _day(chance: random.Random, close: int, *, dense: bool, share: float) -> Iterator[tuple[int, int, Kind]]:
    """The visits of one chair on one day: start, minutes, kind. Never two at one time, lunch in between."""
    at = _DAY_START if close == _DAY_END else 9 * 60
    lunch = close == _DAY_END
    while at < close - 15:
        if lunch and at >= _LUNCH:
            lunch = False
            yield at, 45, Kind.BLOCK
            at += 45
            continue
        minutes = chance.choice((30, 30, 45, 60, 15, 90) if not dense else (30, 45, 60, 45, 30, 30, 60))
        end = min(at + minutes, close, _LUNCH if lunch else close)
        if end - at >= 15 and chance.random() < share * 0.86:
            yield at, end - at, Kind.VISIT
        at = end
        if chance.random() < 0.2:
            at += 15


def _event(
    number: int,
    day: date,
    start: int,
    minutes: int,
    kind: Kind,
    chance: random.Random,
    hour: _Hour,
    written: datetime,
    chair_id: int,
    provider_id: int,
    types: list[tuple[int, int, str]],
    patient_ids: list[int],
) -> dict[str, Any]:
    starts = datetime.combine(day, time(start // 60, start % 60))
    ends = starts + timedelta(minutes=minutes)
    now, changed = hour.wall, written
    type_id, _minutes, color = chance.choice(types)
    status, reason = Status.SCHEDULED, None
    roll = chance.random()
    if kind is Kind.BLOCK:
        type_id, color = None, calendar_rules.SWATCHES["slate"]
    elif ends <= now:
        status = Status.COMPLETED if roll < 0.93 else Status.NO_SHOW if roll < 0.96 else Status.CANCELLED
    elif starts <= now:
        status, changed = Status.IN_CHAIR, hour.ago(starts + timedelta(minutes=number % 7))
    elif starts.date() == now.date() and (starts - now) <= timedelta(minutes=45):
        status = Status.ARRIVED if roll < 0.6 else Status.CONFIRMED
        changed = hour.ago(now - timedelta(minutes=2 + number % 19)) if status is Status.ARRIVED else written
    elif starts.date() <= now.date() + timedelta(days=2):
        status = Status.CONFIRMED if roll < 0.7 else Status.SCHEDULED
    elif roll > 0.98:
        status = Status.CANCELLED
    if status is Status.CANCELLED:
        reason = chance.choice(_CANCELLED)
    return {
        "title": "Lunch" if kind is Kind.BLOCK else "",
        "start": starts,
        "end": ends,
        "color": color,
        "kind": kind,
        "status": status,
        "status_changed_at": changed,
        "notes": "Please telephone the day before." if number % 23 == 0 and kind is Kind.VISIT else "",
        "cancel_reason": reason,
        "patient_id": chance.choice(patient_ids) if kind is Kind.VISIT else None,
        "chair_id": chair_id,
        "provider_id": provider_id,
        "type_id": type_id,
        "row_version": 1,
        "created_at": written,
        "updated_at": written,
    }


def films(*, seed: int, as_of: date) -> Iterator[tuple[int, str, bytes, dict[str, Any]]]:
    """Pictures for a patient of today and for one of another day: whose, the file's name, its bytes, and what
    `xrays.services.attach` is told."""
    chance = random.Random(seed)
    for patient_id in _who_has_films(as_of):
        for number, (kind, teeth, beside, width, height, ago) in enumerate(demo_films.SERIES):
            content = demo_films.png(chance, teeth=beside, width=width, height=height)
            given = {"kind": kind, "teeth": teeth.split(), "date_performed": as_of - timedelta(days=ago)}
            yield patient_id, f"sensor-{patient_id}-{number + 1}.png", content, given


def _who_has_films(as_of: date) -> list[int]:
    """The first two grown-up patients whom somebody expects on that day or after it."""
    expected = (
        select(Event.patient_id)
        .join(Patient, Patient.id == Event.patient_id)
        .where(Event.start >= datetime.combine(as_of, time()), Patient.date_of_birth < as_of - timedelta(days=18 * 366))
        .order_by(Event.start, Event.id)
    )
    return list(dict.fromkeys(db.session.scalars(expected.limit(20))))[:2]
