"""Goal 5: ten times the patients and visits, the same week."""

from collections.abc import Callable
from datetime import date
from typing import Any

from bench.desk import GRID, Desk, interleaved
from bench.run import Run
from bench.table import Line, ratio
from bench.writing import booking


def figures(run: Run) -> list[Line]:
    if run.quick:
        return []
    small, big = run.desk, run.big_desk
    times = interleaved(
        run.rounds,
        {f"{what} {name}": do for name, desk in (("1x", small), ("10x", big)) for what, do in _of(desk, run).items()},
    )
    goals = {"week": 1.6, "patient page": 1.6, "booking": 1.5}
    return [
        ratio("5", f"{what}, 10x the data / 1x", times[f"{what} 10x"], times[f"{what} 1x"], goal)
        for what, goal in goals.items()
    ]


def _of(desk: Desk, run: Run) -> dict[str, Callable[[], Any]]:
    week = desk.request(run.week_url, GRID)

    def drawn() -> None:
        desk.forget_drawn()
        week()

    return {"week": drawn, "patient page": desk.request("/patients/12347"), "booking": booking(desk, date(2030, 1, 7))}
