"""What a patient's chart and the list of patients show of the calendar."""

from typing import Any

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from cpms.calendar import queries
from cpms.calendar.forms import ids_in
from cpms.calendar.models import Status
from cpms.calendar.series import queries as series_queries
from cpms.calendar.views.blueprint import bp
from cpms.core.db import transaction
from cpms.core.permissions import P
from cpms.patients import queries as patients
from cpms.web.access import passive, require
from cpms.web.htmx import page

ON_THE_OVERVIEW, ON_THE_TAB = 6, 500  # lines to come, and as many past


@bp.get("/patients/<int:patient_id>/visits")
@require(P.CALENDAR_READ, P.PATIENT_READ)
def patient_visits(patient_id: int) -> ResponseReturnValue:
    """The tab "Visits" of a chart; opening it is opening the chart."""
    patient = patients.chart(patient_id)
    with transaction("patient.view", actor=current_user, about=patient.row):
        pass
    return page("calendar/visits.html", patient=patient, archived=patient.archived, **_visits(patient_id, every=True))


@bp.get("/patients/<int:patient_id>/visits-panel")
@require(P.CALENDAR_READ, P.PATIENT_READ)
def patient_visits_panel(patient_id: int) -> ResponseReturnValue:
    """The last and the coming visits: a few for the overview of a chart, or as many as its tab shows."""
    archived = patients.patient(patient_id).archived
    every = request.args.get("every") == "1"
    shown = _visits(patient_id, every=every)
    return Response(render_template("calendar/_visits.html", patient_id=patient_id, archived=archived, **shown))


@bp.get("/patients/<int:patient_id>/coming")
@require(P.CALENDAR_READ, P.PATIENT_READ)
def coming_note(patient_id: int) -> ResponseReturnValue:
    """For the question whether to archive somebody: what is booked still."""
    patients.patient(patient_id)
    coming = queries.of_patient(patient_id, limit=ON_THE_TAB).coming
    return Response(render_template("calendar/_coming.html", coming=coming))


@bp.get("/patients/<int:patient_id>/next")
@require(P.CALENDAR_READ, P.PATIENT_READ)
@passive
def next_visit_badge(patient_id: int) -> ResponseReturnValue:
    """Where the patient is today, else the next visit, for the head of a chart."""
    patients.patient(patient_id)
    here = queries.here(patient_id)
    start = None if here else queries.next_visits([patient_id]).get(patient_id)
    html = render_template("calendar/_next.html", patient_id=patient_id, here=here, start=start, Status=Status)
    return Response(html)


def _visits(patient_id: int, *, every: bool) -> dict[str, Any]:
    limit = ON_THE_TAB if every else ON_THE_OVERVIEW
    visits = queries.of_patient(patient_id, limit=limit)
    places = series_queries.places(visit.id for visit in (*visits.coming, *visits.past))
    return {"visits": visits, "every": every, "words": queries.status_words(), "places": places}


@bp.get("/visits-of")
@require(P.CALENDAR_READ, P.PATIENT_READ)
def visits_of_list() -> ResponseReturnValue:
    """Last and next visit of each patient of a list, each sent to its own place."""
    ids = ids_in(request.args.get("ids"))[:100]
    return Response(
        render_template(
            "calendar/_visits_of.html", ids=ids, last=queries.last_visits(ids), next=queries.next_visits(ids)
        )
    )
