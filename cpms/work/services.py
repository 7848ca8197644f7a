"""Keeping the book of long work."""

from flask_babel import gettext as _

from cpms.core import clock
from cpms.core.db import db
from cpms.work import queries
from cpms.work.models import State, Work


def begin(name: str, *, actor_id: int | None = None, due: str | None = None) -> Work | None:
    """Write down that work begins; the caller holds the lock. None when that day's work is done already."""
    for stopped in queries.left_over():
        end(stopped, error=_("The server was stopped in the middle."))
        stopped.finished_at = stopped.updated_at  # its last sign of life
    known = queries.for_day(name, due) if due else None
    if known is None:
        row = Work(name=name, due=due, actor_id=actor_id, state=State.RUNNING)
        db.session.add(row)
        db.session.flush()
        return row
    if known.state is State.DONE:
        return None
    known.state, known.finished_at, known.message = State.RUNNING, None, ""
    return known


def step(row: Work, words: str, done: int = 0, total: int = 0) -> None:
    row.step, row.done, row.total = words[:80], done, total


def end(row: Work, *, error: str | None = None, message: str = "", result: str = "") -> None:
    """It is done, or it failed with a sentence."""
    row.state = State.FAILED if error else State.DONE
    row.message = (error or message)[:400]
    row.result = result
    row.finished_at = clock.now()
