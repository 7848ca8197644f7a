"""What comes along with files."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField
from wtforms.fields.choices import SelectChoice

from cpms.core import clock
from cpms.web.forms import Choice, Day, Form, Line
from cpms.xrays import queries, rules
from cpms.xrays.models import Laterality, XrayKind


class Teeth(Line):
    """Teeth by their FDI codes, with blanks or commas; `codes` is the list, None when nothing was typed."""

    codes: list[str] | None = None

    def pre_validate(self, form: Any) -> None:
        self.codes = None
        if not self.data:
            return
        try:
            self.codes = rules.teeth_in(self.data)
        except ValueError as wrong:
            raise ValueError(_("There is no tooth %(codes)s.", codes=wrong)) from None


class UploadForm(Form):
    """Of all files of the form. What is left empty comes from each file."""

    kind = Choice(_l("Kind"))
    date_performed = Day(_l("Taken on"))
    teeth = Teeth(_l("Teeth"))
    laterality = Choice(_l("Side"))
    sure = BooleanField(_l("They are of this patient, whatever the files say"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field, words in ((self.kind, queries.kind_words()), (self.laterality, queries.laterality_words())):
            given = (SelectChoice(value.value, word) for value, word in words.items())
            field.choices = [SelectChoice("", _("as the file says")), *given]
        for field in (self.kind, self.laterality):
            field.data = field.data or ""

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        good = super().validate(*args, **kwargs)
        if self.date_performed.data and self.date_performed.data > clock.today():
            self.refuse("date_performed", _("The date a picture was taken cannot be in the future."))
            return False
        return good

    def given(self) -> dict[str, Any]:
        """What was given, for `services.attach`."""
        return {
            "kind": XrayKind(self.kind.data) if self.kind.data else None,
            "date_performed": self.date_performed.data,
            "teeth": self.teeth.codes,
            "laterality": Laterality(self.laterality.data) if self.laterality.data else None,
            "sure": bool(self.sure.data),
        }
