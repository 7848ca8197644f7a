"""Reading everything that the clinic wrote, table by table."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Table, func, select

from cpms.core.db import db, fresh_read

PAGE = 1000


def tables() -> list[Table]:
    """Those that a later reader can use, in an order in which each comes after what it points at."""
    return list(db.metadata.sorted_tables)


def columns(table: Table) -> list[Column[Any]]:
    """All but what is nobody's to read, such as hashes of passwords, and what the program derives from others."""
    return [column for column in table.columns if not (column.info.get("secret") or column.info.get("derived"))]


def rows(table: Table) -> Iterator[tuple[Any, ...]]:
    """Every row, in short reads: a long one would let the write-ahead log grow."""
    wanted, order = columns(table), list(table.primary_key.columns)
    start = 0
    while True:
        fresh_read()
        page = db.session.execute(select(*wanted).order_by(*order).limit(PAGE).offset(start)).all()
        yield from (tuple(row) for row in page)
        if len(page) < PAGE:
            return
        start += PAGE


def count(table: Table) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0
