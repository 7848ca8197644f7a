"""Backups: the clinic's data as one file that was proven to restore."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from cpms.core.columns import Instant, Timestamped, choice
from cpms.core.db import Model


class BackupKind(StrEnum):
    NIGHTLY = "nightly"
    MANUAL = "manual"
    BEFORE_RESTORE = "before_restore"
    BEFORE_UPGRADE = "before_upgrade"


class BackupResult(StrEnum):
    GOOD = "good"  # written, opened elsewhere, every sum compared
    FAILED = "failed"


class Backup(Timestamped, Model):
    """One backup, told after it was verified. The file's own manifest is the truth; this row is its history."""

    __tablename__ = "backup"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=lambda: str(uuid.uuid4()))
    file_name: Mapped[str] = mapped_column(String(120), unique=True)
    size: Mapped[int] = mapped_column(BigInteger, default=0)  # bytes of the file
    kind: Mapped[BackupKind] = mapped_column(choice(BackupKind))
    sha256: Mapped[str] = mapped_column(String(64), default="")
    verified_at: Mapped[datetime | None] = mapped_column(Instant)
    result: Mapped[BackupResult] = mapped_column(choice(BackupResult))
    error: Mapped[str] = mapped_column(String(400), default="")
    counts: Mapped[Any] = mapped_column(JSON, default=dict)  # {table: rows}
    encrypted: Mapped[bool] = mapped_column(default=False)
    target: Mapped[str] = mapped_column(String(300), default="")  # the second place it was copied to
    copied_at: Mapped[datetime | None] = mapped_column(Instant)
    target_error: Mapped[str] = mapped_column(String(400), default="")
    removed_at: Mapped[datetime | None] = mapped_column(Instant)  # when its file was let go to make room for newer ones

    @property
    def is_good(self) -> bool:
        return self.result is BackupResult.GOOD and self.removed_at is None
