"""Long lists, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

PER_PAGE = 50
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """One page of a list."""

    rows: Sequence[Row]
    page: int
    total: int  # of rows on all pages
    size: int = PER_PAGE

    @property
    def pages(self) -> int:
        return how_many(self.total, self.size)

    @property
    def first(self) -> int:
        return skipped(self.page, self.size) + 1

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def how_many(total: int, size: int = PER_PAGE) -> int:
    """Pages; an empty list has one."""
    return max(1, -(-total // size))


def nearest(wanted: int, total: int, size: int = PER_PAGE) -> int:
    """The page that was asked for, or the first or last one when there is none such."""
    return min(max(wanted, 1), how_many(total, size))


def skipped(page: int, size: int = PER_PAGE) -> int:
    """Rows on the pages before."""
    return (page - 1) * size
