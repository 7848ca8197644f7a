"""The calendar's forms."""

import secrets
from datetime import datetime, timedelta
from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SelectField, SelectMultipleField, validators, widgets
from wtforms.fields import SelectChoice

from cpms.auth.models import User
from cpms.calendar import rules, services
from cpms.calendar.models import AppointmentType, Chair, Event, Kind, Status
from cpms.calendar.series.forms import PlanFields, RepeatedEntry
from cpms.patients.forms import BirthDate, Phone
from cpms.patients.models import Patient
from cpms.patients.rules import Seen, meet
from cpms.web.forms import Choice, ClockTime, Day, Form, Line, Number, Paragraphs, at_most, color, required

MOST_IDS = 1000  # of a list in an address or in a field


def _id(value: Any) -> int | None:
    """An id from a select or a hidden field; empty is None."""
    return int(value) if value not in (None, "", "None") else None


def is_whole(words: str) -> bool:
    """A number that any row's id or version could be: not so long that reading it is work."""
    return words.isascii() and words.isdigit() and len(words) < 10


def ids_in(words: str | None) -> list[int]:
    """The ids of a list with commas; what is no id is left out, and what goes beyond any list of ours."""
    return [int(each) for each in (words or "").split(",", MOST_IDS)[:MOST_IDS] if is_whole(each)]


class Ref(HiddenField):
    """The id of a row that another part of the page chose; empty is None."""

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = valuelist[0].strip() if valuelist else ""
        if typed and not (is_whole(typed)):
            raise ValueError(_("Please choose from the list."))
        self.data = _id(typed)


class Pick(SelectField):
    """A select over the ids of rows; the choices are given when the form is made."""

    def __init__(self, label: Any = None, checks: Any = (), **kwargs: Any) -> None:
        super().__init__(label, list(checks), coerce=_id, choices=[], **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            self.data = _id(valuelist[0]) if valuelist else None
        except ValueError:
            raise ValueError(_("Please choose from the list.")) from None

    def pre_validate(self, form: Any) -> None:
        if self.data is not None and self.data not in {_id(choice.value) for choice in self.choices}:
            raise validators.ValidationError(_("Please choose from the list."))


class SlotFields(PlanFields):
    """When and where: shared by booking, editing and moving."""

    day = Day(_l("Date"), [required(_l("Please give the date."))])
    start_time = ClockTime(_l("From"), [required(_l("Please give the time."))], render_kw={"step": rules.STEP * 60})
    minutes = Number(
        _l("Minutes"),
        [required(_l("Please say how long it takes."))],
        render_kw={"step": rules.STEP, "min": rules.STEP},
    )
    chair_id = Pick(_l("Chair"), [required(_l("Please choose a chair."))])
    provider_id = Pick(_l("With"))
    overbook_reason = Line(_l("Reason to book it anyway"), [at_most(200)])
    confirmed = HiddenField()
    version = Number()
    seen = HiddenField(validators=[at_most(400)])

    entry_kind = Kind.VISIT  # of what is moved
    COLUMNS: ClassVar[tuple[str, ...]] = ("day", "start_time", "minutes", "chair_id", "provider_id")

    def values(self) -> dict[str, Any]:
        """The fields that two people may both have changed."""
        return {name: self[name].data for name in self.COLUMNS}

    def remember(self) -> None:
        """Take note of what the form shows, so that it is known later what the person changed."""
        self.seen.data = str(Seen.of(self.version.data or 0, self.values()))

    def meet(self, now: "SlotFields") -> dict[str, Any]:
        """Join what was typed here with what the form would show `now`; from here on the form is about the latter.

        Fields that were left alone take what is stored. The answer: what is stored in the fields that both changed.
        """
        stored = now.values()
        typed = {name: value for name, value in self.values().items() if self[name].raw_data}
        try:
            seen = Seen.read(self.seen.data or "", self.COLUMNS)
        except ValueError:  # nobody knows what was seen: then everything here was typed
            seen = Seen(0, dict.fromkeys(self.COLUMNS, ""))
        for name, value in meet(seen, typed=typed, stored=stored).items():
            self[name].data = value
            self[name].raw_data = None
        now.remember()
        self.version.data, self.seen.data = now.version.data, now.seen.data
        return {name: value for name, value in seen.changed(stored).items() if self[name].data != value}

    def offer(self, chairs: list[Chair], providers: list[User]) -> None:
        """Fill the selects; what the form has already stays choosable."""
        self.chair_id.choices = [SelectChoice(each.id, each.name) for each in chairs]
        self.provider_id.choices = [SelectChoice(each.id, each.display_name) for each in providers]
        if not self.needs_somebody:
            self.provider_id.choices.insert(0, SelectChoice("", _("Nobody")))
        elif self.provider_id.data is None:
            self.provider_id.choices.insert(0, SelectChoice("", _("Please choose…")))

    @property
    def nobody_offered(self) -> bool:
        """Nobody in the clinic takes visits."""
        return not any(choice.value for choice in self.provider_id.choices)

    @property
    def needs_somebody(self) -> bool:
        """A visit is with somebody; a block may be the room's alone."""
        return self.kind_of_entry() is Kind.VISIT

    def validate_day(self, field: Day) -> None:
        if field.data is not None and not rules.is_on_calendar(field.data):
            raise validators.ValidationError(services.out_of_range())

    def validate_minutes(self, field: Number) -> None:
        if field.data is not None and not rules.SHORTEST <= field.data <= rules.LONGEST_BLOCK:
            raise validators.ValidationError(
                _(
                    "Please give a number of minutes from %(least)d to %(most)d.",
                    least=rules.SHORTEST,
                    most=rules.longest(self.kind_of_entry()),
                )
            )

    def kind_of_entry(self) -> Kind:
        return self.entry_kind

    def slot(self) -> dict[str, Any]:
        """What the services take: start, end, chair and provider."""
        start = datetime.combine(self.day.data, self.start_time.data)
        return {
            "start": start,
            "end": start + timedelta(minutes=self.minutes.data),
            "chair_id": self.chair_id.data,
            "provider_id": self.provider_id.data,
        }


class EventForm(RepeatedEntry, SlotFields):
    """A visit or a block."""

    COLUMNS = (*SlotFields.COLUMNS, "patient_id", "title", "type_id", "color", "notes")

    kind = SelectField(
        _l("Kind"),
        choices=[SelectChoice(Kind.VISIT, _l("Visit")), SelectChoice(Kind.BLOCK, _l("Block"))],
        coerce=Kind,
        default=Kind.VISIT,
    )
    patient_id = Ref()
    patient_name = Line(_l("Patient"), [at_most(200)])
    title = Line(_l("What for"), [at_most(200)])
    type_id = Pick(_l("Type"))
    color = Line(_l("Colour"), [validators.Optional(), color()])
    notes = Paragraphs(_l("Notes"), [at_most(2000)], render_kw={"rows": 3})
    booking_key = HiddenField(validators=[at_most(40)])
    from_clipboard = HiddenField(validators=[at_most(1)])
    # A new patient together with the first visit.
    new_patient = HiddenField()
    first_name = Line(_l("First name"), [at_most(100)])
    last_name = Line(_l("Last name"), [at_most(100)])
    date_of_birth = BirthDate(_l("Date of birth"))
    mobile_phone = Phone(_l("Mobile phone"))
    different_person = BooleanField(_l("This is a different person"))
    shown_ids = HiddenField()  # the likely same ones that the person at the screen has seen

    def kind_of_entry(self) -> Kind:
        return self.kind.data

    def validate_patient_name(self, field: Line) -> None:
        """Words that name nobody are no patient: the visit would silently be nobody's."""
        if field.data and not (self.patient_id.data or self.patient_id.errors or self.new_patient.data):
            raise validators.ValidationError(_("Please choose the patient from the list, or empty the field."))

    def different_from(self) -> frozenset[int]:
        """Those of whom the person said that they are others."""
        if not self.different_person.data:
            return frozenset()
        return frozenset(ids_in(self.shown_ids.data))

    def offer_types(self, types: list[AppointmentType]) -> None:
        self.type_id.choices = [
            SelectChoice("", _("No type")),
            *(SelectChoice(each.id, each.name, render_kw={"data-minutes": each.minutes}) for each in types),
        ]

    @classmethod
    def empty(
        cls,
        *,
        start: datetime,
        chair_id: int | None,
        provider_id: int | None,
        kind: Kind,
        type_: AppointmentType | None,
        patient: Patient | None,
        minutes: int | None,
    ) -> "EventForm":
        """The form of a new entry, filled with what is known from where it was opened."""
        usual = type_.minutes if type_ and kind is Kind.VISIT else 30
        return cls(
            None,
            kind=kind,
            day=start.date(),
            start_time=start.time(),
            minutes=minutes or usual,
            chair_id=chair_id,
            provider_id=provider_id,
            type_id=type_.id if type_ and kind is Kind.VISIT else None,
            patient_id=patient.id if patient else None,
            patient_name=patient.name if patient else "",
            booking_key=secrets.token_hex(16),
        )

    @classmethod
    def again(cls, event: Event, *, start: datetime, chair_id: int, provider_id: int | None) -> "EventForm":
        """The form of a new entry like an earlier one."""
        form = cls.empty(
            start=start,
            chair_id=chair_id,
            provider_id=provider_id,
            kind=event.kind,
            type_=event.type,
            patient=event.patient,
            minutes=event.minutes,
        )
        form.type_id.data = event.type_id
        form.title.data, form.color.data, form.notes.data = event.title, event.color, event.notes
        return form

    @classmethod
    def of(cls, event: Event) -> "EventForm":
        """The form of an entry as it is stored."""
        form: EventForm = cls(
            None,
            kind=event.kind,
            patient_id=event.patient_id,
            patient_name=event.patient.name if event.patient else "",
            title=event.title,
            day=event.start.date(),
            start_time=event.start.time(),
            minutes=event.minutes,
            chair_id=event.chair_id,
            provider_id=event.provider_id,
            type_id=event.type_id,
            color=event.color,
            notes=event.notes,
            version=event.row_version,
        )
        form.remember()
        return form


class MoveForm(SlotFields):
    """The dialog "Move": another time or place for an entry."""

    @classmethod
    def of(cls, event: Event) -> "MoveForm":
        form: MoveForm = cls(
            None,
            day=event.start.date(),
            start_time=event.start.time(),
            minutes=event.minutes,
            chair_id=event.chair_id,
            provider_id=event.provider_id,
            version=event.row_version,
        )
        form.remember()
        return form


class DropForm(Form):
    """What a drag sends: the card, and where it was let go. Also the toast's way back."""

    event = Number(validators=[required()])
    version = Number(validators=[required()])
    start = Line(validators=[required()])
    minutes = Number(validators=[required()])
    chair = Number()
    to_provider = Number()  # whose column it is; 0 is nobody's
    copied = Line()  # not the entry itself is put there: another one like it
    # Only the way back names the provider, and why the place may be taken although it is not free.
    provider_back = Number()
    overbook_reason = Line(validators=[at_most(200)])
    # Which calendar is on the screen, so that the answer is the same one.
    view = SelectField(choices=[SelectChoice(each, "") for each in ("week", "day", "month", "list")], default="week")
    day = Day()
    provider = Line()
    chair_filter = Line()
    type_filter = Line()
    cancelled = Line()
    by = Line()

    def validate_start(self, field: Line) -> None:
        try:
            moment = datetime.fromisoformat(field.data or "")
        except ValueError:
            raise validators.ValidationError("start") from None
        odd = moment.tzinfo is not None or moment.second or moment.microsecond
        if odd or not rules.is_on_calendar(moment.date()):
            raise validators.ValidationError("start")

    def validate_day(self, field: Day) -> None:
        if field.data is not None and not rules.is_on_calendar(field.data):
            raise validators.ValidationError("day")

    def validate_minutes(self, field: Number) -> None:
        if field.data is None or not rules.SHORTEST <= field.data <= rules.LONGEST_BLOCK:
            raise validators.ValidationError("minutes")

    def validate_provider(self, field: Line) -> None:
        if not all(map(is_whole, filter(None, (field.data or "").split(",")))):
            raise validators.ValidationError("a list of ids")

    validate_chair_filter = validate_type_filter = validate_provider

    @property
    def starts(self) -> datetime:
        return datetime.fromisoformat(self.start.data)


class Weekdays(SelectMultipleField):
    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()


class FreeForm(Form):
    """What kind of free time somebody looks for. Its fields are called as those of the forms that it may fill."""

    minutes = Number(
        _l("Minutes"),
        [required(_l("Please say how long it takes."))],
        id="free-minutes",
        render_kw={"step": rules.STEP, "min": rules.STEP, "inputmode": "numeric"},
    )
    type_id = Pick(_l("Type"), id="free-type")
    provider_id = Pick(_l("With"), id="free-provider")
    chair_id = Pick(_l("Chair"), id="free-chair")
    part = SelectField(
        _l("Time of day"),
        choices=[
            SelectChoice(rules.Part.ANY, _l("Any")),
            SelectChoice(rules.Part.MORNING, _l("Morning, until 12:00")),
            SelectChoice(rules.Part.AFTERNOON, _l("Afternoon, from 12:00")),
        ],
        coerce=rules.Part,
        default=rules.Part.ANY,
        id="free-part",
    )
    weekday = Weekdays(_l("On"), coerce=int, choices=[SelectChoice(day, "") for day in range(7)], id="free-weekday")
    day = Day(_l("From"), [required(_l("Please give the date."))], id="free-day")
    patient_id = Ref()
    event_id = Ref()  # the visit that wants another time
    fill = HiddenField()  # the answers go into the form that asked
    after = HiddenField()  # the last answer that was shown

    def offer(self, types: list[AppointmentType], chairs: list[Chair], providers: list[User]) -> None:
        self.type_id.choices = [
            SelectChoice("", _("No type")),
            *(SelectChoice(each.id, each.name, render_kw={"data-minutes": each.minutes}) for each in types),
        ]
        self.provider_id.choices = [
            SelectChoice("", _("Anyone")),
            *(SelectChoice(each.id, each.display_name) for each in providers),
        ]
        self.chair_id.choices = [SelectChoice("", _("Any")), *(SelectChoice(each.id, each.name) for each in chairs)]

    @property
    def nobody_offered(self) -> bool:
        """Nobody in the clinic takes visits."""
        return not any(choice.value for choice in self.provider_id.choices)

    def validate_day(self, field: Day) -> None:
        if field.data is not None and not rules.is_on_calendar(field.data):
            raise validators.ValidationError(services.out_of_range())

    def validate_minutes(self, field: Number) -> None:
        if field.data is None or not rules.SHORTEST <= field.data <= rules.LONGEST_VISIT or field.data % rules.STEP:
            raise validators.ValidationError(
                _(
                    "Please give a number from %(least)d to %(most)d, in steps of %(step)d.",
                    least=rules.SHORTEST,
                    most=rules.LONGEST_VISIT,
                    step=rules.STEP,
                )
            )

    def search(self) -> dict[str, Any]:
        """The part after the question mark that asks the same again."""
        asked = {
            "minutes": self.minutes.data,
            "type_id": self.type_id.data,
            "provider_id": self.provider_id.data,
            "chair_id": self.chair_id.data,
            "part": self.part.data.value if self.part.data else None,
            "weekday": self.weekday.data,
            "day": self.day.data,
            "patient_id": self.patient_id.data,
            "event_id": self.event_id.data,
            "fill": self.fill.data,
        }
        return {name: value for name, value in asked.items() if value not in (None, "", [])}


class TakeForm(Form):
    """One of the answers, to be booked for the patient at once."""

    start = Line(validators=[required()])
    chair_id = Number(validators=[required()])
    provider_id = Number(validators=[required()])
    booking_key = HiddenField(validators=[required(), at_most(40)])

    validate_start = DropForm.validate_start

    @property
    def starts(self) -> datetime:
        return datetime.fromisoformat(self.start.data)


class StatusForm(PlanFields):
    """One step of a visit's walk."""

    status = SelectField(choices=[SelectChoice(each, each) for each in Status], coerce=Status)
    version = Number(validators=[required()])
    reason = Line(_l("Reason"), [at_most(200)])
    told_day = Day()  # on which the visit is, as the person at the screen was told
    overbook_reason = Line(_l("Reason to book it anyway"), [at_most(200)])
    confirmed = HiddenField()
    at_once = HiddenField()  # the way back of a toast: what was there a moment ago needs no question


class NoDateForm(Form):
    """Why a visit wants no new date."""

    reason = Line(_l("Reason"), [required(_l("Please give a reason.")), at_most(200)])
    version = Number(validators=[required()])


class ChairForm(Form):
    name = Line(_l("Name"), [required(_l("Please give the chair a name.")), at_most(40)])
    version = Number()


class TypeForm(Form):
    name = Line(_l("Name"), [required(_l("Please give the type a name.")), at_most(60)])
    minutes = Number(
        _l("Minutes"),
        [required(_l("Please say how long it takes."))],
        render_kw={"step": rules.STEP, "min": rules.STEP},
    )
    color = Choice(_l("Colour"))
    version = Number()

    def validate_minutes(self, field: Number) -> None:
        if field.data is None or not rules.SHORTEST <= field.data <= rules.LONGEST_VISIT or field.data % rules.STEP:
            raise validators.ValidationError(
                _(
                    "Please give a number from %(least)d to %(most)d, in steps of %(step)d.",
                    least=rules.SHORTEST,
                    most=rules.LONGEST_VISIT,
                    step=rules.STEP,
                )
            )
