"""Reading what backups there are."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select

from cpms.audit.models import AuditChange, AuditEntry
from cpms.backups.models import Backup, BackupResult
from cpms.core import media as pictures
from cpms.core import pages
from cpms.core.db import db
from cpms.core.errors import NotFound
from cpms.core.pages import PER_PAGE, Listing


def instance() -> Path:
    return pictures.instance()


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
    return pictures.root()


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


def backups(*, page: int = 1) -> Listing[Backup]:
    """Newest first."""
    total = db.session.scalar(select(func.count()).select_from(Backup)) or 0
    page = pages.nearest(page, total)
    newest = select(Backup).order_by(Backup.created_at.desc(), Backup.id)
    return Listing(db.session.scalars(newest.limit(PER_PAGE).offset(pages.skipped(page))).all(), page, total)


def present() -> list[Backup]:
    """Those whose file should be there, newest first."""
    there = select(Backup).where(Backup.removed_at.is_(None)).order_by(Backup.created_at.desc())
    return list(db.session.scalars(there))


def known_files() -> set[str]:
    return set(db.session.scalars(select(Backup.file_name)))


def is_known(backup_id: str) -> bool:
    return db.session.get(Backup, backup_id) is not None


def last_good() -> Backup | None:
    good = Backup.result == BackupResult.GOOD, Backup.removed_at.is_(None)
    return db.session.scalars(select(Backup).where(*good).order_by(Backup.created_at.desc()).limit(1)).first()


def last_good_at() -> datetime | None:
    good = Backup.result == BackupResult.GOOD, Backup.removed_at.is_(None)
    return db.session.scalar(select(func.max(Backup.created_at)).where(*good))


def last_copied_at(target: str) -> datetime | None:
    """When a backup was last copied to that second place."""
    return db.session.scalar(select(func.max(Backup.copied_at)).where(Backup.target == target))


def rows_now(table: str) -> int:
    return db.session.scalar(select(func.count()).select_from(db.metadata.tables[table])) or 0


def changes_since(entry_id: int) -> int:
    """How often somebody changed something after that entry of the trail."""
    entries = select(AuditEntry.id).where(AuditEntry.id > entry_id, AuditEntry.actor_id.is_not(None))
    changed = select(func.count(AuditChange.entry_id.distinct())).where(AuditChange.entry_id.in_(entries))
    return db.session.scalar(changed) or 0


def clinic_id() -> str:
    """The seal of the first entry in the trail: no other clinic has it."""
    return db.session.scalar(select(AuditEntry.mac).order_by(AuditEntry.id).limit(1)) or ""
