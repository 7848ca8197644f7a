"""Forms: text becomes types, or a clear sentence stands beside the field."""

import re
from collections.abc import Sequence
from datetime import date, time
from typing import Any

import wtforms
from flask import abort, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import CombinedMultiDict
from wtforms import validators

from cpms.core import text

_OUR_OWN = {"csrf_token"}


class Form(wtforms.Form):
    """The form of one action. Cleans what was typed, and refuses a field that it does not know."""

    with_files = False  # whether fields of it are files; many at once are the view's own matter

    def __init__(self, formdata: Any = None, **kwargs: Any) -> None:
        super().__init__(formdata, **kwargs)
        if formdata:
            unknown = set(formdata) - set(self._fields) - _OUR_OWN
            if any(not name.startswith(tuple(f"{prefix}-" for prefix in self._fields)) for name in unknown):
                abort(400)

    @classmethod
    def posted(cls, **kwargs: Any) -> "Form":
        """The form with what the request carries."""
        carried = CombinedMultiDict([request.files, request.form]) if cls.with_files else request.form
        return cls(carried, **kwargs)

    def refuse(self, field: str | None, sentence: str) -> None:
        """Put a service's sentence beside a field, or above the form when the field is not here."""
        if field in self._fields:
            self._fields[field].errors = [*self._fields[field].errors, sentence]
        else:
            self.form_errors = [*self.form_errors, sentence]


class Line(wtforms.StringField):
    """One line of text."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        self.data = text.clean_line(valuelist[0]) if valuelist else ""


class Paragraphs(wtforms.TextAreaField):
    """Text of several lines."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        self.data = text.clean(valuelist[0]) if valuelist else ""


class Secret(wtforms.PasswordField):
    """A password: never cleaned but for composed letters, never sent back."""


class Day(wtforms.DateField):
    """A date without a time."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        self.data: date | None = None
        typed = valuelist[0].strip() if valuelist else ""
        if typed:
            try:
                self.data = date.fromisoformat(typed)
            except ValueError:
                raise ValueError(_("Please give a date that exists, as year-month-day.")) from None


class ClockTime(wtforms.TimeField):
    """A time of day, hours and minutes."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        self.data: time | None = None
        typed = valuelist[0].strip() if valuelist else ""
        if typed:
            try:
                self.data = time.fromisoformat(typed).replace(second=0, microsecond=0)
                if self.data.tzinfo is not None:
                    raise ValueError
            except ValueError:
                self.data = None
                raise ValueError(_("Please give a time as hours and minutes, like 09:30.")) from None


class Number(wtforms.IntegerField):
    """A whole number; empty is None."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        self.data: int | None = None
        typed = valuelist[0].strip() if valuelist else ""
        if typed:
            if not re.fullmatch(r"[+-]?\d{1,9}", typed):  # more digits than that no desk means
                raise ValueError(_("Please give a whole number."))
            self.data = int(typed)


class Version(Number):
    """The version of the row that the form was made from."""

    widget = wtforms.widgets.HiddenInput()

    def renew(self, version: int) -> None:
        """From here on the form is about this version; what was sent does not come back."""
        self.data, self.raw_data = version, None


class Required(validators.InputRequired):
    """Something has to stand here, and blanks are not something."""

    def __call__(self, form: Any, field: Any) -> None:
        if field.data is None or field.data == "" or (isinstance(field.data, str) and not field.data.strip()):
            if not field.errors:  # a value that could not be read has its own sentence already
                field.errors = [self.message or _("Please fill this in.")]
            raise validators.StopValidation


def required(sentence: Any = None) -> Required:
    return Required(sentence or _l("Please fill this in."))


def at_most(length: int) -> validators.Length:
    return validators.Length(max=length, message=_l("At most %(max)d characters, please."))


def color() -> validators.Regexp:
    return validators.Regexp(r"^#[0-9a-fA-F]{6}\Z", message=_l("Please choose a colour."))


class Choice(wtforms.SelectField):
    """One of a closed list of `SelectChoice`s."""

    def __init__(self, label: Any = None, checks: Sequence[Any] = (), **kwargs: Any) -> None:
        super().__init__(label, checks, invalid_choice_message=_l("Please choose from the list."), **kwargs)
