"""Changing the clinic's settings."""

from dataclasses import fields
from typing import Any

from cpms.core.db import db
from cpms.core.errors import Stale
from cpms.settings import queries
from cpms.settings.models import Setting
from cpms.settings.schema import ClinicSettings, dump

# The key of the backups and the mark of a demonstration belong to more than their row.
REVERSIBLE = frozenset(field.name for field in fields(ClinicSettings)) - {"backup_key", "is_demo"}


def change_clinic(*, seen: str, **changes: Any) -> None:
    """Store what the clinic's form says, unless somebody else stored another wish since the form was made."""
    if seen != queries.fingerprint():
        queries.forget()
        raise Stale
    change_settings(**changes)


def change_settings(**changes: Any) -> None:
    """Store the named settings. An unknown name is a mistake of ours: TypeError."""
    known = {field.name for field in fields(ClinicSettings)}
    if unknown := set(changes) - known:
        raise TypeError(f"no such setting: {', '.join(sorted(unknown))}")
    for key, value in changes.items():
        row = queries.setting(key)
        if row is None:
            db.session.add(Setting(key=key, value=dump(value)))
        elif row.value != dump(value):
            row.value = dump(value)
    queries.forget()


def put_back(key: str, stored: Any) -> None:
    """An earlier value of the trail, as it was stored; None, from before anybody chose one, is the default."""
    value = dump(getattr(ClinicSettings(), key)) if stored is None else stored
    row = queries.setting(key)
    if row is None:
        db.session.add(Setting(key=key, value=value))
    else:
        row.value = value
    queries.forget()
