"""Reading users and their sessions."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_login import UserMixin
from sqlalchemy import Select, bindparam, select

from cpms.auth import rules
from cpms.auth.models import SignInAttempt, Theme, User, UserSession
from cpms.core import clock
from cpms.core.db import db
from cpms.core.errors import NotFound
from cpms.core.permissions import ROLES, P, Role
from cpms.core.text import fold, fold_name


@dataclass(frozen=True)
class SignedIn(UserMixin):
    """Whoever is at the screen, as every request needs them; read afresh each time, so that a change counts at once."""

    id: int
    username: str
    display_name: str
    role: Role
    theme: Theme
    language: str
    must_change_password: bool
    session_id: int
    last_seen_at: datetime

    @property
    def permissions(self) -> frozenset[P]:
        return ROLES[self.role]


@dataclass(frozen=True, slots=True)
class LastHere:
    """Who used this browser last."""

    id: int
    username: str
    language: str
    ended_at: datetime | None  # None: the session was idle for too long, or is open


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _signed_in() -> Select[Any]:
    user, session = User.__table__.c, UserSession.__table__.c
    return (
        select(
            user.id,
            user.username,
            user.display_name,
            user.role,
            user.theme,
            user.language,
            user.must_change_password,
            session.id,
            session.last_seen_at,
        )
        .join_from(UserSession.__table__, User.__table__, session.user_id == user.id)
        .where(
            session.token_hash == bindparam("token_hash"),
            session.ended_at.is_(None),
            session.expires_at > bindparam("now"),
            session.last_seen_at > bindparam("idle_since"),
            user.active,
        )
    )


# Every request asks this: the statement is put together once, and from columns, which cost less than an entity's.
_SIGNED_IN = _signed_in()


def signed_in(token: str, *, idle: timedelta) -> SignedIn | None:
    """Who holds this session token; None when it ended, expired, or was idle for too long."""
    now = clock.now()
    row = db.session.execute(
        _SIGNED_IN, {"token_hash": token_hash(token), "now": now, "idle_since": now - idle}
    ).one_or_none()
    return SignedIn(*row) if row else None


def session(session_id: int) -> UserSession:
    found = db.session.get(UserSession, session_id)
    if found is None:
        raise NotFound
    return found


def session_with(token: str) -> UserSession | None:
    return db.session.scalar(select(UserSession).where(UserSession.token_hash == token_hash(token)))


def unended_sessions(user_id: int) -> list[UserSession]:
    """Every session that nobody has ended, idle and expired ones too."""
    query = select(UserSession).where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
    return list(db.session.scalars(query))


def old_sessions(before: datetime) -> list[UserSession]:
    """Sessions that were over before that instant."""
    return list(db.session.scalars(select(UserSession).where(UserSession.expires_at < before)))


def session_of(user_id: int, session_id: int) -> UserSession:
    """One session of that user; another's is not found."""
    found = db.session.get(UserSession, session_id)
    if found is None or found.user_id != user_id:
        raise NotFound
    return found


def last_at(token: str) -> LastHere | None:
    """Who was signed in with this token, also when the session is over since."""
    row = db.session.execute(
        select(User.id, User.username, User.language, UserSession.ended_at)
        .join(UserSession, UserSession.user_id == User.id)
        .where(UserSession.token_hash == token_hash(token), User.active)
    ).one_or_none()
    return LastHere(*row) if row else None


def open_sessions(user_id: int, *, idle: timedelta) -> list[UserSession]:
    """Where a user is signed in now, the last used first."""
    now = clock.now()
    query = select(UserSession).where(
        UserSession.user_id == user_id,
        UserSession.ended_at.is_(None),
        UserSession.expires_at > now,
        UserSession.last_seen_at > now - idle,
    )
    return list(db.session.scalars(query.order_by(UserSession.last_seen_at.desc(), UserSession.id)))


def user(user_id: int) -> User:
    found = db.session.get(User, user_id)
    if found is None:
        raise NotFound
    return found


def users() -> list[User]:
    """Everybody, those who still work here first."""
    everybody = db.session.scalars(select(User).order_by(User.active.desc(), User.id))
    return sorted(everybody, key=lambda user: (not user.active, fold(user.display_name)))


def user_named(username: str) -> User | None:
    return db.session.scalar(select(User).where(User.username_key == fold_name(username)))


def user_with_email(email: str) -> User | None:
    return db.session.scalar(select(User).where(User.email_key == fold_name(email)))


def providers() -> list[User]:
    """Those who take visits, by name."""
    query = select(User).where(User.active, User.is_provider).order_by(User.id)
    return sorted(db.session.scalars(query), key=lambda user: fold(user.display_name))


def all_open_sessions() -> list[UserSession]:
    return list(db.session.scalars(select(UserSession).where(UserSession.ended_at.is_(None))))


def active_owners() -> list[User]:
    """Held until the transaction ends, so that two owners cannot demote each other at the same moment."""
    query = select(User).where(User.active, User.role == Role.OWNER).order_by(User.id).with_for_update()
    return list(db.session.scalars(query))


def old_attempts(before: datetime) -> list[SignInAttempt]:
    """Counters that nobody has moved since."""
    return list(db.session.scalars(select(SignInAttempt).where(SignInAttempt.updated_at < before)))


def attempt(key: str) -> SignInAttempt | None:
    return db.session.get(SignInAttempt, key)


@dataclass(frozen=True, slots=True)
class Block:
    """A name or an address from which nobody may try to sign in for a while."""

    key: str
    label: str  # whose name, or the address
    until: datetime


def blocks() -> list[Block]:
    """What is blocked now. A name that nobody has is not told: it keeps nobody out."""
    rows = db.session.scalars(select(SignInAttempt).where(SignInAttempt.blocked_until > clock.now()))
    names = {rules.name_key(user.username): user.display_name for user in users()}
    return [
        Block(row.key, names.get(row.key) or row.key.removeprefix("address:"), row.blocked_until)
        for row in rows
        if row.blocked_until and (row.key in names or row.key.startswith("address:"))
    ]


def block(key: str) -> Block:
    """Raises NotFound when it is over."""
    found = next((each for each in blocks() if each.key == key), None)
    if found is None:
        raise NotFound
    return found


def nobody_yet() -> bool:
    """True before the first-run page was answered."""
    return db.session.scalar(select(User.id).limit(1)) is None
