"""Reading the clinic's settings."""

import hashlib
import json

from flask import g
from sqlalchemy import select

from cpms.core.db import db
from cpms.settings.models import Setting
from cpms.settings.schema import ClinicSettings, load

# Every request asks this: the statement is put together once, and from columns, which cost less than an entity's.
_STORED = select(Setting.__table__.c.key, Setting.__table__.c.value)


def current() -> ClinicSettings:
    """The settings, read once per request."""
    if "clinic_settings" not in g:
        g.clinic_settings = load(stored())
    settings: ClinicSettings = g.clinic_settings
    return settings


def forget() -> None:
    """What was read for this request may have changed."""
    g.pop("clinic_settings", None)


def stored() -> dict[str, object]:
    """What the database holds, by key."""
    return {row.key: row.value for row in db.session.execute(_STORED)}


def fingerprint() -> str:
    """Changes when any setting does: by it a form knows that it is not too old."""
    return hashlib.sha256(json.dumps(stored(), sort_keys=True).encode()).hexdigest()[:16]


def setting(key: str) -> Setting | None:
    return db.session.get(Setting, key)
