"""The first-run page's form."""

import os
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField

from cpms.auth import rules
from cpms.auth.forms import AS_NAME, check_same, email_rules, user_name_rules
from cpms.settings.forms import ClinicFields, time_zones
from cpms.settings.schema import ClinicSettings
from cpms.web.forms import Line, Secret, at_most, required
from cpms.web.language import first_spoken


class FirstRunForm(ClinicFields):
    display_name = Line(
        _l("Your name"), [required(_l("Please give your name.")), at_most(100)], render_kw={"autocomplete": "name"}
    )
    username = Line(_l("User name"), user_name_rules(), render_kw={"autocomplete": "username", **AS_NAME})
    email = Line(_l("E-mail"), email_rules(), render_kw={"type": "email", "autocomplete": "email", **AS_NAME})
    password = Secret(
        _l("Password"),
        [required(_l("Please give a password."))],
        render_kw={"autocomplete": "new-password", "minlength": rules.SHORTEST},
    )
    again = Secret(
        _l("Password again"),
        [required(_l("Please give the password a second time."))],
        render_kw={"autocomplete": "new-password"},
    )
    is_provider = BooleanField(_l("I treat patients myself"))
    with_demo = BooleanField(_l("Fill in a demo clinic, so that I can look around"))

    @classmethod
    def fresh(cls) -> "FirstRunForm":
        return cls(data={"language": first_spoken(), "time_zone": machine_zone()} | cls.of(ClinicSettings().opening))

    def validate_again(self, field: Any) -> None:
        check_same(self.password, field)

    def clinic(self) -> dict[str, Any]:
        names = ("clinic_name", "language", "time_zone")
        return {name: self[name].data for name in names} | {"opening": self.opening()}

    def owner(self) -> dict[str, Any]:
        return {
            "display_name": self.display_name.data,
            "username": self.username.data,
            "email": self.email.data,
            "is_provider": self.is_provider.data,
        }


def machine_zone() -> str:
    """Where this machine believes to be: a good guess, the page asks all the same."""
    guesses = [os.environ.get("TZ", ""), str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]]
    return next((guess for guess in guesses if guess in time_zones()), "UTC")
