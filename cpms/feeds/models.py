"""The addresses at which calendars outside the clinic read what a provider's day holds."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cpms.auth.models import User
from cpms.core.columns import Instant, Timestamped
from cpms.core.db import Model


class Feed(Timestamped, Model):
    """A provider's calendar for a telephone. Its secret is kept only as its SHA-256; none: nobody can read it."""

    __tablename__ = "feed"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), unique=True)
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True, info={"secret": True})
    with_names: Mapped[bool] = mapped_column(default=False)  # else initials
    made_at: Mapped[datetime | None] = mapped_column(Instant)  # of the address that is good now
    read_at: Mapped[datetime | None] = mapped_column(Instant)  # the first time on the last day that it was read

    user: Mapped[User] = relationship(lazy="joined")
