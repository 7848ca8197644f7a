"""What somebody chose to see of the calendar: kept for every device, told in words, and what a dentist begins with."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Integer, Select, String, bindparam, func, literal, null, select, type_coerce, union_all

from cpms.auth.models import User
from cpms.calendar.models import AppointmentType, CalendarChoice, Chair, Clipboard, Event
from cpms.calendar.shown import Shown, narrowed
from cpms.core.db import db


def chosen(shown: Shown, user_id: int) -> Shown:
    """Those days as this person wants to see them. Who takes visits begins with the own ones."""
    choice = CalendarChoice.__table__.c
    query = (
        select(User.is_provider, choice.user_id, choice.providers, choice.chairs, choice.types, choice.cancelled)
        .add_columns(choice.by)
        .outerjoin_from(User, CalendarChoice.__table__, choice.user_id == User.id)
        .where(User.id == user_id)
    )
    is_provider, known, providers, chairs, types, cancelled, by = db.session.execute(query).one()
    if known is None:
        return replace(shown, providers=frozenset({user_id})) if is_provider else shown
    return replace(
        shown,
        providers=frozenset(providers),
        chairs=frozenset(chairs),
        types=frozenset(types),
        cancelled=cancelled,
        by=by,
    )


def keep(shown: Shown, user_id: int) -> None:
    """From now on this is what the person sees, on every device."""
    row = db.session.get(CalendarChoice, user_id)
    if row is None:
        row = CalendarChoice(user_id=user_id)
        db.session.add(row)
    row.providers, row.chairs, row.types = sorted(shown.providers), sorted(shown.chairs), sorted(shown.types)
    row.cancelled, row.by = shown.cancelled, shown.by


class Thing(NamedTuple):
    """Somebody or something that can be chosen."""

    kind: str  # provider | chair | type
    id: int
    name: str
    color: str
    in_use: bool


@dataclass(frozen=True, slots=True)
class Things:
    """Everything that can be chosen, and how many entries there are when nothing is."""

    every: tuple[Thing, ...]
    total: int | None  # counted only for a calendar that may leave something out
    is_hand_full: bool = False  # something was cut or copied at this browser

    def offered(self, kind: str, shown: frozenset[int]) -> list[Thing]:
        """What is in use; what is chosen stays choosable, or nobody could take it back."""
        return [each for each in self.every if each.kind == kind and (each.in_use or each.id in shown)]

    def known(self, shown: Shown) -> Shown:
        """The same without what there is not: it would leave nothing to be seen, and could not be told."""
        ids: dict[str, set[int]] = {"provider": set(), "chair": set(), "type": set()}
        for each in self.every:
            ids[each.kind].add(each.id)
        return replace(
            shown,
            providers=shown.providers & ids["provider"],
            chairs=shown.chairs & ids["chair"],
            types=shown.types & ids["type"],
        )

    def names(self, shown: Shown) -> list[str]:
        """What a calendar is narrowed to, in words."""
        ids = {"provider": shown.providers, "chair": shown.chairs, "type": shown.types}
        return [each.name for each in self.every if each.id in ids[each.kind]]


def things(shown: Shown, session_id: int = 0) -> Things:
    """One statement, however much there is to choose from."""
    first, end = shown.days
    parameters: dict[str, Any] = {"session_id": session_id}
    if shown.is_filtered:
        parameters |= Shown("", first).parameters(first, end)
    rows = db.session.execute(_things(shown.cancelled if shown.is_filtered else None), parameters).all()
    found = sorted(rows, key=lambda row: (row.kind, row.position, str(row.name).casefold(), row.id))
    every = tuple(Thing(row.kind, row.id, row.name, row.color, bool(row.in_use)) for row in found if row.name)
    numbers = {row.kind: row.id for row in rows if row.name is None}
    return Things(every, numbers.get("total"), bool(numbers["hand"]))


def known(shown: Shown) -> Shown:
    """What an address asks for, as far as there is such a thing."""
    return things(shown).known(shown) if shown.is_filtered else shown


@lru_cache(maxsize=3)
def _things(cancelled: bool | None) -> Any:
    """Kept, because every page of the calendar asks. `cancelled`: are those counted too; None counts nothing."""
    user, chair, type_ = User.__table__.c, Chair.__table__.c, AppointmentType.__table__.c

    def part(kind: str, id_: Any, name: Any, color: Any, in_use: Any, position: Any) -> Select[Any]:
        return select(
            literal(kind).label("kind"),
            id_.label("id"),
            type_coerce(name, String).label("name"),
            type_coerce(color, String).label("color"),
            type_coerce(in_use, Integer).label("in_use"),
            type_coerce(position, Integer).label("position"),
        )

    parts = [
        part("provider", user.id, user.display_name, user.color, user.active & user.is_provider, literal(0)),
        part("chair", chair.id, chair.name, literal(""), chair.active, chair.position),
        part("type", type_.id, type_.name, type_.color, type_.active, type_.position),
    ]
    held = select(func.count()).where(Clipboard.session_id == bindparam("session_id")).scalar_subquery()
    parts.append(part("hand", held, null(), null(), literal(1), literal(0)))
    if cancelled is not None:
        count = narrowed(select(func.count(Event.__table__.c.id)), False, False, False, cancelled).scalar_subquery()
        parts.append(part("total", count, null(), null(), literal(1), literal(0)))
    return union_all(*parts)
