"""Signing in, users, and one's own profile."""

import re
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, ColorField, HiddenField, validators
from wtforms.fields.choices import SelectChoice

from cpms.auth import rules
from cpms.auth.models import Theme, User
from cpms.core.permissions import Role
from cpms.core.text import fold_name
from cpms.web.forms import Choice, Form, Line, Secret, Version, at_most, color, required
from cpms.web.language import LANGUAGES

ROLE_NAMES = {
    Role.OWNER: _l("Owner"),
    Role.DENTIST: _l("Dentist"),
    Role.HYGIENIST: _l("Hygienist"),
    Role.ASSISTANT: _l("Assistant"),
    Role.RECEPTIONIST: _l("Receptionist"),
}

AS_NAME = {"autocapitalize": "none", "autocorrect": "off", "spellcheck": "false"}


class SignInForm(Form):
    """Its ids are its own: in the lock sheet it stands on a page that may have such fields too."""

    username = Line(
        _l("User name"),
        [required(_l("Please give your user name."))],
        id="sign-in-username",
        render_kw={"autocomplete": "username", **AS_NAME},
    )
    password = Secret(
        _l("Password"),
        [required(_l("Please give your password."))],
        id="sign-in-password",
        render_kw={"autocomplete": "current-password"},
    )
    next = HiddenField(id="sign-in-next")


class BackForm(Form):
    """An action that leads back to where the person was."""

    next = HiddenField()


class ThemeForm(BackForm):
    theme = Choice(choices=[SelectChoice(each.value, each.value) for each in Theme])


class LanguageForm(BackForm):
    language = Choice(choices=[SelectChoice("", ""), *(SelectChoice(each, each) for each in LANGUAGES)])


def user_name_rules() -> list[Any]:
    return [
        required(_l("Please give a user name.")),
        at_most(60),
        validators.Regexp(
            r"^[^\W_][\w.-]+\Z",
            message=_l("At least two letters or digits, with dots, dashes or underscores between them."),
        ),
        key_at_most(60),
    ]


def key_at_most(length: int) -> Any:
    """Some letters become several when upper and lower case are made one."""

    def check(_form: Form, field: Any) -> None:
        if len(fold_name(field.data)) > length:
            raise validators.ValidationError(_("At most %(max)d characters, please.", max=length))

    return check


def email_rules() -> list[Any]:
    return [
        required(_l("Please give an e-mail address.")),
        at_most(254),
        validators.Regexp(
            re.compile(r"^[^\s@<>()\[\],;:\"]+@[^\s@<>()\[\],;:\"]+\.[^\s@<>()\[\],;:\".]+\Z"),
            message=_l("Please give a whole e-mail address, like name@example.org."),
        ),
        key_at_most(254),
    ]


class PersonFields(Form):
    display_name = Line(
        _l("Name"), [required(_l("Please give the name.")), at_most(100)], render_kw={"autocomplete": "name"}
    )
    email = Line(_l("E-mail"), email_rules(), render_kw={"type": "email", "autocomplete": "email", **AS_NAME})


class NewUserForm(PersonFields):
    username = Line(_l("User name"), user_name_rules(), render_kw={"autocomplete": "off", **AS_NAME})
    role = Choice(
        _l("Role"),
        [required(_l("Please choose a role."))],
        choices=[
            SelectChoice("", _l("Choose…")),
            *(SelectChoice(role.value, name) for role, name in ROLE_NAMES.items()),
        ],
    )
    color = ColorField(_l("Colour"), [required(_l("Please choose a colour.")), color()], default="#0f766e")
    is_provider = BooleanField(_l("Takes visits of their own"))

    def columns(self) -> dict[str, Any]:
        return {
            "display_name": self.display_name.data,
            "username": self.username.data,
            "email": self.email.data,
            "role": Role(self.role.data),
            "color": self.color.data,
            "is_provider": self.is_provider.data,
        }


class UserForm(NewUserForm):
    version = Version()


class ProfileForm(PersonFields):
    version = Version()


class PasswordForm(Form):
    old = Secret(
        _l("Password until now"),
        [required(_l("Please give the password that you have now."))],
        render_kw={"autocomplete": "current-password"},
    )
    password = Secret(
        _l("New password"),
        [required(_l("Please give a new password."))],
        render_kw={"autocomplete": "new-password", "minlength": rules.SHORTEST},
    )
    again = Secret(
        _l("New password again"),
        [required(_l("Please give the new password a second time."))],
        render_kw={"autocomplete": "new-password"},
    )

    def validate_again(self, field: Any) -> None:
        check_same(self.password, field)


def check_same(password: Any, again: Any) -> None:
    if password.data and again.data != password.data:
        raise validators.ValidationError(_("This is not the same as above."))


class NothingForm(Form):
    """A button: it carries no fields but the token."""


def stored_beside(form: Form, user: User) -> dict[str, str]:
    """What is stored now, by field, where it is not what the form says."""
    stored = {
        "display_name": user.display_name,
        "username": user.username,
        "email": user.email,
        "color": user.color,
        "role": user.role.value,
        "is_provider": user.is_provider,
    }
    words = stored | {
        "role": str(ROLE_NAMES[user.role]),
        "is_provider": _("yes") if user.is_provider else _("no"),
    }
    return {
        name: str(words[name])
        for name, value in stored.items()
        if name in form._fields and form._fields[name].data != value
    }
