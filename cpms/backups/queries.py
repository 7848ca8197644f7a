"""Reading what backups there are."""

from datetime import datetime
from pathlib import Path

from flask import current_app
from sqlalchemy import func, select

from cpms.backups.models import Backup, BackupResult
from cpms.core.db import db
from cpms.core.errors import NotFound


def instance() -> Path:
    return Path(current_app.config["CPMS_INSTANCE"])


def folder() -> Path:
    """Where the archives lie."""
    return instance() / "backups"


def store() -> Path:
    """Where the pictures of all backups lie, each once."""
    return folder() / "media"


def reserve() -> Path:
    """Room that is set aside for the day when the disk is full."""
    return instance() / "reserve"


def media() -> Path:
    """Where the clinic's own pictures lie."""
    return instance() / "media"


def key_file() -> Path:
    """The clinic's key in clear text: it lies beside the database, which is not encrypted either."""
    return instance() / "backup.key"


def locked_key_file() -> Path:
    """The same key, locked by the passphrase; a copy goes into each backup."""
    return instance() / "backup.key.age"


def backup(backup_id: str) -> Backup:
    """Raises NotFound."""
    row = db.session.get(Backup, backup_id)
    if row is None:
        raise NotFound
    return row


def backups(*, page: int = 1, size: int = 50) -> list[Backup]:
    """Newest first."""
    newest = select(Backup).order_by(Backup.created_at.desc(), Backup.id)
    return list(db.session.scalars(newest.limit(size).offset((page - 1) * size)))


def how_many() -> int:
    return db.session.scalar(select(func.count()).select_from(Backup)) or 0


def present() -> list[Backup]:
    """Those whose file should be there, newest first."""
    there = select(Backup).where(Backup.removed_at.is_(None)).order_by(Backup.created_at.desc())
    return list(db.session.scalars(there))


def known_files() -> set[str]:
    return set(db.session.scalars(select(Backup.file_name)))


def last_good() -> Backup | None:
    good = Backup.result == BackupResult.GOOD, Backup.removed_at.is_(None)
    return db.session.scalars(select(Backup).where(*good).order_by(Backup.created_at.desc()).limit(1)).first()


def last_good_at() -> datetime | None:
    good = Backup.result == BackupResult.GOOD, Backup.removed_at.is_(None)
    return db.session.scalar(select(func.max(Backup.created_at)).where(*good))
