"""The history of backups, and the key that they are encrypted with."""

import os
from datetime import datetime
from pathlib import Path

from flask_babel import gettext as _

from cpms.backups import queries
from cpms.backups.archive import Key, Opened
from cpms.backups.models import Backup, BackupKind, BackupResult
from cpms.core import clock
from cpms.core.db import db
from cpms.core.errors import Refused
from cpms.core.files import put_in_place
from cpms.settings import services as settings


def record_good(path: Path, content: Opened) -> Backup:
    """A verified archive enters the history."""
    row = Backup(
        id=content.manifest.id,
        file_name=path.name,
        size=path.stat().st_size,
        kind=BackupKind(content.manifest.kind),
        sha256=content.sha256,
        verified_at=clock.now(),
        result=BackupResult.GOOD,
        counts=content.manifest.counts,
        encrypted=content.header.encrypted,
        error=_missing(content),
        created_at=content.manifest.when,
    )
    db.session.add(row)
    return row


def _missing(content: Opened) -> str:
    """Pictures that the clinic had lost before the backup was made: said, but no reason to have no backup."""
    names = content.manifest.missing
    if not names:
        return ""
    return _("Incomplete: %(n)d pictures were missing or damaged, the first is %(name)s.", n=len(names), name=names[0])


def record_failed(backup_id: str, file_name: str, kind: BackupKind, *, why: str) -> Backup:
    row = Backup(id=backup_id, file_name=file_name, kind=kind, result=BackupResult.FAILED, error=why[:400])
    db.session.add(row)
    return row


def record_verified(row: Backup, *, problem: str | None) -> None:
    """It was looked at again."""
    row.verified_at = clock.now()
    row.result = BackupResult.FAILED if problem else BackupResult.GOOD
    row.error = (problem or "")[:400]


def record_copied(row: Backup, target: str, *, at: datetime | None, problem: str = "") -> None:
    """How the copy to the second place went."""
    row.target, row.copied_at, row.target_error = target[:300], at, problem[:400]


def record_removed(row: Backup) -> None:
    row.removed_at = clock.now()


def set_key(key: Key, passphrase: str) -> None:
    """From now on backups are encrypted. The key's clear text stays on this machine, beside the clear database."""
    keep_key(key, key.locked(passphrase))
    settings.change_settings(backup_key=key.public)


def keep_key(key: Key, locked: bytes) -> None:
    """Put the key where this machine looks for it."""
    _write_secret(queries.locked_key_file(), locked)
    _write_secret(queries.key_file(), key.text.encode())


def forget_key() -> None:
    """From now on backups are not encrypted. The key stays: older backups need it."""
    settings.change_settings(backup_key="")


def key() -> Key | None:
    """The clinic's key, when this machine has one."""
    try:
        return Key(queries.key_file().read_text())
    except FileNotFoundError:
        return None


def key_to_encrypt_with(public: str) -> tuple[Key, bytes] | None:
    """The key and its locked form; None when backups are not encrypted. Raises Refused when the key's file is gone:
    a backup that should be encrypted is never written in clear text."""
    if not public:
        return None
    ours = key()
    if ours is None or ours.public != public or not queries.locked_key_file().exists():
        raise Refused(
            _("The key of the backups is missing on this machine. Set the passphrase again to make a new one.")
        )
    return ours, queries.locked_key_file().read_bytes()


def _write_secret(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        put_in_place(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
