"""The history of a patient, of an entry of the calendar, of a user."""

from flask import request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from cpms.audit.queries import Asked
from cpms.audit.views.blueprint import bp
from cpms.audit.views.lines import history
from cpms.auth import queries as auth
from cpms.calendar import queries as calendar
from cpms.core.db import transaction
from cpms.core.permissions import P
from cpms.patients import queries as patients
from cpms.web.access import can, require


@bp.get("/patients/<int:patient_id>")
@require(P.PATIENT_READ)
def of_patient(patient_id: int) -> ResponseReturnValue:
    """The tab "History" of a chart; opening it is opening the chart. Who looked is told to the owner alone."""
    chart = patients.chart(patient_id)
    with transaction("patient.view", actor=current_user, about=chart.row):
        pass
    asked = Asked(patient_id=patient_id, looks=can(P.AUDIT_READ) and request.args.get("looks") == "1")
    where = {"patient_id": patient_id} | ({"looks": 1} if asked.looks else {})
    return history("audit/patient.html", asked, "audit.of_patient", where, patient=chart, looks=asked.looks)


@bp.get("/events/<int:event_id>")
@require(P.CALENDAR_READ)
def of_event(event_id: int) -> ResponseReturnValue:
    """What was done with an entry; of a visit that is a look at the patient, as its sheet is."""
    event = calendar.event(event_id)
    if event.patient_id is not None:
        with transaction("event.view", actor=current_user, about=event):
            pass
    asked = Asked(event_id=event_id, looks=False)
    only, where = ("event", str(event_id)), {"event_id": event_id}
    return history("audit/event_dialog.html", asked, "audit.of_event", where, only=only, event=event)


@bp.get("/users/<int:user_id>")
@require(P.USERS_MANAGE)
def of_user(user_id: int) -> ResponseReturnValue:
    user, only, where = auth.user(user_id), ("user", str(user_id)), {"user_id": user_id}
    return history("audit/user.html", Asked(user_id=user_id), "audit.of_user", where, only=only, user=user)
