"""The fields by which an entry repeats, and by which somebody says which entries of a plan are meant."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectField, SelectMultipleField, validators, widgets
from wtforms.fields import SelectChoice

from cpms.calendar.models import Monthly, Unit
from cpms.calendar.series import rules
from cpms.settings.forms import WEEKDAYS
from cpms.web.forms import Choice, Day, Form, Line, Number, at_most

MOST_TICKS = rules.MOST_ENTRIES * 3  # a series that was extended has more entries than one that was booked
_TICK = re.compile(r"[0-9-]{1,10}\.[0-9a-f]{12}")


class Ticks(HiddenField):
    """The lines of a plan that are ticked; None when nobody looked at one yet."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        if len(valuelist) > MOST_TICKS or not all(_TICK.fullmatch(each) for each in valuelist):
            raise ValueError(_("Please look at the dates again."))
        self.data = frozenset(valuelist)


class PlanFields(Form):
    """Whether later entries of a series change as well, and the answer to a plan."""

    scope = RadioField(
        _l("What is meant?"),
        choices=[
            SelectChoice("one", _l("Only this one")),
            SelectChoice("following", _l("This and all that follow")),
        ],
        default="one",
    )
    take = Ticks()
    looked = HiddenField()
    back = HiddenField()

    @property
    def takes_following(self) -> bool:
        return bool(self.scope.data == "following")

    def ticks(self) -> frozenset[str] | None:
        return self.take.data or frozenset() if self.looked.data else None


class RepeatFields(PlanFields):
    """How often, and until when."""

    every = Number(_l("Every"), default=1, render_kw={"min": 1})
    weekdays = SelectMultipleField(
        _l("On"),
        choices=[SelectChoice(number, name) for number, name in enumerate(WEEKDAYS)],
        coerce=int,
        option_widget=widgets.CheckboxInput(),
    )
    monthly = Choice(
        _l("On"),
        choices=[
            SelectChoice(Monthly.DAY, _l("the same day of the month")),
            SelectChoice(Monthly.NTH, _l("the same weekday, such as the second Tuesday")),
            SelectChoice(Monthly.LAST, _l("the last such weekday of the month")),
        ],
        default=Monthly.DAY,
    )
    ends = Choice(
        _l("Ends"),
        choices=[SelectChoice("count", _l("after so many entries")), SelectChoice("until", _l("on a date"))],
        default="count",
    )
    count = Number(_l("Entries"), default=10, render_kw={"min": 1})
    until = Day(_l("Last date"))

    @property
    def repeats(self) -> bool:
        return True

    @property
    def _ends_on_a_date(self) -> bool:
        return bool(self.ends.data == "until")

    def validate_until(self, field: Day) -> None:
        if self.repeats and self._ends_on_a_date and field.data is None:
            raise validators.ValidationError(_("Please give the last date."))

    def validate_count(self, field: Number) -> None:
        if self.repeats and not self._ends_on_a_date and (field.data is None or field.data < 1):
            raise validators.ValidationError(_("Please say how many entries there are to be."))

    def end(self) -> dict[str, Any]:
        """What the services take: the last date, or the number of entries."""
        if self._ends_on_a_date:
            return {"until": self.until.data, "number": None}
        return {"until": None, "number": self.count.data}


class RepeatedEntry(RepeatFields):
    """The part of the form of a new entry that makes a series of it."""

    repeat = SelectField(
        _l("Repeats"),
        choices=[
            SelectChoice("", _l("Does not repeat")),
            SelectChoice(Unit.WEEK, _l("Every so many weeks")),
            SelectChoice(Unit.MONTH, _l("Every so many months")),
        ],
        default="",
    )

    @property
    def repeats(self) -> bool:
        return bool(self.repeat.data)

    def validate_every(self, field: Number) -> None:
        most = rules.MOST_WEEKS if self.repeat.data == Unit.WEEK else rules.MOST_MONTHS
        if self.repeats and not (field.data and 1 <= field.data <= most):
            raise validators.ValidationError(_("Please give a number from 1 to %(most)d.", most=most))

    def rule(self, first: date) -> rules.Rule:
        unit = Unit(self.repeat.data)
        weekdays = tuple(sorted(set(self.weekdays.data or ()))) if unit is Unit.WEEK else ()
        monthly = Monthly(self.monthly.data) if unit is Unit.MONTH else Monthly.DAY
        return rules.Rule(unit, self.every.data or 1, first, weekdays, monthly)


class ExtendForm(RepeatFields):
    """More entries of a series."""

    ends = Choice(
        _l("Ends"),
        choices=[SelectChoice("count", _l("after so many more entries")), SelectChoice("until", _l("on a date"))],
        default="count",
    )
    count = Number(_l("More entries"), default=10, render_kw={"min": 1})
    version = Number()
    overbook_reason = Line(_l("Reason to book it anyway"), [at_most(200)])


class DeleteForm(PlanFields):
    """Taking an entry off the calendar."""

    version = Number()
