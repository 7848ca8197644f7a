"""Long work: what runs, how far it is, how it ended."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cpms.core.columns import Instant, Timestamped, choice
from cpms.core.db import Model


class State(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Work(Timestamped, Model):
    """One run of a long task. It can be left and found again; `due` is the clinic's day that a nightly one is for."""

    __tablename__ = "work"
    __table_args__ = (
        UniqueConstraint("name", "due", name="uq_work_name"),
        Index("ix_work_name_created", "name", "created_at"),
        {"info": {"unaudited": "progress; what the work does stands in the trail"}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    due: Mapped[str | None] = mapped_column(String(10))
    state: Mapped[State] = mapped_column(choice(State), default=State.RUNNING)
    step: Mapped[str] = mapped_column(String(80), default="")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)  # 0: nobody can tell
    message: Mapped[str] = mapped_column(String(400), default="")
    result: Mapped[str] = mapped_column(String(60), default="")  # what it made, such as a backup's id
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))

    @property
    def percent(self) -> int | None:
        return min(100, self.done * 100 // self.total) if self.total else None
