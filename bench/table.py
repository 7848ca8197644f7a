"""One line for each figure: what was measured, against what, and whether it is good enough."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median, quantiles


def p95(times: list[float]) -> float:
    return quantiles(times, n=20)[-1] if len(times) > 1 else times[0]


@dataclass(slots=True)
class Line:
    """`value` is judged by `goal`; without a goal it is told for information."""

    number: str  # of the goal in docs/performance.md
    what: str
    value: float
    unit: str = "x"
    goal: float | None = None
    at_least: bool = False
    ours: list[float] = field(default_factory=list)  # milliseconds
    limit: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    @property
    def goal_words(self) -> str:
        return "" if self.goal is None else f"{'>=' if self.at_least else '<='} {self.goal:g}"


def ratio(
    number: str, what: str, ours: list[float], limit: list[float], goal: float | None = None, note: str = ""
) -> Line:
    """How many times the limit's median ours is."""
    return Line(number, what, median(ours) / median(limit), goal=goal, ours=ours, limit=limit, note=note)


def show(lines: list[Line]) -> None:
    width = max((len(line.what) for line in lines), default=10)
    print(f"\n{'#':<3} {'figure':<{width}} {'median':>9} {'p95':>9} {'limit':>9} {'value':>10} {'goal':>8}  met")
    for line in lines:
        own = (f"{median(line.ours):9.3f}", f"{p95(line.ours):9.3f}") if line.ours else (" " * 9, " " * 9)
        limit = f"{median(line.limit):9.3f}" if line.limit else " " * 9
        verdict = {None: "", True: "yes", False: "NO"}[line.met]
        value = f"{line.value:.4g} {line.unit}"
        print(
            f"{line.number:<3} {line.what:<{width}} {own[0]} {own[1]} {limit} {value:>10} "
            f"{line.goal_words:>8}  {verdict}"
        )
        if line.note:
            print(f"    {'':<{width}} {line.note}")


def store(lines: list[Line], path: Path, about: dict[str, object]) -> None:
    rows = [
        asdict(line)
        | {"met": line.met}
        | {
            name: {"median": median(times), "p95": p95(times), "rounds": len(times)} if times else None
            for name, times in (("ours", line.ours), ("limit", line.limit))
        }
        for line in lines
    ]
    path.write_text(json.dumps(about | {"figures": rows}, indent=2, ensure_ascii=False) + "\n")
