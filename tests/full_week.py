"""A week with as many visits as a clinic of that size can hold."""

import random
from datetime import date, datetime, time, timedelta

from cpms.auth import queries as auth
from cpms.auth.models import User
from cpms.calendar import queries, rules, services
from cpms.calendar.models import Event, Status
from cpms.core.db import db
from cpms.core.text import fold_name
from cpms.patients.models import Patient
from tests.make import Make

SPECIAL = ("Müller-Lüdenscheidt", "Li", "O'Connor", "Papadopoulou", "محمد عبد الرحمن", "Şahin", "Wu")
SYLLABLES = ("ba", "de", "gi", "ko", "lu", "mar", "nes", "ras", "ten", "vel", "zan", "ık", "öz", "şen", "çel")
MINUTES = (30, 45, 60, 45, 15, 60)  # what a chair's day is made of, again and again


def full_week(clinic: Make, monday: date, *, chairs: int = 5, days: int = 5, visits: int = 12) -> int:
    """Visits back to back on every chair of every day, each of another patient; says how many they are."""
    with clinic.writing():
        providers = _providers(chairs)
        patients = _patients(chairs * days * visits)
        types = queries.types()
        made = 0
        for day in range(days):
            for chair, provider in zip(queries.chairs(), providers, strict=True):
                start = datetime.combine(monday + timedelta(days=day), time(8, 5 * (chair.id % 3)))
                for number in range(visits):
                    end = start + timedelta(minutes=MINUTES[number % len(MINUTES)])
                    kind = types[made % len(types)]
                    visit = Event(start=start, end=end, chair_id=chair.id, provider_id=provider.id)
                    visit.patient_id, visit.type_id, visit.color = patients[made].id, kind.id, kind.color
                    visit.status = rules.WALK[made % len(rules.WALK)] if made % 3 == 0 else Status.SCHEDULED
                    db.session.add(visit)
                    start, made = end, made + 1
    return made


def _providers(number: int) -> list[User]:
    """Dr Ada and as many others as there are chairs, which are added as well."""
    ada = auth.user_named("ada")
    assert ada is not None
    providers = [ada]
    for name in (f"dr{each}" for each in range(2, number + 1)):
        email = f"{name}@example.org"
        row = User(username=name, email=email, display_name=name.title(), is_provider=True, role=ada.role)
        row.username_key, row.email_key, row.password_hash = fold_name(name), email, ada.password_hash
        providers.append(row)
    db.session.add_all(providers)
    for each in range(len(queries.chairs()), number):
        services.add_chair(name=f"Chair {each + 1}")
        db.session.flush()
    db.session.flush()
    return providers


def _patients(number: int) -> list[Patient]:
    """People with names as different as those of a town."""
    choose = random.Random(7)
    patients = []
    for each in range(number):
        last = "".join(choose.choices(SYLLABLES, k=choose.randint(2, 3))).title()
        row = Patient(chart_no=str(each), last_name=SPECIAL[each // 7 % 7] if each % 7 == 0 else last)
        row.first_name, row.date_of_birth = "".join(choose.choices(SYLLABLES, k=2)).title(), date(1980, 1, 1)
        row.alert_text = "Penicillin" if each % 9 == 0 else ""
        patients.append(row)
    db.session.add_all(patients)
    db.session.flush()
    return patients
