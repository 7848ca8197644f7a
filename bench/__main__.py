"""`./cpms.sh bench`: measures the program against its limits and prints one table. Never fails because of a time."""

import argparse
import gc
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from bench import backups, browser, calendar, data, growth, pages, served, sizes, table, viewer, writing, xrays
from bench.run import Run, calibrate
from cpms.core import clock

THEMES: dict[str, Callable[[Run], list[table.Line]]] = {
    "week": calendar.figures,
    "size": sizes.figures,
    "growth": growth.figures,
    "search": pages.search_figures,
    "page": pages.page_figures,
    "write": writing.figures,
    "clients": served.writers,
    "memory": served.memory,
    "start": served.starting,
    "backup": backups.figures,
    "browser": browser.figures,
    "viewer": viewer.figures,
    "xrays": xrays.figures,
}
OF_A_SERVER = {"clients", "memory", "start", "backup", "browser", "viewer", "xrays"}  # whose clock is the real one


def main() -> int:
    parser = argparse.ArgumentParser(prog="./cpms.sh bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and nothing with ten times the data")
    parser.add_argument("--only", choices=THEMES, action="append", help="only this theme; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    wanted = parser.parse_args()
    sys.dont_write_bytecode = False
    run = Run(quick=wanted.quick)
    calibration = calibrate()
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores", end="; ")
    print(f"calibration loop {calibration:.1f} ms; clinic {run.kept.digest}, {run.rounds} rounds")
    lines: list[table.Line] = []
    try:
        for name in wanted.only or THEMES:
            print(f"measuring: {name}", file=sys.stderr)
            lines += _measured(name, run)
    finally:
        run.close()
        table.show(lines)  # also when a theme broke off
    if wanted.json:
        about = {
            "calibration_ms": calibration,
            "clinic": run.kept.digest,
            "rounds": run.rounds,
            "quick": run.quick,
        }
        table.store(lines, wanted.json, about)
    return 0


def _measured(name: str, run: Run) -> list[table.Line]:
    if name in OF_A_SERVER:
        return THEMES[name](run)
    with clock.freeze(data.NOW):
        _ = run.desk
        if not run.quick and name in {"growth", "search"}:
            _ = run.big_desk
        # As wsgi.py does for the server: what lives as long as the process is not walked again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        return THEMES[name](run)


if __name__ == "__main__":
    sys.exit(main())
