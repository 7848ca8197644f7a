"""The visit in somebody's hand: cut or copied at one browser, to be put down in another week."""

from dataclasses import dataclass

from sqlalchemy import select

from cpms.calendar import queries
from cpms.calendar.models import Clipboard, Event, Held
from cpms.core.db import db


@dataclass(frozen=True, slots=True)
class InHand:
    """What the strip under the toolbar says."""

    event: Event
    held: Held


def in_hand(session_id: int) -> InHand | None:
    """What was taken up at this browser; an entry that was deleted since has slipped out of it."""
    query = select(Event, Clipboard.held).join(Clipboard, Clipboard.event_id == Event.id)
    row = db.session.execute(query.where(Clipboard.session_id == session_id, Event.deleted_at.is_(None))).one_or_none()
    return InHand(row[0], row[1]) if row else None


def take_up(session_id: int, event_id: int, held: Held) -> None:
    """Hold this one; whatever was held before is let go."""
    queries.event(event_id)
    row = db.session.get(Clipboard, session_id)
    if row is None:
        row = Clipboard(session_id=session_id)
        db.session.add(row)
    row.event_id, row.held = event_id, held


def let_go(session_id: int, *, moved: int | None = None) -> None:
    """Hold nothing any more. After a move only that entry is let go, and only when it was cut."""
    row = db.session.get(Clipboard, session_id)
    if row is not None and (moved is None or (row.event_id == moved and row.held is Held.CUT)):
        db.session.delete(row)
