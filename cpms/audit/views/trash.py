"""What was deleted, and the way back."""

from flask import request
from flask.typing import ResponseReturnValue

from cpms.audit import queries, words
from cpms.audit.views.blueprint import bp
from cpms.core.permissions import P
from cpms.web.access import can, require
from cpms.web.htmx import page
from cpms.web.numbers import whole
from cpms.xrays import queries as xrays


@bp.get("/trash")
@require(P.PATIENT_ARCHIVE)
def trash() -> ResponseReturnValue:
    """What was deleted, by whom, when and why."""
    shown = queries.trash(pictures=can(P.XRAY_READ), page=request.args.get("page", 1, type=whole))
    return page(
        "audit/trash.html",
        shown=shown,
        speaker=words.Speaker(may_read_medical=False),
        kinds=xrays.kind_words(),
        layouts=xrays.layout_words(),
    )
