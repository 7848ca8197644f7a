"""What was deleted, and the way back."""

from flask import request
from flask.typing import ResponseReturnValue

from cpms.audit import queries, words
from cpms.audit.views.blueprint import bp
from cpms.core.permissions import P
from cpms.patients.models import Patient
from cpms.web.access import require
from cpms.web.htmx import page
from cpms.xrays import queries as xrays
from cpms.xrays.models import Xray


@bp.get("/trash")
@require(P.PATIENT_ARCHIVE)
def trash() -> ResponseReturnValue:
    """What was deleted, by whom, when and why."""
    shown = queries.trash(page=request.args.get("page", 1, type=int))
    speaker = words.Speaker(may_read_medical=False)
    return page("audit/trash.html", shown=shown, speaker=speaker, Patient=Patient, Xray=Xray, kinds=xrays.kind_words())
