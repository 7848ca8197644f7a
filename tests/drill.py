"""How often the hard tests do it: some times in the suite, many in `./cpms.sh drill`, which shows what was reached
beside what is promised. `DRILL=0 ./cpms.sh drill` does it as often as the suite does."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

REVISIONS = len(list((Path(__file__).parent.parent / "migrations" / "versions").glob("[0-9]*.py")))
# How many times each promise is kept in a row before we believe it.
PROMISES: dict[str, tuple[int, str]] = {
    "A crash loses nothing": (1000, "kills of the server under load"),
    "A power cut loses nothing": (10_000, "power cuts replayed from recorded writes"),
    "Backups are real": (100, "backups under full write load, all restore"),
    "A bad backup is noticed": (200, "faults in backups, all found"),
    "A restore loses nothing": (10, "backups put back under a server on which everybody books"),
    "Restore is quick": (2000, "MB of pictures restored in less than 256 MB of memory"),
    "No double booking": (40, "races of 200 for one slot, one winner each"),
    "No lost update": (480, "changes by 16 threads in 2 processes, all there"),
    "The trail can be trusted": (7, "kinds of tampering, all found"),
    "Nothing breaks the intake": (10_000, "spoilt pictures, no crash and no hang of the server"),
    "A full disk is survivable": (30, "kinds of write on a full and on a read-only disk"),
    "An upgrade keeps the records": (REVISIONS, "earlier schemas brought up to date with data"),
}


def times(short: int, long: int) -> int:
    return long if os.environ.get("DRILL", "0") not in {"", "0"} else short


def reached(promise: str, count: int, words: str = "") -> None:
    """Tell the drill's table how many times the promise was kept; in the suite nobody asks."""
    assert promise in PROMISES, promise
    if table := os.environ.get("DRILL_TABLE"):
        with Path(table).open("a") as file:
            file.write(json.dumps([promise, count, words]) + "\n")


def lines(told: Iterable[tuple[str, int, str]]) -> list[str]:
    """The table; a promise that is not reached is marked."""
    told = list(told)
    width = max(map(len, PROMISES))
    table = [f"{'promise':<{width}}  {'promised':>8}  {'reached':>8}"]
    for promise, (promised, unit) in PROMISES.items():
        count = sum(each for name, each, _words in told if name == promise)
        mark = "" if count >= promised else "   <-- BELOW THE PROMISE"
        table.append(f"{promise:<{width}}  {promised:>8,}  {count:>8,}  {unit}{mark}")
        table += [f"{'':<{width + 22}}{words}" for name, _count, words in told if name == promise and words]
    return table


def show(table: Path) -> None:
    rows = [json.loads(line) for line in table.read_text().splitlines()] if table.exists() else []
    sys.stdout.write("\n".join(lines(rows)) + "\n")


if __name__ == "__main__":
    show(Path(os.environ["DRILL_TABLE"]))
