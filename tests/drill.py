"""How often the hard tests do it: some times in the suite, many in `./cpms.sh drill`, which shows the figures."""

import json
import os
import sys
from pathlib import Path


def times(short: int, long: int) -> int:
    return long if os.environ.get("DRILL") else short


def reached(promise: str, figure: str) -> None:
    """Tell the drill's table what was reached; in the suite nobody asks."""
    if table := os.environ.get("DRILL_TABLE"):
        with Path(table).open("a") as file:
            file.write(json.dumps([promise, figure]) + "\n")


def show(table: Path) -> None:
    rows = [json.loads(line) for line in table.read_text().splitlines()] if table.exists() else []
    width = max((len(promise) for promise, _figure in rows), default=0)
    for promise, figure in rows:
        sys.stdout.write(f"{promise:<{width}}  {figure}\n")


if __name__ == "__main__":
    show(Path(os.environ["DRILL_TABLE"]))
