"""Patients: who they are, how to reach them, and the medical text about them."""

from datetime import date
from enum import StrEnum

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cpms.core.columns import SoftDeletable, Timestamped, Versioned, choice
from cpms.core.db import Model
from cpms.core.text import full_name


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class PatientStatus(StrEnum):
    ACTIVE = "active"
    ARCHIVED = "archived"


class Patient(Timestamped, SoftDeletable, Versioned, Model):
    __tablename__ = "patient"
    __table_args__ = (Index("ix_patient_name_key", "name_key", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    chart_no: Mapped[int] = mapped_column(unique=True)  # given once, never used again
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    date_of_birth: Mapped[date]  # a date, never an instant: no zone can move it
    sex: Mapped[Sex] = mapped_column(choice(Sex), default=Sex.UNKNOWN)
    home_phone: Mapped[str] = mapped_column(String(40), default="")
    mobile_phone: Mapped[str] = mapped_column(String(40), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    address: Mapped[str] = mapped_column(Text, default="")
    notes: Mapped[str] = mapped_column(Text, default="")
    alert_text: Mapped[str] = mapped_column(String(300), default="")  # red, on every page about this patient
    status: Mapped[PatientStatus] = mapped_column(choice(PatientStatus), default=PatientStatus.ACTIVE)

    current_treatment: Mapped[str] = mapped_column(Text, default="", info={"medical": True})
    medical_history: Mapped[str] = mapped_column(Text, default="", info={"medical": True})
    surgery_history: Mapped[str] = mapped_column(Text, default="", info={"medical": True})
    any_medical_problems: Mapped[str] = mapped_column(Text, default="", info={"medical": True})
    women_specific_info: Mapped[str] = mapped_column(Text, default="", info={"medical": True})

    # Search keys, kept by `services`: folded names, phone digits, chart number and date of birth; and "last first".
    search_text: Mapped[str] = mapped_column(Text, default="", info={"derived": True})
    name_key: Mapped[str] = mapped_column(String(220), default="", info={"derived": True})

    @property
    def name(self) -> str:
        """As it is said: first name first."""
        return full_name(self.first_name, self.last_name)

    @property
    def phone(self) -> str:
        return self.mobile_phone or self.home_phone

    @property
    def archived(self) -> bool:
        return self.status is PatientStatus.ARCHIVED
