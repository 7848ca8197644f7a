"""X-rays, photos and documents of a patient. The bytes lie in `core.media` under their SHA-256 and never change."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from flask import url_for
from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cpms.auth.models import User
from cpms.core.columns import BelongsToPatient, Instant, SoftDeletable, Timestamped, Versioned, choice
from cpms.core.db import Model
from cpms.patients.models import Patient


class XrayKind(StrEnum):
    PERIAPICAL = "periapical"
    BITEWING = "bitewing"
    PANORAMIC = "panoramic"
    CEPHALOMETRIC = "cephalometric"
    OCCLUSAL = "occlusal"
    CBCT_SLICE = "cbct_slice"
    PHOTO = "photo"
    OTHER = "other"
    DOCUMENT = "document"


class Laterality(StrEnum):
    UNKNOWN = "unknown"
    RIGHT = "right"
    LEFT = "left"
    BOTH = "both"


class Xray(Timestamped, SoftDeletable, Versioned, BelongsToPatient, Model):
    """One picture of one patient, or one document.

    `dicom` is what the file says of itself, see `rules.Read.facts`. `layers` are notes upon the picture: dicts with
    `id`, `author_id`, `at` (ISO instant) and `content`. The original is never drawn on.
    """

    __tablename__ = "xray"
    __table_args__ = (
        CheckConstraint("size > 0", name="size"),
        Index("ix_xray_date_performed", "date_performed", "id"),
        # The same bytes are in a chart once; another patient may have them too, until somebody moves them.
        Index(
            "uq_xray_patient_sha256",
            "patient_id",
            "sha256",
            unique=True,
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    date_performed: Mapped[date] = mapped_column(Date)  # the day on which the picture was taken
    findings: Mapped[str] = mapped_column(Text, default="", info={"medical": True})  # empty until somebody reports
    impression: Mapped[str] = mapped_column(Text, default="", info={"medical": True})
    kind: Mapped[XrayKind] = mapped_column(choice(XrayKind), default=XrayKind.OTHER)
    teeth: Mapped[list[str]] = mapped_column(JSON, default=list)  # FDI codes
    laterality: Mapped[Laterality] = mapped_column(choice(Laterality), default=Laterality.UNKNOWN)

    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int]  # bytes
    mime: Mapped[str] = mapped_column(String(60))
    width: Mapped[int] = mapped_column(default=0)  # 0: it cannot be shown, see `problem`
    height: Mapped[int] = mapped_column(default=0)
    bit_depth: Mapped[int] = mapped_column(default=0)
    frames: Mapped[int] = mapped_column(default=1)  # the first is shown
    original_name: Mapped[str] = mapped_column(String(255), default="")  # what the file was called; only ever shown
    dicom: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    problem: Mapped[str] = mapped_column(String(20), default="")  # a code of `rules.PROBLEMS`; empty: it can be shown
    layers: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)

    taken_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    uploaded_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    reported_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    reported_at: Mapped[datetime | None] = mapped_column(Instant)

    patient: Mapped[Patient] = relationship(lazy="joined")
    taken_by: Mapped[User | None] = relationship(foreign_keys=[taken_by_id], lazy="select")
    uploaded_by: Mapped[User | None] = relationship(foreign_keys=[uploaded_by_id], lazy="select")
    reported_by: Mapped[User | None] = relationship(foreign_keys=[reported_by_id], lazy="select")

    @property
    def image_url(self) -> str:
        """The address of the picture for the screen; it asks for the permission."""
        return url_for("xrays.picture", xray_id=self.id, size="screen")

    @property
    def is_reported(self) -> bool:
        return self.reported_at is not None

    @property
    def is_document(self) -> bool:
        return self.mime == "application/pdf"


class MountLayout(StrEnum):
    BITEWINGS_2 = "bitewings_2"
    BITEWINGS_4 = "bitewings_4"
    FULL_MOUTH_18 = "full_mouth_18"


class XrayMount(Timestamped, SoftDeletable, Versioned, BelongsToPatient, Model):
    """Pictures of one patient side by side, as a series is read: facing the patient, whose right is on the left.

    `cells` is {cell of the layout: {"xray": id, "turn": degrees clockwise}}; the pictures themselves are not touched.
    """

    __tablename__ = "xray_mount"

    id: Mapped[int] = mapped_column(primary_key=True)
    layout: Mapped[MountLayout] = mapped_column(choice(MountLayout))
    title: Mapped[str] = mapped_column(String(100), default="")
    cells: Mapped[dict[str, dict[str, int]]] = mapped_column(JSON, default=dict)

    patient: Mapped[Patient] = relationship(lazy="joined")
