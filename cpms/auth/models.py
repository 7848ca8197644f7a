"""People who work here, the screens they are signed in at, and the failed tries to sign in."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from cpms.core.columns import Instant, Timestamped, Versioned, choice
from cpms.core.db import Model
from cpms.core.permissions import Role


class Theme(StrEnum):
    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class User(Timestamped, Versioned, Model):
    """A member of staff. Leaves by becoming inactive: the name stays on what was written."""

    __tablename__ = "user"
    __table_args__ = (
        Index("uq_user_username_key", "username_key", unique=True),
        Index("uq_user_email_key", "email_key", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(60))
    username_key: Mapped[str] = mapped_column(String(60))  # `text.fold_name`: unique without regard to case
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    password_hash: Mapped[str] = mapped_column(String(200), info={"secret": True})
    display_name: Mapped[str] = mapped_column(String(100))
    role: Mapped[Role] = mapped_column(choice(Role))
    color: Mapped[str] = mapped_column(String(7), default="#0f766e")
    is_provider: Mapped[bool] = mapped_column(default=False)  # takes visits of their own on the calendar
    active: Mapped[bool] = mapped_column(default=True)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    theme: Mapped[Theme] = mapped_column(choice(Theme), default=Theme.AUTO)
    language: Mapped[str] = mapped_column(String(12), default="")  # one of `web.language`; empty: the clinic's
    last_login_at: Mapped[datetime | None] = mapped_column(Instant)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        # Counted by hand, in `services._edited`: signing in must not make somebody's open form stale.
        return {"version_id_col": cls.row_version, "version_id_generator": False}


class UserSession(Timestamped, Model):
    """One browser that somebody is signed in at. The cookie's random id is kept only as its SHA-256."""

    __tablename__ = "user_session"
    __table_args__ = {
        "info": {"unaudited": "last_seen_at moves every minute; signing in and out are entries of their own"}
    }

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True, info={"secret": True})
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    last_seen_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ip: Mapped[str] = mapped_column(String(45), default="")
    device: Mapped[str] = mapped_column(String(200), default="")

    user: Mapped[User] = relationship(lazy="raise_on_sql")


class SignInAttempt(Timestamped, Model):
    """Failed tries in a row for one name or one address, counted for all processes and across restarts."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = {"info": {"unaudited": "a counter; each failed sign-in is an entry of its own"}}

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    blocked_until: Mapped[datetime | None] = mapped_column(Instant)
