"""Goals 1, 2 and 4: the week and the poll, through the real endpoint: session, permission, headers and all."""

import re
from html import unescape
from statistics import median

from bench import limit
from bench.desk import GRID, interleaved
from bench.run import Run
from bench.table import Line, p95, ratio


def poll_url(grid: bytes) -> str:
    """What the page asks every few seconds."""
    found = re.search(r'id="week-grid"[^>]* hx-get="([^"]+)"', grid.decode())
    assert found is not None
    return unescape(found[1])


def figures(run: Run) -> list[Line]:
    desk, raw = run.desk, run.raw
    week = desk.request(run.week_url, GRID)
    poll = desk.request(poll_url(week().body), GRID)
    page = desk.request(run.week_url)

    def bare() -> bytes:
        return limit.week(raw, run.day, run.hours, run.day)

    def drawn() -> None:
        desk.forget_drawn()
        week()

    body = week().body
    assert body == bare(), "the limit draws another week than the program"
    assert poll().status == 204
    cards = body.count(b'<a class="ev ')
    times = interleaved(run.rounds, {"limit": bare, "drawn": drawn, "kept": week, "poll": poll, "page": page})
    many = interleaved(40 if run.quick else 200, {"drawn": drawn})["drawn"]
    return [
        ratio(
            "1",
            f"week of {cards} visits, drawn anew / raw rows + f-strings",
            times["drawn"],
            times["limit"],
            2.0,
            f"{len(body):,} bytes; the kept drawing is thrown away before each round",
        ),
        ratio("2", "poll without change / the same limit", times["poll"], times["limit"], 0.4),
        ratio("2", "week from the drawing kept by revision / the same limit", times["kept"], times["limit"], 0.5),
        Line("4", f"p95 / p50 of {len(many)} weeks in a row", p95(many) / median(many), goal=2.0, ours=many),
        ratio("", "whole page of the week / the same limit", times["page"], times["limit"]),
    ]
