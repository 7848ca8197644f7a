"""Views that are kept as they were drawn: every thread of the server keeps some."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cpms.calendar.views.grid import MOST_DRAWN, keep_drawn


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("hasty")
def test_threads_that_draw_at_once_keep_the_newest_and_no_more_than_there_is_room_for() -> None:
    drawn: dict[tuple[Any, ...], str] = {}

    def draw(thread: int) -> None:
        for number in range(20_000):
            keep_drawn(drawn, (thread, number), "")

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(draw, thread) for thread in range(8)]:
            done.result()
    assert len(drawn) == MOST_DRAWN
