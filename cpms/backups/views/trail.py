"""Whether the trail is whole: for the head of the audit log."""

from flask import Response, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from cpms.backups import jobs
from cpms.backups.views.blueprint import bp
from cpms.core.db import fresh_read
from cpms.core.permissions import P
from cpms.web.access import passive, require
from cpms.web.htmx import done, is_htmx
from cpms.work import jobs as work
from cpms.work import queries as works
from cpms.work.models import State

CHECK = "audit.verify"


@bp.get("/trail")
@require(P.AUDIT_READ)
@passive
def trail() -> ResponseReturnValue:
    """What the last check said and when; while one runs, how far it is."""
    return _trail()


@bp.post("/trail/verify")
@require(P.AUDIT_READ)
def verify_trail() -> ResponseReturnValue:
    """Check now, behind the screen. Refused, in a sentence, while other long work runs."""
    work.start(CHECK, jobs.verify_trail, actor=current_user)
    return _trail() if is_htmx() else done(url_for("audit.log"))


def _trail() -> Response:
    running = works.running()
    fresh_read()  # it may have ended in this very moment: then its verdict is to be seen
    return Response(
        render_template(
            "backups/_trail.html",
            last=works.last_ended(CHECK),
            running=running if running is not None and running.name == CHECK else None,
            State=State,
        )
    )
