"""The forms about hours."""

from datetime import date, time, timedelta
from typing import Any, NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, RadioField, SelectMultipleField, validators, widgets
from wtforms.fields.choices import SelectChoice

from cpms.hours import queries, rules
from cpms.hours.models import OffKind, TimeOff
from cpms.hours.rules import Break, DayPlan, Span
from cpms.settings.forms import WEEKDAYS
from cpms.web.forms import Choice, ClockTime, Day, Form, Line, Version, at_most, required

CLINIC, OWN, OFF = "clinic", "own", "off"  # how a provider's weekday is given
NUMBERS = range(1, rules.MOST_SPANS + 1)
FIRST_DAY, LAST_DAY = date(1950, 1, 1), date(2149, 12, 31)


class SpanFields(NamedTuple):
    start: Field
    end: Field
    name: Field | None = None


class Days(SelectMultipleField):
    """Some weekdays."""

    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()


class DayForm(Form):
    """One weekday of a provider, for as many weekdays as are alike."""

    mode = RadioField(
        _l("Takes visits"),
        choices=[
            SelectChoice(CLINIC, _l("whenever the clinic is open")),
            SelectChoice(OWN, _l("at these hours")),
            SelectChoice(OFF, _l("not on this day")),
        ],
        default=CLINIC,
    )
    also = Days(_l("The same on"), coerce=int, choices=[SelectChoice(day, name) for day, name in enumerate(WEEKDAYS)])
    version = Version()

    @property
    def spans(self) -> list[SpanFields]:
        return [SpanFields(self[f"from_{n}"], self[f"to_{n}"]) for n in NUMBERS]

    @property
    def breaks(self) -> list[SpanFields]:
        return [SpanFields(self[f"break_from_{n}"], self[f"break_to_{n}"], self[f"break_{n}"]) for n in NUMBERS]

    @classmethod
    def of(cls, plan: DayPlan, version: int, weekday: int) -> "DayForm":
        shown: dict[str, Any] = {"version": version, "also": [weekday], "mode": OWN if plan.spans else OFF}
        if plan.spans is None:
            shown["mode"] = CLINIC
        for number, (start, end) in enumerate(plan.spans or (), 1):
            shown |= {f"from_{number}": _time(start), f"to_{number}": _time(end)}
        for number, each in enumerate(plan.breaks, 1):
            shown |= {f"break_from_{number}": _time(each.start), f"break_to_{number}": _time(each.end)}
            shown[f"break_{number}"] = each.name
        return cls(data=shown)

    def plan(self) -> DayPlan:
        """What a valid form says."""
        if self.mode.data == OFF:
            return DayPlan(())
        breaks = [
            Break(*_span(each), each.name.data or _("Break"))
            for each in self.breaks
            if each.name is not None and each.start.data is not None
        ]
        spans = [_span(each) for each in self.spans if each.start.data is not None]
        return DayPlan(rules.joined(spans) if self.mode.data == OWN else None, tuple(sorted(breaks)))

    def validate(self, extra_validators: Any = None) -> bool:
        super().validate(extra_validators)
        if self.mode.data == OFF:
            self._leave(self.spans + self.breaks)
        elif self.mode.data == CLINIC:
            self._leave(self.spans)
        for pair in self.spans + self.breaks:
            _check_pair(pair)
        if self.mode.data == OWN and not any(each.start.data or each.start.errors for each in self.spans):
            self.spans[0].start.errors = [_("From when on?")]
        for fields, words in (
            (self.spans, _("These hours lie over others of the same day.")),
            (self.breaks, _("This break lies over another one.")),
        ):
            whole = [each for each in fields if each.start.data and each.end.data and not each.end.errors]
            if not self.errors and rules.overlaps(_span(each) for each in whole):
                whole[-1].start.errors = [words]
        return not self.errors

    @staticmethod
    def _leave(pairs: list[SpanFields]) -> None:
        """Of fields that the chosen mode hides, nothing counts."""
        for pair in pairs:
            for field in filter(None, pair):
                field.data, field.errors = None, []


for _n in NUMBERS:
    setattr(DayForm, f"from_{_n}", ClockTime(_l("From")))
    setattr(DayForm, f"to_{_n}", ClockTime(_l("To")))
    setattr(DayForm, f"break_{_n}", Line(_l("Break"), [at_most(40)]))
    setattr(DayForm, f"break_from_{_n}", ClockTime(_l("From")))
    setattr(DayForm, f"break_to_{_n}", ClockTime(_l("To")))


def _time(minute: int) -> time:
    return time(minute // 60, minute % 60)


def _span(pair: SpanFields) -> Span:
    return rules.minutes(pair.start.data), rules.minutes(pair.end.data)


def _check_pair(pair: SpanFields) -> None:
    start, end = pair.start, pair.end
    if start.errors or end.errors:
        return
    if end.data is not None and start.data is None:
        start.errors = [_("From when on?")]
    elif start.data is not None and end.data is None:
        end.errors = [_("Until when?")]
    elif start.data is not None and end.data <= start.data:
        end.errors = [_("It must end after it begins.")]
    elif pair.name is not None and pair.name.data and start.data is None:
        start.errors = [_("From when on?")]


class OffForm(Form):
    """Closed days of the clinic, or an absence of a provider."""

    kind = Choice(
        _l("Why"),
        choices=[
            SelectChoice(OffKind.HOLIDAY, _l("Holiday")),
            SelectChoice(OffKind.SICK, _l("Sick")),
            SelectChoice(OffKind.TRAINING, _l("Training")),
            SelectChoice(OffKind.OTHER, _l("Other")),
        ],
        coerce=OffKind,
        default=OffKind.HOLIDAY,
    )
    name = Line(_l("Name"), [at_most(100)])
    first = Day(_l("First day"), [required(_l("Please give the first day."))])
    last = Day(_l("Last day"))
    starts = ClockTime(_l("From"))
    ends = ClockTime(_l("To"))
    version = Version()
    of_the_clinic = False

    @classmethod
    def of(cls, row: TimeOff) -> "OffForm":
        is_whole_end = row.end == rules.midnight(row.end.date())
        return cls(
            data={
                "kind": row.kind,
                "name": row.name,
                "first": row.start.date(),
                "last": row.end.date() - timedelta(days=1) if is_whole_end else row.end.date(),
                "starts": row.start.time() if row.start.time() != time() else None,
                "ends": None if is_whole_end else row.end.time(),
                "version": row.row_version,
            }
        )

    def values(self) -> dict[str, Any]:
        return {
            "kind": OffKind.CLOSED if self.of_the_clinic else self.kind.data,
            "name": self.name.data or "",
            "first": self.first.data,
            "last": self.last.data or self.first.data,
            "starts": self.starts.data,
            "ends": self.ends.data,
        }

    def validate_name(self, field: Line) -> None:
        if self.of_the_clinic and not field.data:
            raise validators.ValidationError(_("Please give it a name, like “Summer leave”."))

    def validate_first(self, field: Day) -> None:
        if field.data is not None and not FIRST_DAY <= field.data <= LAST_DAY:
            raise validators.ValidationError(
                _("Please give a date from %(first)d to %(last)d.", first=FIRST_DAY.year, last=LAST_DAY.year)
            )

    validate_last = validate_first


class CountryForm(Form):
    """Whose public holidays the clinic keeps."""

    country = Choice(_l("Country"))
    region = Choice(_l("Region"))

    @classmethod
    def about(cls, country: str, region: str, formdata: Any = None) -> "CountryForm":
        form = cls(formdata, data={"country": country, "region": region})
        form.country.choices = [
            SelectChoice("", _("None: the clinic keeps no public holidays")),
            *(SelectChoice(*each) for each in queries.country_choices()),
        ]
        form.region.choices = [
            SelectChoice("", _("Those of the whole country")),
            *(SelectChoice(*each) for each in queries.region_choices(form.country.data or "")),
        ]
        if form.region.data not in {choice.value for choice in form.region.choices}:
            form.region.data = ""  # of another country
        return form


def parse_day(words: str) -> date | None:
    """A day of an address; None when no calendar shows it."""
    try:
        found = date.fromisoformat(words)
    except ValueError:
        return None
    return found if FIRST_DAY <= found <= LAST_DAY else None
