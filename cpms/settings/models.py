"""The clinic's wishes as they are stored: one row a setting."""

from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from cpms.core.columns import Timestamped
from cpms.core.db import Model


class Setting(Timestamped, Model):
    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
