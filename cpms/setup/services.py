"""The first-run page's door, and what happens behind it: once."""

import hmac
import os
import secrets
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import gettext as _

from cpms.auth import queries as auth
from cpms.auth import services as auth_services
from cpms.auth.models import User
from cpms.calendar import services as calendar
from cpms.core import clock
from cpms.core.db import db
from cpms.core.errors import Conflict
from cpms.core.permissions import Role
from cpms.settings import services as settings
from cpms.settings.models import Setting
from cpms.setup import demo

DONE = "setup_done"
DEMO_PATIENTS, DEMO_EVENTS, DEMO_SEED = 400, 2400, 1


def open_door() -> str | None:
    """The secret part of the first-run page's address, made at the first call; None when the clinic is set up."""
    if not auth.nobody_yet():
        close_door()
        return None
    path = _path()
    if not path.exists():
        _make_token(path)
    return path.read_text("ascii")


def close_door() -> None:
    _path().unlink(missing_ok=True)


def opens(token: str) -> bool:
    """Whether this is the door's key. Takes as long for a key that is nearly right."""
    try:
        key = _path().read_text("ascii")
    except OSError:
        return False
    return hmac.compare_digest(key.encode(), token.encode())


def _path() -> Path:
    return Path(current_app.config["CPMS_INSTANCE"], "setup.token")


def _make_token(path: Path) -> None:
    """The file appears whole under its name, and the first of two processes wins."""
    half = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(half)
    except FileExistsError:
        return
    finally:
        half.unlink()


def finish(*, clinic: dict[str, Any], owner: dict[str, Any], password_hash: str, with_demo: bool) -> User:
    """Make the clinic and its owner. Whoever comes second finds it done; the database itself refuses a second time."""
    if not auth.nobody_yet():
        raise Conflict(_("This clinic was set up already. Please sign in."))
    db.session.add(Setting(key=DONE, value=clock.now().isoformat()))  # the primary key is the lock
    settings.change_settings(**clinic)
    user = auth_services.create_user(**owner, role=Role.OWNER, password_hash=password_hash, must_change_password=False)
    calendar.first_furniture()
    if with_demo:
        size = {"patients": DEMO_PATIENTS, "events": DEMO_EVENTS, "seed": DEMO_SEED}
        demo.fill(**size, as_of=clock.today(), now=clock.now(), passphrase=None)
    return user
