"""Runs long work: one at a time, in the open or behind a screen, and tells how far it is."""

import logging
import secrets
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask, current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.exc import DBAPIError

from cpms.core import clock, files
from cpms.core.db import Actor, through_the_hold, transaction
from cpms.core.errors import Busy, DiskFull, DomainError, ReadOnly, Refused, Unhealthy, of_the_disk
from cpms.web.errors import sentence
from cpms.web.language import SOURCE, retold
from cpms.work import queries, services
from cpms.work.models import State, Work

log = logging.getLogger("cpms")

TELL_EVERY = timedelta(seconds=1)
TRY_AGAIN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: a sentence, the id of what was made, and what follows when that is written down."""

    message: str = ""
    result: str = ""
    then: Callable[[], None] | None = None


class Progress:
    """Called by the task as often as it likes: `progress("Copying the pictures", 30, 800)`."""

    def __init__(self, work_id: int) -> None:
        self._work_id = work_id
        self._step = ""
        self._told: datetime | None = None

    def __call__(self, words: str, done: int = 0, total: int = 0) -> None:
        now = clock.now()
        if words == self._step and self._told and timedelta(0) <= now - self._told < TELL_EVERY:
            return
        self._step, self._told = words, now
        with suppress(Busy), through_the_hold(), transaction("work.step", actor=None):  # the next step is told again
            services.step(queries.work(self._work_id), words, done, total)


Task = Callable[[Progress], Outcome]


def run(name: str, task: Task, *, actor: Actor | None = None, due: str | None = None) -> int | None:
    """Do it now and come back when it is over; the work's id, or None when that day's work is done already.

    Raises Refused when other long work runs. Whatever goes wrong in the task ends up in the work's row as a sentence.
    """
    with ExitStack() as held:
        work_id = _begin(held, name, actor, due)
        if work_id is not None:
            _do(work_id, task)
        return work_id


def start(name: str, task: Task, *, actor: Actor | None = None) -> int:
    """Begin it behind the screen: the id by which it is found again. Raises Refused when other long work runs."""
    with ExitStack() as held:
        work_id = _begin(held, name, actor, None)
        assert work_id is not None  # only the work of a day can be done already
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        rest = held.pop_all()
        threading.Thread(target=_behind, args=(app, rest, work_id, task), daemon=True, name=f"work {name}").start()
        return work_id


def tried_lately(name: str) -> bool:
    """Whether the newest run of that name failed so short a time ago that trying again makes no sense."""
    row = queries.last(name)
    if row is None or row.state is State.DONE:
        return False
    return timedelta(0) <= clock.now() - (row.finished_at or row.updated_at) < TRY_AGAIN_AFTER


def _begin(held: ExitStack, name: str, actor: Actor | None, due: str | None) -> int | None:
    if not held.enter_context(files.only_one(queries.lock())):
        now = queries.running()
        step = retold(now.step) if now else "…"
        raise Refused(_("Something else is running: %(step)s. Please wait until it is over.", step=step))
    with force_locale(SOURCE), transaction("work.begin", actor=None):
        row = services.begin(name, actor_id=actor.id if actor else None, due=due)
    return row.id if row else None


def _behind(app: Flask, held: ExitStack, work_id: int, task: Task) -> None:
    with held, app.app_context():
        _do(work_id, task)


def _do(work_id: int, task: Task) -> None:
    with force_locale(SOURCE):  # what it says is kept, and retold to each reader in their language
        try:
            outcome = task(Progress(work_id))
        except Exception as error:  # noqa: BLE001 - the task is over either way: its row says how
            _end(work_id, Outcome(_sentence(error)), failed=True)
        else:
            _end(work_id, outcome, failed=False)
            if outcome.then:
                outcome.then()


def _end(work_id: int, outcome: Outcome, *, failed: bool) -> None:
    try:
        with through_the_hold(), transaction("work.end", actor=None):
            row: Work = queries.work(work_id)
            services.end(row, error=outcome.message if failed else None, message=outcome.message, result=outcome.result)
    except (DomainError, DBAPIError):
        log.exception("work %s ended and could not say so: %s", work_id, outcome.message)


def _sentence(error: Exception) -> str:
    """For whoever started it. What we did not foresee gets a code that the log knows."""
    if words := words_of(error):
        return words
    code = secrets.token_hex(4)
    log.exception("long work failed, code %s", code, exc_info=error)
    return _("Something went wrong on our side; nothing was changed. Code %(code)s", code=code)


def words_of(error: Exception) -> str:
    """What went wrong in long work, or nothing when we did not foresee it."""
    trouble = of_the_disk(error) if isinstance(error, OSError) else error
    if isinstance(trouble, DiskFull):
        return _("The disk is full. Make room and try again; nothing was changed.")
    if isinstance(trouble, ReadOnly):
        what = getattr(error, "filename", None) or _("the server's disk")
        return _("This cannot be written to: %(what)s. Nothing was changed.", what=what)
    if isinstance(error, DomainError):
        return sentence(error)
    return str(error) if isinstance(error, Unhealthy) else ""
