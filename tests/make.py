"""Makes the records that a test begins with, through the same services that the screens use."""

from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from flask import Flask

from cpms.auth import queries as auth
from cpms.auth.models import User
from cpms.calendar import queries as calendar
from cpms.calendar import services as calendar_services
from cpms.calendar.models import AppointmentType, Chair, Event, Kind, Status
from cpms.core import media
from cpms.core.db import db, transaction
from cpms.patients import services as patient_services
from cpms.patients.models import Patient
from cpms.xrays import intake
from cpms.xrays import services as xray_services
from cpms.xrays.models import MountLayout, Xray, XrayMount
from tests import pictures

TUESDAY = datetime(2026, 9, 1, 10, 0)  # the clock of the suite stands on this day at 09:00


class Make:
    """Each method writes in a transaction of its own and gives back a loaded row that needs no session any more."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._count = 0

    @contextmanager
    def writing(self) -> Any:
        with self.app.app_context(), transaction("test.make", actor=None):
            yield

    def _kept(self, row: Any) -> Any:
        db.session.commit()
        db.session.refresh(row)
        db.session.expunge_all()
        return row

    def patient(self, *, archived: bool = False, **columns: Any) -> Patient:
        self._count += 1
        columns = {
            "first_name": "Selma",
            "last_name": f"Yıldız{self._count}",
            "date_of_birth": date(1985, 3, 2),
        } | columns
        with self.app.app_context():
            with transaction("test.make", actor=None):
                row = patient_services.create_patient(**columns)
                if archived:
                    patient_services.archive_patient(row)
            return self._kept(row)

    def visit(
        self,
        start: datetime = TUESDAY,
        *,
        minutes: int = 30,
        chair: str = "Chair 1",
        provider: str = "ada",
        patient: Patient | None = None,
        status: Status | None = None,
        **columns: Any,
    ) -> Event:
        """A visit, as if booked at the desk."""
        patient = patient or (None if columns.get("kind") == Kind.BLOCK else self.patient())
        places = {
            "chair_id": self.chair(chair).id,
            "provider_id": self.user(provider).id if provider else None,
            "patient_id": patient.id if patient else None,
        }
        with self.app.app_context():
            with transaction("test.make", actor=None):
                row = calendar_services.book(
                    start=start, end=start + timedelta(minutes=minutes), confirmed=True, **places, **columns
                )
                if status is not None:
                    row.status = status
            return self._kept(row)

    def block(self, start: datetime = TUESDAY, **columns: Any) -> Event:
        return self.visit(start, **({"kind": Kind.BLOCK, "title": "Lunch", "provider": ""} | columns))

    def xray(
        self,
        patient: Patient | None = None,
        content: bytes | None = None,
        *,
        name: str = "picture.png",
        by: str = "ada",
        **given: Any,
    ) -> Xray:
        """A picture in a chart, looked at and kept as if somebody had brought it in. Each has its own bytes."""
        self._count += 1
        patient_id, user = (patient or self.patient()).id, self.user(by)
        with self.app.app_context():
            waiting = media.incoming() / f"made-{self._count}.part"
            waiting.write_bytes(content or pictures.png(shade=self._count % 256))
            read = intake.read(waiting, name)
            with intake.keeping(read), transaction("test.make", actor=None):
                row = xray_services.attach(db.session.get(Patient, patient_id), read, by=user, **given)
            return self._kept(row)

    def mount(self, patient: Patient) -> XrayMount:
        """Four bitewings of the patient's pictures, as far as they fit by their teeth."""
        patient_id = patient.id
        with self.app.app_context():
            with transaction("test.make", actor=None):
                row = xray_services.create_mount(db.session.get(Patient, patient_id), MountLayout.BITEWINGS_4)
            return self._kept(row)

    def chair(self, name: str) -> Chair:
        with self.app.app_context():
            found = {each.name: each for each in calendar.chairs()}[name]
            db.session.expunge_all()
            return found

    def type(self, name: str) -> AppointmentType:
        with self.app.app_context():
            found = {each.name: each for each in calendar.types()}[name]
            db.session.expunge_all()
            return found

    def user(self, username: str) -> User:
        with self.app.app_context():
            found = auth.user_named(username)
            assert found is not None, username
            db.session.expunge_all()
            return found
