"""What the figures of one run share: the clinics, the desks before them, and how often to measure."""

import shutil
import tempfile
import time
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from bench import data, limit
from bench.desk import Desk

CALIBRATION_LOOPS = 200_000
FAR = date(2028, 1, 3)  # nothing is booked from here on


class Run:
    def __init__(self, *, quick: bool) -> None:
        self.quick = quick
        self.rounds = 15 if quick else 60
        data.CACHE.mkdir(exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="work-", dir=data.CACHE))  # its own: two runs must not meet
        self.day: date = data.AS_OF
        self.at = f"{data.NOW:%Y-%m-%d %H:%M:%S}.000000"

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @cached_property
    def kept(self) -> data.Clinic:
        return data.clinic("1x", 20_000, 200_000)

    @cached_property
    def desk(self) -> Desk:
        """Before a copy: opening a chart writes."""
        return Desk(self.kept.copy(self.folder / "1x"))

    @cached_property
    def big_desk(self) -> Desk:
        return Desk(data.clinic("10x", 200_000, 2_000_000).copy(self.folder / "10x"))

    @cached_property
    def raw(self) -> Any:
        """A bare connection to the desk's clinic."""
        return limit.connect(self.desk.clinic.file)

    @cached_property
    def hours(self) -> list[tuple[int, int] | None]:
        return limit.opening(self.raw)

    @property
    def week_url(self) -> str:
        return f"/calendar/week/{self.day}"

    def fresh(self, name: str) -> data.Clinic:
        """Another copy, for a server of its own."""
        return self.kept.copy(self.folder / name)


def far_slots(first: date = FAR) -> Any:
    """Start after start, half an hour each, on working days on which nothing is booked yet."""
    day = first
    while True:
        if day.weekday() < 5:
            for slot in range(18):
                yield datetime(day.year, day.month, day.day, 8) + timedelta(minutes=30 * slot)
        day += timedelta(days=1)


def calibrate() -> float:
    """Milliseconds of a fixed piece of work, by which one machine compares to another."""
    best = 1e9
    for _ in range(5):
        start = time.thread_time()
        words: dict[str, int] = {}
        for number in range(CALIBRATION_LOOPS):
            key = f"{number % 1000:04}"
            words[key] = words.get(key, 0) + len(key)
        best = min(best, time.thread_time() - start)
    return best * 1000
