"""Proof that whoever is at an open screen is who signed in: the own password, asked again before what matters."""

from flask_babel import gettext as _
from flask_login import current_user

from cpms.auth import queries, services
from cpms.core.db import transaction
from cpms.core.errors import Refused


def prove(password: str, *, field: str, action: str = "profile.password_failed") -> None:
    """Raises Refused or TooManyTries. Tries are counted: the screen may have been left open."""
    user = queries.user(current_user.id)
    tries = [f"own:{user.id}"]
    services.check_tries(tries)
    with transaction("auth.try", actor=None):
        services.count_try(tries)
    if not services.password_fits(user, password):
        with transaction(action, actor=current_user, about=user, reason="wrong password"):
            pass
        raise Refused(_("This is not the password that you have now."), field=field)
    with transaction("auth.known", actor=None):
        services.forget_tries(tries)
