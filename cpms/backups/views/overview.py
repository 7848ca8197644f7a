"""The page that answers whether the clinic's data is safe, and the work that makes it so."""

import shutil
from typing import Any

from flask import Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from cpms.backups import elsewhere, jobs, queries, restore, rules
from cpms.backups.models import BackupKind
from cpms.backups.views.blueprint import CHANGED, bp
from cpms.core import clock
from cpms.core.permissions import P
from cpms.settings import queries as settings
from cpms.web.access import passive, require
from cpms.web.htmx import done, is_htmx, page
from cpms.web.language import retold
from cpms.web.numbers import whole
from cpms.web.toasts import toast
from cpms.work import jobs as work
from cpms.work import queries as works
from cpms.work.models import State

KINDS = {
    BackupKind.NIGHTLY: lambda: _("nightly"),
    BackupKind.MANUAL: lambda: _("by hand"),
    BackupKind.BEFORE_RESTORE: lambda: _("before a restore"),
    BackupKind.BEFORE_UPGRADE: lambda: _("before an upgrade"),
}


@bp.get("/")
@require(P.BACKUP_MANAGE)
def index() -> ResponseReturnValue:
    return _index()


def _index(*, status: int = 200, fire: str | None = None) -> Response:
    return page(
        "backups/index.html",
        status=status,
        fire=fire,
        found=queries.backups(page=request.args.get("page", 1, type=whole)),
        kinds={kind: words() for kind, words in KINDS.items()},
        drill=works.last("backups.drill"),
        trail=works.last("audit.verify"),
        second=elsewhere.state(),
        ended=restore.last(queries.instance()),
        State=State,
        **_state(),
    )


def _state() -> dict[str, Any]:
    """What the first line of the page says."""
    last = queries.last_good()
    return {
        "last": last,
        "overdue": rules.is_old(last.created_at if last else None, now=clock.now(), limit=rules.WORRY_AFTER),
        "wishes": settings.current(),
        "running": works.running(),
        "free": shutil.disk_usage(queries.instance()).free,
        "has_reserve": queries.reserve().exists(),
    }


@bp.get("/progress/<int:work_id>")
@require(P.BACKUP_MANAGE)
@passive
def progress(work_id: int) -> ResponseReturnValue:
    """How far it is; when it is over, the list behind it draws itself anew."""
    row = works.work(work_id)
    if row.state is State.RUNNING and works.running() is not None:
        return Response(render_template("backups/_progress.html", running=row))
    if row.state is State.RUNNING:
        toast(_("The server was stopped in the middle, or its disk is full. Please start it again."), "error")
    else:
        toast(retold(row.message) or _("Done."), "error" if row.state is State.FAILED else "ok")
    answer = Response(render_template("backups/_progress.html", running=None))
    answer.headers["HX-Trigger"] = CHANGED
    return answer


@bp.post("/make")
@require(P.BACKUP_MANAGE)
def make() -> ResponseReturnValue:
    return _begin("backups.manual", jobs.make(BackupKind.MANUAL, actor=current_user._get_current_object()))


@bp.post("/<backup_id>/verify")
@require(P.BACKUP_MANAGE)
def verify(backup_id: str) -> ResponseReturnValue:
    row = queries.backup(backup_id)
    if row.removed_at is not None:
        abort(404)
    return _begin("backups.verify", jobs.check_again(row.id))


@bp.post("/drill")
@require(P.BACKUP_MANAGE)
def drill() -> ResponseReturnValue:
    return _begin("backups.drill", jobs.drill)


def _begin(name: str, task: work.Task) -> Response:
    """Start long work behind the screen; the page shows how far it is, also when it is left and opened again."""
    work_id = work.start(name, task, actor=current_user)
    if not is_htmx():
        return done(url_for("backups.index"))
    return Response(render_template("backups/_progress.html", running=works.work(work_id)))


@bp.post("/reserve")
@require(P.BACKUP_MANAGE)
def give_reserve() -> ResponseReturnValue:
    """Give the room back that was set aside. It works on a full disk: nothing is written before the file is gone."""
    queries.reserve().unlink(missing_ok=True)
    toast(_("There is room again. Now make more: remove what the server does not need, or change its disk."))
    return done(url_for("backups.index"))


@bp.get("/mark")
@require(P.PROFILE)
@passive
def mark() -> ResponseReturnValue:
    """For the head of every page: nothing while all is well, else what is wrong and who mends it."""
    last = queries.last_good()
    overdue = rules.is_old(last.created_at if last else None, now=clock.now(), limit=rules.WORRY_AFTER)
    failed_copy = bool(last and last.target_error)
    return Response(render_template("backups/_mark.html", last=last, overdue=overdue, failed_copy=failed_copy))
