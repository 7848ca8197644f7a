"""What comes along with files, and what is written about them."""

import json
from collections.abc import Sequence
from typing import Any

from flask import abort
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from cpms.auth import queries as auth
from cpms.core import clock
from cpms.patients.forms import LONGEST_TEXT
from cpms.patients.rules import Seen
from cpms.web.forms import Choice, Day, Form, Line, Number, Paragraphs, Version, at_most, required
from cpms.xrays import queries, rules
from cpms.xrays.models import Laterality, Xray, XrayKind


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
            raise ValidationError(_("There is no tooth %(codes)s.", codes=wrong)) from None


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


class FactsForm(Form):
    """What is said about one picture."""

    kind = Choice(_l("Kind"), [required()])
    date_performed = Day(_l("Taken on"), [required(_l("Please give the day on which it was taken."))])
    teeth = Teeth(_l("Teeth"))
    laterality = Choice(_l("Side"))
    taken_by_id = Choice(_l("Taken by"))
    version = Version()

    def __init__(self, *args: Any, was: int | None = None, **kwargs: Any) -> None:
        """`was`: who took it, as it is stored; they may work here no more."""
        super().__init__(*args, **kwargs)
        self.kind.choices = [SelectChoice(value.value, word) for value, word in queries.kind_words().items()]
        self.laterality.choices = [
            SelectChoice(value.value, word) for value, word in queries.laterality_words().items()
        ]
        people = [
            SelectChoice(str(user.id), user.display_name) for user in auth.users() if user.active or user.id == was
        ]
        self.taken_by_id.choices = [SelectChoice("", _("not given")), *people]
        self.taken_by_id.data = self.taken_by_id.data or ""

    @classmethod
    def of(cls, xray: Xray) -> "FactsForm":
        return cls(
            was=xray.taken_by_id,
            data={
                "kind": xray.kind.value,
                "date_performed": xray.date_performed,
                "teeth": " ".join(xray.teeth),
                "laterality": xray.laterality.value,
                "taken_by_id": str(xray.taken_by_id or ""),
                "version": xray.row_version,
            },
        )

    def given(self) -> dict[str, Any]:
        """For `services.update_facts`."""
        return {
            "kind": XrayKind(self.kind.data),
            "date_performed": self.date_performed.data,
            "teeth": self.teeth.codes or [],
            "laterality": Laterality(self.laterality.data or "unknown"),
            "taken_by_id": int(self.taken_by_id.data) if self.taken_by_id.data else None,
        }


class MoveForm(Form):
    """Whose a picture is."""

    patient_name = Line(_l("Patient"))
    patient_id = Number(_l("Patient"), [required(_l("Please choose a patient from the list."))])
    reason = Line(_l("Reason"), [at_most(300)])
    version = Version()


class DeleteForm(Form):
    reason = Line(_l("Reason"), [at_most(300)])
    version = Version()


class MountForm(Form):
    """A new mount."""

    layout = Choice(_l("Layout"), [required()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.layout.choices = [SelectChoice(value.value, word) for value, word in queries.layout_words().items()]


class PlaceForm(Form):
    """A picture into a cell; without a picture the cell is emptied."""

    cell = Line(validators=[required()])
    xray_id = Number()
    version = Version()


class CellForm(Form):
    cell = Line(validators=[required()])
    version = Version()


class FillForm(Form):
    version = Version()


class TitleForm(Form):
    title = Line(_l("Title"), [at_most(100)])
    version = Version()


class ReportForm(Form):
    """What somebody sees in a picture. `seen` tells what stood there before."""

    COLUMNS = ("findings", "impression")

    findings = Paragraphs(_l("Findings"), [at_most(LONGEST_TEXT)], render_kw={"rows": 6})
    impression = Paragraphs(_l("Impression"), [at_most(LONGEST_TEXT)], render_kw={"rows": 4})
    seen = HiddenField()

    @classmethod
    def of(cls, xray: Xray) -> "ReportForm":
        stored = {name: getattr(xray, name) for name in cls.COLUMNS}
        return cls(data={**stored, "seen": str(Seen.of(xray.row_version, stored))})

    def what_was_seen(self) -> Seen:
        return _seen(self.seen.data, self.COLUMNS)


class MarksForm(Form):
    """What was drawn over a picture, as the viewer sends it: a list of marks in JSON."""

    marks = HiddenField()

    def drawn(self) -> list[dict[str, Any]]:
        try:
            marks = json.loads(self.marks.data or "")
        except (ValueError, RecursionError):  # the latter for a list in a list, thousands deep
            abort(400)
        if not isinstance(marks, list) or not marks or not all(isinstance(each, dict) for each in marks):
            abort(400)
        return marks


class PhrasesForm(Form):
    """The phrases that reports are put together from."""

    phrases = Paragraphs(_l("Phrases"), [at_most(LONGEST_TEXT)], render_kw={"rows": 16})
    seen = HiddenField()

    @classmethod
    def of(cls, shown: str, stored: str) -> "PhrasesForm":
        return cls(data={"phrases": shown, "seen": str(Seen.of(0, {"phrases": stored}))})

    def what_was_seen(self) -> Seen:
        return _seen(self.seen.data, ("phrases",))


def _seen(text: str | None, names: Sequence[str]) -> Seen:
    try:
        return Seen.read(text or "", names)
    except ValueError:
        abort(400)
