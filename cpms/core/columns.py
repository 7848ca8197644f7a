"""Column types that refuse what they cannot keep, and the mixins that tables are made of."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, Dialect, Enum, ForeignKey, Integer
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from sqlalchemy.types import TypeDecorator

from cpms.core import clock
from cpms.core.errors import Stale


class Instant(TypeDecorator[datetime]):
    """Something that happened: aware in Python, UTC in the database. Refuses a naive value."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None else None


class WallClock(TypeDecorator[datetime]):
    """A time on the calendar: naive, the clinic's clock, whole minutes. Refuses an aware value."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and (value.tzinfo is not None or value.second or value.microsecond):
            raise ValueError("a calendar time is naive and has whole minutes")
        return value


def choice(values: type[StrEnum]) -> Enum:
    """A closed set, stored as its word and checked by the database too."""
    return Enum(
        values,
        native_enum=False,
        create_constraint=True,
        length=max(len(v) for v in values) + 8,  # room for a longer word later without rebuilding the table
        values_callable=lambda kind: [v.value for v in kind],
        name=values.__name__.lower(),
    )


class Timestamped:
    """When a row was first and last written."""

    created_at: Mapped[datetime] = mapped_column(Instant, default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(Instant, default=clock.now, onupdate=clock.now)


class SoftDeletable:
    """Deleting is a date, not a disappearance."""

    deleted_at: Mapped[datetime | None] = mapped_column(Instant)

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None


class Versioned:
    """A number that grows with every change, so that the second of two editors is told."""

    row_version: Mapped[int] = mapped_column(Integer, default=1)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.row_version}

    def expect_version(self, seen: int) -> None:
        """Raise Stale when the row is newer than the one that somebody was looking at."""
        if self.row_version != seen:
            raise Stale


class BelongsToPatient:
    """The record of one patient."""

    @declared_attr
    def patient_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("patient.id"), index=True)
