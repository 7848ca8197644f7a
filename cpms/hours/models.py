"""When somebody works: each provider's week, and the days on which the clinic or somebody is not there."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cpms.auth.models import User
from cpms.core.columns import SoftDeletable, Timestamped, Versioned, WallClock, choice
from cpms.core.db import Model


class OffKind(StrEnum):
    """Of the clinic: closed, or open though it is a public holiday. Of a provider: why they are away."""

    CLOSED = "closed"
    OPEN = "open"
    HOLIDAY = "holiday"
    SICK = "sick"
    TRAINING = "training"
    OTHER = "other"


OF_THE_CLINIC = frozenset({OffKind.CLOSED, OffKind.OPEN})


class WorkWeek(Timestamped, Versioned, Model):
    """The hours and breaks of one provider; who has no row works whenever the clinic is open."""

    __tablename__ = "work_week"

    id: Mapped[int] = mapped_column(primary_key=True)
    days: Mapped[list[Any]] = mapped_column(JSON)  # seven, Monday first: see `rules.load_week`
    provider_id: Mapped[int] = mapped_column(ForeignKey("user.id"), unique=True)

    provider: Mapped[User] = relationship(lazy="joined")


class TimeOff(Timestamped, SoftDeletable, Versioned, Model):
    """[start, end) on which the clinic or a provider is not there; `open` takes a public holiday back."""

    __tablename__ = "time_off"
    __table_args__ = (
        CheckConstraint('"end" > start', name="ends_after_start"),
        CheckConstraint("(provider_id IS NULL) = (kind IN ('closed', 'open'))", name="clinic_or_provider"),
        Index("ix_time_off_end", "end"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[OffKind] = mapped_column(choice(OffKind))
    name: Mapped[str] = mapped_column(String(100), default="")
    start: Mapped[datetime] = mapped_column(WallClock)
    end: Mapped[datetime] = mapped_column(WallClock)
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))

    provider: Mapped[User | None] = relationship(lazy="joined")
