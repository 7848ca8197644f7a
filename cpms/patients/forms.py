"""The forms about a patient."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import abort
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SelectField, validators
from wtforms.fields.choices import SelectChoice

from cpms.core import clock
from cpms.patients import rules
from cpms.patients.models import Sex
from cpms.patients.rules import Seen
from cpms.patients.services import DEMOGRAPHIC, MEDICAL
from cpms.web.filters import age
from cpms.web.forms import Day, Form, Line, Paragraphs, at_most, required

SEXES = {
    Sex.UNKNOWN: _l("Not said"),
    Sex.FEMALE: _l("Female"),
    Sex.MALE: _l("Male"),
    Sex.OTHER: _l("Other"),
}
LONGEST_TEXT = 20_000


class BirthDate(Day):
    """A date of birth, typed as people write it: 2.3.1985, 02/03/1985, 1985-03-02."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        keyboard = {"type": "text", "inputmode": "numeric", "autocomplete": "off"}
        super().__init__(*args, format="%d.%m.%Y", render_kw=keyboard, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        typed = valuelist[0].strip() if valuelist else ""
        if not typed:
            return
        match rules.days_meant(typed):
            case (day,):
                self.data = day
            case (_early, _late):
                raise ValueError(_("Please give the year with four digits."))
            case _:
                raise ValueError(_("Please give a date that exists, as day, month and year: 02.03.1985."))

    def pre_validate(self, form: Any) -> None:
        if self.data is None:
            return
        today = clock.today()
        if self.data > today:
            raise validators.ValidationError(_("This date of birth is in the future."))
        if age(self.data, today) > rules.OLDEST:
            raise validators.ValidationError(_("Nobody is older than %(years)d years.", years=rules.OLDEST))


class SexChoice(SelectField):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        wrong = _l("Please choose from the list.")
        choices = [SelectChoice(value, label) for value, label in SEXES.items()]
        super().__init__(
            *args, choices=choices, coerce=Sex, invalid_value_message=wrong, invalid_choice_message=wrong, **kwargs
        )


class Phone(Line):
    """A phone number, kept as it is typed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        keyboard = {"type": "tel", "autocomplete": "off"}
        super().__init__(*args, validators=[at_most(40)], render_kw=keyboard, **kwargs)

    def pre_validate(self, form: Any) -> None:
        if self.data and not rules.is_phone(self.data):
            raise validators.ValidationError(
                _("Please use digits and + ( ) - / only. An extension is written as “ext 12”.")
            )


class Email(Line):
    """An e-mail address, checked only loosely: whether it exists, nobody can tell from its letters."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        keyboard = {"type": "email", "autocomplete": "off"}
        super().__init__(*args, validators=[at_most(254)], render_kw=keyboard, **kwargs)

    def pre_validate(self, form: Any) -> None:
        before, _at, after = (self.data or "").rpartition("@")
        if self.data and (not before or "." not in after.strip(".") or " " in self.data):
            raise validators.ValidationError(_("Please give an e-mail address like name@example.org."))


class NewPatientForm(Form):
    """The little that a new patient is asked for."""

    first_name = Line(_l("First name"), [required(_l("Please give the first name.")), at_most(100)])
    last_name = Line(
        _l("Last name"),
        [required(_l("Please give the last name, or — for somebody who has only one name.")), at_most(100)],
    )
    date_of_birth = BirthDate(_l("Date of birth"), [required(_l("Please give the date of birth."))])
    sex = SexChoice(_l("Sex"), default=Sex.UNKNOWN)
    mobile_phone = Phone(_l("Mobile phone"))
    home_phone = Phone(_l("Home phone"))
    different_person = BooleanField(_l("This is a different person"))
    shown_ids = HiddenField()  # the likely same ones that the person at the screen has seen

    def columns(self) -> dict[str, Any]:
        own = ("first_name", "last_name", "date_of_birth", "sex", "mobile_phone", "home_phone")
        return {name: self[name].data for name in own}

    def different_from(self) -> frozenset[int]:
        """Those of whom the person said that they are others."""
        if not self.different_person.data:
            return frozenset()
        return frozenset(int(each) for each in (self.shown_ids.data or "").split(",") if each.isdecimal())


class EditForm(Form):
    """A form over columns of one patient. `seen` tells what it was made from; what is not sent is left alone."""

    COLUMNS: tuple[str, ...] = ()

    seen = HiddenField()

    @classmethod
    def of(cls, version: int, stored: Mapping[str, Any]) -> "EditForm":
        """The form of what is stored."""
        return cls(data={**stored, "seen": str(Seen.of(version, stored))})

    def what_was_seen(self) -> Seen:
        try:
            return Seen.read(self.seen.data or "", self.COLUMNS)
        except ValueError:
            abort(400)

    def changes(self) -> dict[str, Any]:
        return {name: self[name].data for name in self.COLUMNS if self[name].raw_data}


class DetailsForm(EditForm):
    """Who a patient is and how to reach them."""

    COLUMNS = DEMOGRAPHIC

    first_name = Line(_l("First name"), [required(_l("Please give the first name.")), at_most(100)])
    last_name = Line(
        _l("Last name"),
        [required(_l("Please give the last name, or — for somebody who has only one name.")), at_most(100)],
    )
    date_of_birth = BirthDate(_l("Date of birth"), [required(_l("Please give the date of birth."))])
    sex = SexChoice(_l("Sex"))
    mobile_phone = Phone(_l("Mobile phone"))
    home_phone = Phone(_l("Home phone"))
    email = Email(_l("E-mail"))
    address = Paragraphs(_l("Address"), [at_most(1000)], render_kw={"rows": 3})
    alert_text = Line(_l("Alert"), [at_most(300)])
    notes = Paragraphs(_l("Notes"), [at_most(LONGEST_TEXT)], render_kw={"rows": 6})


class MedicalForm(EditForm):
    """What a dentist has to know before treating."""

    COLUMNS = ("alert_text", *MEDICAL)

    alert_text = Line(_l("Alert"), [at_most(300)])
    nothing_to_warn_of = BooleanField(_l("There is nothing that everybody must see"))
    any_medical_problems = Paragraphs(_l("Medical problems, allergies, medicines"), [at_most(LONGEST_TEXT)])
    medical_history = Paragraphs(_l("Medical history"), [at_most(LONGEST_TEXT)])
    surgery_history = Paragraphs(_l("Operations"), [at_most(LONGEST_TEXT)])
    current_treatment = Paragraphs(_l("Current treatment"), [at_most(LONGEST_TEXT)])
    women_specific_info = Paragraphs(
        _l("For women: pregnancy, breast-feeding, contraceptives"), [at_most(LONGEST_TEXT)]
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """An allergy that only stands in the text turns nothing red: whoever writes about problems is asked once."""
        valid = bool(super().validate(extra_validators))
        wrote = bool(self.any_medical_problems.data) and "any_medical_problems" in self.what_was_seen().changed(
            {"any_medical_problems": self.any_medical_problems.data}
        )
        if wrote and not self.alert_text.data and not self.nothing_to_warn_of.data:
            self.refuse(
                "alert_text",
                _("Is there something that everybody must see, such as an allergy? Write it here, or tick below."),
            )
            return False
        return valid


class ArchiveForm(Form):
    """Why a patient leaves the lists."""

    reason = Line(_l("Reason"), [required(_l("Please give a reason.")), at_most(300)])


def born(day: date) -> str:
    """A date of birth as the forms show it."""
    return f"{day:%d.%m.%Y}"
