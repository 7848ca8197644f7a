"""Reading what runs and what ran."""

from pathlib import Path

from flask import current_app
from sqlalchemy import select

from cpms.core import files
from cpms.core.db import db
from cpms.core.errors import NotFound
from cpms.work.models import State, Work


def lock() -> Path:
    """Held by whoever does long work."""
    return Path(current_app.config["CPMS_INSTANCE"], "work.lock")


def work(work_id: int) -> Work:
    """Raises NotFound."""
    row = db.session.get(Work, work_id)
    if row is None:
        raise NotFound
    return row


def running() -> Work | None:
    """What runs now. A row whose process was killed says running, but nobody holds the lock."""
    row = db.session.scalars(select(Work).where(Work.state == State.RUNNING).order_by(Work.id.desc()).limit(1)).first()
    return row if row is not None and files.is_held(lock()) else None


def left_over() -> list[Work]:
    """Rows that say running. Only whoever holds the lock may conclude that they do not."""
    return list(db.session.scalars(select(Work).where(Work.state == State.RUNNING)))


def for_day(name: str, due: str) -> Work | None:
    return db.session.scalars(select(Work).where(Work.name == name, Work.due == due)).first()


def last(name: str) -> Work | None:
    """The newest run of that name."""
    return db.session.scalars(select(Work).where(Work.name == name).order_by(Work.id.desc()).limit(1)).first()


def recent(*, limit: int = 20) -> list[Work]:
    return list(db.session.scalars(select(Work).order_by(Work.id.desc()).limit(limit)))


def last_ended(name: str) -> Work | None:
    """The newest run of that name that is over."""
    ended = select(Work).where(Work.name == name, Work.finished_at.is_not(None))
    return db.session.scalars(ended.order_by(Work.id.desc()).limit(1)).first()
