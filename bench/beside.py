"""Goals 9 to 11 beside FullCalendar 6: the same visits and the same hand, turn by turn in the same slow Chromium."""

from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from statistics import median
from typing import Any

from bench import data, fullcalendar, limit
from bench.chromium import SLOWER, WINDOW
from bench.run import FAR
from bench.table import Line

WEEK = timedelta(days=7)

# From the moment in which the hand lets the button go, until the frame after the one in which it stands there.
WATCH = """(there) => {
  window.painted = new Promise((done, fail) => {
    setTimeout(fail, 60000, new Error(there));
    addEventListener("pointerup", ({ timeStamp }) => {
      const look = () => {
        if (document.querySelector(there))
          requestAnimationFrame(() => setTimeout(() => done(performance.now() - timeStamp)));
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    }, { capture: true, once: true });
  });
}"""
PAINTED = "() => window.painted"
WIRE = """() => ["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
  .reduce((sum, each) => sum + each.transferSize, 0)"""

# The visits of two weeks once more in days to come: a drop into the past would be asked about.
AHEAD = (
    "CREATE TEMP TABLE ahead AS SELECT * FROM event WHERE start >= :first AND start < :until",
    """UPDATE ahead SET id = id + 10000000, booking_key = NULL,
      start = strftime('%Y-%m-%d %H:%M:%S.000000', start, :days || ' days'),
      "end" = strftime('%Y-%m-%d %H:%M:%S.000000', "end", :days || ' days')""",
    "INSERT INTO event SELECT * FROM ahead",
)
# A visit of these days that may move, and a later one of them on which its chair and its provider are free then.
MOVABLE = """
SELECT event.id, date(event.start) AS home, day.away FROM event JOIN
  (SELECT DISTINCT date(start) AS away FROM event WHERE start >= :first AND start < :until) AS day ON day.away > home
WHERE event.start >= :first AND event.status IN ('scheduled', 'confirmed') AND event.deleted_at IS NULL AND NOT EXISTS (
  SELECT 1 FROM event AS other
  WHERE other.deleted_at IS NULL AND other.status NOT IN ('cancelled', 'no_show') AND date(other.start) = day.away
    AND (other.chair_id = event.chair_id OR other.provider_id = event.provider_id)
    AND time(other.start) < time(event."end") AND time(other."end") > time(event.start))
ORDER BY event.start, day.away LIMIT 1"""


@dataclass(eq=False)
class Side:
    """A calendar, and how its parts are called."""

    context: Any
    week: str
    forward: str
    column: str
    cards: str
    card: str
    saved: str = ""

    @cached_property
    def page(self) -> Any:
        page = self.context.new_page()
        page.set_default_timeout(60_000)
        return page

    @cached_property
    def session(self) -> Any:
        return self.context.new_cdp_session(self.page)

    def open(self, day: date) -> None:
        self.session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        self.page.goto(self.week.format(day=day), wait_until="networkidle")
        self.page.wait_for_selector(self.forward)

    def leave(self) -> None:
        """A page that is slowed down keeps a core busy, also while nothing is done with it."""
        self.page.goto("about:blank")
        self.session.send("Emulation.setCPUThrottlingRate", {"rate": 1})

    def weigh(self, monday: date) -> tuple[int, float, float]:
        """Cards of a week, kB over the wire while nothing is in a cache, and MB that its scripts hold."""
        self.open(monday)
        cards, wire = self.page.locator(self.cards).count(), self.page.evaluate(WIRE) / 1024
        self.session.send("HeapProfiler.collectGarbage")
        heap = self.session.send("Runtime.getHeapUsage")["usedSize"] / 1024**2
        self.leave()
        return cards, wire, heap

    def turn(self, monday: date) -> float:
        """Milliseconds from the week before until this one is painted."""
        self.open(monday - WEEK)
        self.page.evaluate(WATCH, f"{self.column.format(day=monday)} {self.cards}")
        self.page.click(self.forward)
        return float(self.page.evaluate(PAINTED))

    def drop(self, card: int, home: str, away: str) -> float:
        """Milliseconds until it is painted on the other day and the server has answered."""
        held = self.page.locator(self.card.format(id=card))
        held.evaluate("(card) => card.scrollIntoView({ block: 'center', inline: 'center' })")
        columns = [self.column.format(day=day) for day in (home, away)]
        left, goal = (self.page.locator(column).bounding_box()["x"] for column in columns)
        box = held.bounding_box()
        x, y = box["x"] + 4, box["y"] + 6
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + goal - left, y, steps=10)
        self.page.evaluate(WATCH, f"{self.saved}{columns[1]} {self.card.format(id=card)}")
        self.page.mouse.up()
        return float(self.page.evaluate(PAINTED))


def figures(context: Any, clinic: data.Clinic, rounds: int) -> list[Line]:
    """`context` is of somebody who may move visits; nothing was opened in it yet."""
    program = fullcalendar.script(data.CACHE)
    if program is None:
        return []
    monday = FAR + 2 * WEEK
    card, home, away = _book_ahead(clinic, monday)
    with fullcalendar.hosting(program, clinic.file) as address:
        theirs = Side(
            context.browser.new_context(base_url=address, **WINDOW),
            week="/{day}",
            forward=".fc-next-button",
            column='.fc-timegrid-col[data-date="{day}"]',
            cards=".fc-timegrid-event",
            card=".e{id}:not(.fc-event-mirror)",
            saved="[data-saved] ",
        )
        ours = Side(
            context,
            week="/calendar/week/{day}",
            forward="#cal-next[data-htmx-powered]",
            column='.col[data-day="{day}"]',
            cards=".ev",
            card="#e{id}:not(.pending)",
        )
        our_cards, *our_weight = ours.weigh(monday)
        their_cards, *their_weight = theirs.weigh(monday)
        assert our_cards == their_cards, "not the same visits"
        rounds_of: dict[Side, list[tuple[float, float]]] = {theirs: [], ours: []}  # ours last: it alone is stored
        for _ in range(rounds + 1):
            for side, times in rounds_of.items():
                times.append((side.turn(monday), side.drop(card, home, away)))
                side.leave()
            home, away = away, home
    our_turns, our_drops = (list(times) for times in zip(*rounds_of[ours][1:], strict=True))
    their_turns, their_drops = (list(times) for times in zip(*rounds_of[theirs][1:], strict=True))
    return [
        _beside("10", f"next week until painted, CPU {SLOWER} times slower", our_turns, their_turns, goal=4),
        _beside("11", "drop until saved and painted", our_drops, their_drops),
        _beside("9", "cold week over the wire", our_weight[:1], their_weight[:1], unit="kB"),
        _beside("9", "memory of the scripts of a week", our_weight[1:], their_weight[1:], unit="MB"),
    ]


def _book_ahead(clinic: data.Clinic, monday: date) -> tuple[int, str, str]:
    """A visit of the week from `monday` on, its day, and another day on which it may lie as well."""
    measured = data.AS_OF - timedelta(days=data.AS_OF.weekday())
    days = {"first": f"{measured - WEEK}", "until": f"{measured + WEEK}", "days": (monday - measured).days}
    with closing(limit.connect(clinic.file)) as raw:
        for statement in AHEAD:
            raw.execute(statement, days)
        card, home, away = raw.execute(MOVABLE, {"first": f"{monday}", "until": f"{monday + WEEK}"}).fetchone()
    return card, home, away


def _beside(
    number: str, what: str, ours: list[float], theirs: list[float], goal: float | None = None, unit: str = "ms"
) -> Line:
    value = median(theirs) / median(ours)
    return Line(number, f"{what} ({unit}): FullCalendar 6 / ours", value, "x", goal, True, ours, theirs)
