"""What the dialogs about a slot have in common."""

from datetime import datetime
from typing import Any, NamedTuple

from flask import url_for
from flask_babel import gettext as _

from cpms.auth import queries as auth
from cpms.calendar import queries, services
from cpms.calendar.forms import EventForm, SlotFields
from cpms.calendar.models import Event, Kind
from cpms.calendar.series import queries as series_queries
from cpms.calendar.shown import Shown
from cpms.core.errors import DomainError, Forbidden, NotFound, Stale
from cpms.core.permissions import P
from cpms.patients import queries as patients
from cpms.patients import services as patient_services
from cpms.patients.models import Patient
from cpms.web.access import can
from cpms.web.errors import sentence
from cpms.web.filters import full_day, when
from cpms.web.toasts import toast


class Before(NamedTuple):
    """Where an entry was, and why it could be there."""

    start: datetime
    minutes: int
    chair_id: int
    provider_id: int | None
    overbook_reason: str | None


def slot_of(event: Event) -> Before:
    return Before(event.start, event.minutes, event.chair_id, event.provider_id, event.overbook_reason)


def say_moved(event: Event, before: Before, shown: Shown, *, back: bool = False) -> None:
    """Say what is new about the slot, with the way back; after the way `back`, only where the entry is again."""
    start, minutes, chair_id, provider_id, reason = before
    if slot_of(event)[:4] == before[:4]:
        return
    if back:
        toast(_("%(label)s: moved back to %(where)s.", label=services.label(event), where=_where(event, before)))
        return
    undo = url_for(
        "calendar.drop",
        event=event.id,
        version=event.row_version,
        start=f"{start:%Y-%m-%dT%H:%M}",
        minutes=minutes,
        chair=chair_id,
        provider_back=provider_id or "",
        overbook_reason=reason if can(P.CALENDAR_OVERBOOK) else None,
        view=shown.view,
        day=shown.day,
    )
    toast(_("%(label)s: %(where)s.", label=services.label(event), where=_where(event, before)), undo=undo)


def say_booked(event: Event) -> None:
    toast(
        _("Booked: %(label)s, %(when)s.", label=services.label(event), when=when(event.start)),
        undo=url_for("calendar.delete", event_id=event.id, version=event.row_version),
    )


def _where(event: Event, before: Before) -> str:
    """When and where it is; the length when it is another one, and nothing else when only that changed."""
    length = _("now %(n)d min", n=event.minutes)
    if (event.start, event.chair_id, event.provider_id) == (before.start, before.chair_id, before.provider_id):
        return f"{when(event.start)}, {length}"
    parts = [when(event.start), event.chair.name]
    if event.provider_id != before.provider_id and event.provider is not None:
        parts.append(event.provider.display_name)
    if event.minutes != before.minutes:
        parts.append(length)
    return ", ".join(parts)


def excuses(form: SlotFields) -> dict[str, Any]:
    """Why a taken slot is booked all the same, if the person may, and the yes to what is unusual."""
    return {"overbook_reason": reason_of(form), "confirmed": form.confirmed.data or False}


def reason_of(form: Any) -> str | None:
    return form.overbook_reason.data or None if can(P.CALENDAR_OVERBOOK) else None


def ask_for_reason(form: Any) -> None:
    """Beside a reason that was asked for and left empty, say so: the same question once more would be no answer."""
    if form.overbook_reason.raw_data and not form.overbook_reason.data:
        form.refuse("overbook_reason", _("Please give a reason, or choose another time, chair or person."))


def told(problem: DomainError, form: Any) -> DomainError:
    """The problem as the person is told it: who gave a reason that excuses nothing lacks the right to give one."""
    if isinstance(problem, services.SlotTaken) and form.overbook_reason.data and not can(P.CALENDAR_OVERBOOK):
        return Forbidden(_("Your role does not include booking over another entry."))
    return problem


def offer(form: SlotFields, event: Event | None = None) -> None:
    """Fill the selects of a form; what the entry has already may stay, in use or not."""
    chairs, providers = queries.chairs(), auth.providers()
    if event is not None:
        chairs += [event.chair] if event.chair not in chairs else []
        providers += [event.provider] if event.provider is not None and event.provider not in providers else []
    if event is not None:
        form.entry_kind = event.kind
    form.offer(chairs, providers)
    if isinstance(form, EventForm):
        types = queries.types()
        types += [event.type] if event is not None and event.type is not None and event.type not in types else []
        form.offer_types(types)


def dialog_context(
    form: SlotFields, *, event: Event | None = None, problem: DomainError | None = None
) -> dict[str, Any]:
    """Everything that a dialog about a slot shows. A refusal finds its field, a question its place."""
    offer(form, event)
    taken, warnings, stored, elsewhere, same = None, [], None, {}, []
    match problem:
        case services.SlotTaken():
            taken = problem.message
            ask_for_reason(form)
        case services.Unconfirmed():
            warnings = problem.warnings
            form.confirmed.data = problem.key
        case Stale():
            stored = event  # read again after the rollback: what the other one stored
            elsewhere = _both_edits(form, event) if event is not None else {}
        case patient_services.LooksKnown():
            same = problem.candidates
            form.shown_ids.data = ",".join(str(each.id) for each in same)
            form.different_person.data = False  # what was said of others says nothing of these
            form.refuse("different_person", _("Please look whether it is the same person. If not, tick this."))
        case DomainError():
            form.refuse(problem.field, sentence(problem))
    if not warnings and not isinstance(problem, services.SlotTaken | patient_services.LooksKnown):
        form.confirmed.data = ""
    return {
        "form": form,
        "event": event,
        "label": services.label(event) if event is not None else "",
        "chosen": whom(form.patient_id.data if isinstance(form, EventForm) else event and event.patient_id),
        "taken": taken,
        "warnings": warnings,
        "stored": stored,
        "elsewhere": elsewhere,
        "same": same,
        "follow": series_queries.following(event) if event is not None else 0,
        "may_overbook": can(P.CALENDAR_OVERBOOK),
        "may_register": can(P.PATIENT_WRITE),
        "block_url": _block_url(form),
        "swatches": queries.swatch_words(),
        "words": queries.status_words(),
        "Kind": Kind,
    }


def whom(patient_id: int | None) -> Patient | None:
    """Whom the dialog is about, for the line that says so. Who does not exist is found wanting when it is stored."""
    try:
        return patients.patient(patient_id) if patient_id is not None else None
    except NotFound:
        return None


def _both_edits(form: SlotFields, event: Event) -> dict[str, str]:
    """Both edits in one form, and for each field that both changed what is stored now, in words."""
    now = type(form).of(event)
    seen_elsewhere = {name: in_words(event, name) for name in form.meet(now)}
    if isinstance(form, EventForm) and form.patient_id.data == event.patient_id:
        form.patient_name.data = now.patient_name.data
    for name in seen_elsewhere:
        form.refuse(name, _("Somebody else changed this meanwhile."))
    return {name: _("Saved now: %(value)s", value=words) for name, words in seen_elsewhere.items()}


def in_words(event: Event, name: str) -> str:
    """What an entry has in a field of its form, as it is said."""
    match name:
        case "day":
            return full_day(event.start)
        case "start_time":
            return f"{event.start:%H:%M}"
        case "chair_id":
            return event.chair.name
        case "provider_id":
            return event.provider.display_name if event.provider is not None else _("nobody")
        case "patient_id":
            return event.patient.name if event.patient is not None else _("nobody")
        case "type_id":
            return event.type.name if event.type is not None else _("nothing")
        case "color":
            return queries.swatch_words().get(event.color, event.color)
    return str(getattr(event, name)) or _("nothing")


def _block_url(form: SlotFields) -> str:
    """The form of a block at the same time and chair."""
    known = {"chair": form.chair_id.data}
    if form.day.data and form.start_time.data:
        known["start"] = f"{form.day.data}T{form.start_time.data:%H:%M}"
    return url_for("calendar.new", kind=Kind.BLOCK, **known)
