"""The calendar: chairs, kinds of appointment, and the events that hold a chair for a time."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cpms.auth.models import User
from cpms.core.columns import Instant, SoftDeletable, Timestamped, Versioned, WallClock, choice
from cpms.core.db import Model
from cpms.patients.models import Patient


class Kind(StrEnum):
    VISIT = "visit"  # a patient comes
    BLOCK = "block"  # lunch, a meeting, a broken chair


class Status(StrEnum):
    """The life of a visit. A move in time is not a status: the trail tells it."""

    SCHEDULED = "scheduled"
    CONFIRMED = "confirmed"
    ARRIVED = "arrived"
    IN_CHAIR = "in_chair"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


class Chair(Timestamped, Versioned, Model):
    __tablename__ = "chair"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)


class AppointmentType(Timestamped, Versioned, Model):
    __tablename__ = "appointment_type"
    __table_args__ = (CheckConstraint("minutes BETWEEN 5 AND 480", name="minutes"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    minutes: Mapped[int] = mapped_column(default=30)
    color: Mapped[str] = mapped_column(String(7), default="#0f766e")
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)


class Unit(StrEnum):
    WEEK = "week"
    MONTH = "month"


class Monthly(StrEnum):
    """Which day of a month a series takes."""

    DAY = "day"  # the 31st; where a month is shorter, its last
    NTH = "nth"  # the second Tuesday
    LAST = "last"  # the last Tuesday


class EventSeries(Timestamped, Versioned, Model):
    """The rule by which entries were booked together. Each of them is an entry like any other."""

    __tablename__ = "event_series"
    __table_args__ = (CheckConstraint("every BETWEEN 1 AND 52", name="every"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    unit: Mapped[Unit] = mapped_column(choice(Unit))
    every: Mapped[int] = mapped_column(default=1)
    weekdays: Mapped[str] = mapped_column(String(13), default="")  # "0,3" is Monday and Thursday
    monthly: Mapped[Monthly] = mapped_column(choice(Monthly), default=Monthly.DAY)
    anchor: Mapped[date] = mapped_column(Date)  # the day that the rule counts from
    until: Mapped[date | None] = mapped_column(Date)
    count: Mapped[int | None] = mapped_column()
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))


class Event(Timestamped, SoftDeletable, Versioned, Model):
    """An entry of the calendar: a patient's visit, or a block. It holds its chair and its provider for [start, end)."""

    __tablename__ = "event"
    __table_args__ = (
        CheckConstraint('"end" > start', name="ends_after_start"),
        CheckConstraint("kind <> 'visit' OR provider_id IS NOT NULL", name="visit_has_provider"),
        CheckConstraint("kind <> 'visit' OR patient_id IS NOT NULL OR title <> ''", name="visit_has_subject"),
        Index("ix_event_chair", "chair_id", "start", "end"),
        Index("ix_event_provider", "provider_id", "start", "end"),
        Index("ix_event_patient", "patient_id", "start"),
        Index("ix_event_start", "start"),
        Index("ix_event_status", "status", "start"),
        Index("ix_event_series", "series_id", "start"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200), default="")
    start: Mapped[datetime] = mapped_column(WallClock)
    end: Mapped[datetime] = mapped_column(WallClock)
    color: Mapped[str] = mapped_column(String(7), default="#0f766e")
    kind: Mapped[Kind] = mapped_column(choice(Kind), default=Kind.VISIT)
    status: Mapped[Status] = mapped_column(choice(Status), default=Status.SCHEDULED)
    status_changed_at: Mapped[datetime | None] = mapped_column(Instant)
    notes: Mapped[str] = mapped_column(Text, default="")
    overbook_reason: Mapped[str | None] = mapped_column(String(200))  # why it may lie over another one
    cancel_reason: Mapped[str | None] = mapped_column(String(200))
    no_new_date_reason: Mapped[str | None] = mapped_column(String(200))  # why nobody looks for another date
    booking_key: Mapped[str | None] = mapped_column(
        String(40), unique=True
    )  # one form books once, however often it is sent

    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    chair_id: Mapped[int] = mapped_column(ForeignKey("chair.id"))
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    type_id: Mapped[int | None] = mapped_column(ForeignKey("appointment_type.id"))
    series_id: Mapped[int | None] = mapped_column(ForeignKey("event_series.id"))
    series_slot: Mapped[str | None] = mapped_column(String(60))  # where the series put it: see series/rules.py

    patient: Mapped[Patient | None] = relationship(lazy="joined")
    chair: Mapped[Chair] = relationship(lazy="joined")
    provider: Mapped[User | None] = relationship(lazy="joined")
    type: Mapped[AppointmentType | None] = relationship(lazy="joined")

    @property
    def minutes(self) -> int:
        return int((self.end - self.start).total_seconds() // 60)


class By(StrEnum):
    """What the columns of a day stand for."""

    CHAIR = "chair"
    PROVIDER = "provider"


class CalendarChoice(Timestamped, Model):
    """What somebody wants to see of the calendar, at whichever screen; who never chose anything has no row."""

    __tablename__ = "calendar_choice"
    __table_args__ = {"info": {"unaudited": "what somebody looks at: no record of the clinic changes"}}

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    providers: Mapped[list[int]] = mapped_column(JSON, default=list)  # none: all
    chairs: Mapped[list[int]] = mapped_column(JSON, default=list)
    types: Mapped[list[int]] = mapped_column(JSON, default=list)
    cancelled: Mapped[bool] = mapped_column(default=False)
    by: Mapped[By] = mapped_column(choice(By), default=By.CHAIR)


class Held(StrEnum):
    """How a visit came to the clipboard."""

    CUT = "cut"  # to be moved
    COPY = "copy"  # to be booked once more


class Clipboard(Timestamped, Model):
    """The visit that somebody took up at one browser to put it down elsewhere; it goes with the session."""

    __tablename__ = "calendar_clipboard"
    __table_args__ = {"info": {"unaudited": "a visit in somebody's hand: what becomes of it leaves its own trace"}}

    session_id: Mapped[int] = mapped_column(ForeignKey("user_session.id", ondelete="CASCADE"), primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    held: Mapped[Held] = mapped_column(choice(Held))


class CalendarRevision(Timestamped, Model):
    """One number that grows with every change that a calendar could show; open calendars ask whether it has moved."""

    __tablename__ = "calendar_revision"
    __table_args__ = (
        CheckConstraint("id = 1", name="only_one"),
        {"info": {"unaudited": "a counter of audited changes"}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(default=0)
