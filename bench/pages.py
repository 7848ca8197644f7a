"""Goals 6 and 7: the search at every keystroke, and the first page of a chart."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from bench import limit
from bench.data import AS_OF
from bench.desk import SEARCH, Desk, csrf_token, interleaved
from bench.run import Run
from bench.table import Line, p95, ratio
from cpms.core.text import digits, fold
from cpms.patients import queries


def page_figures(run: Run) -> list[Line]:
    desk, raw = run.desk, run.raw
    number = 12_347
    page, find = desk.request(f"/patients/{number}"), desk.request("/patients/find?q=mar", SEARCH)
    mould, found = patient_mould(desk, raw, number), limit.Found(find().body.decode())
    assert found.find(raw, "mar") == find().body, "the limit finds others than the program"
    token = csrf_token(desk.app)

    def bare() -> bytes:
        row = limit.look(raw, number, desk.user.id, run.at)
        return mould.fill(limit.patient_values(row, run.day, token)).encode()

    assert len(bare()) == len(page().body), "the limit shows another chart than the program"

    def bare_find() -> bytes:
        return found.find(raw, "mar")

    doors = {"page": desk.behind_the_door("page", bare), "find": desk.behind_the_door("find", bare_find)}
    assert doors["find"]().body == bare_find()
    times = interleaved(
        run.rounds,
        {"bare page": bare, "door page": doors["page"], "page": page}
        | {"bare find": bare_find, "door find": doors["find"], "find": find},
    )
    return [
        ratio("7", "patient page / raw SQL + joined strings in a view", times["page"], times["door page"], 3),
        ratio("7", "search answer / raw SQL + f-strings in a view", times["find"], times["door find"], 3),
        ratio("", "patient page / the same without session, gate and headers", times["page"], times["bare page"]),
        ratio("", "search answer / the same without session, gate and headers", times["find"], times["bare find"]),
    ]


def patient_mould(desk: Desk, raw: Any, number: int) -> limit.Mould:
    html = desk.request(f"/patients/{number}")().body.decode()
    token = re.search(r'X-CSRFToken(?:&#34;|"): (?:&#34;|")([^"&]+)', html)
    assert token is not None
    row = raw.execute(limit.PATIENT, (number,)).fetchone()
    return limit.Mould(html, limit.patient_values(row, AS_OF, token[1]))


def search_figures(run: Run) -> list[Line]:
    lines = _search(run.desk, run, "1x")
    if run.quick:
        return lines[:2]
    big = _search(run.big_desk, run, "10x")
    growth = ratio("6", "search, 10x the patients / 1x", big[0].ours, lines[0].ours, 1.5)
    big[0].goal = 1 / 50
    return [growth, lines[0], big[0], lines[1], big[1]]


def _search(desk: Desk, run: Run, name: str) -> list[Line]:
    raw = limit.connect(desk.clinic.file)
    everybody = [
        (
            fold(f"{last} {first}"),
            fold(f"{last} {first}").replace(" ", ""),
            digits(mobile),
            digits(home),
            first,
            last,
        )
        for first, last, mobile, home in raw.execute(
            "SELECT first_name, last_name, mobile_phone, home_phone FROM patient "
            "WHERE deleted_at IS NULL AND status = 'active'"
        )
    ]
    typed = list(keystrokes(everybody))
    ours: list[float] = []
    naive: list[float] = []
    with desk.app.app_context():
        for _ in range(1 if run.quick or name == "10x" else 3):
            for text in typed:
                times = interleaved(
                    1, {"ours": _asking(text), "naive": lambda t=text: limit.naive_search(raw, t)}, warm=1
                )
                ours += times["ours"]
                naive += times["naive"]
        missed = [text for text in typed if len(queries.search(text)) < min(20, _matching(everybody, text))]
    line = ratio("6", f"search of {len(typed)} keystrokes, {name} / LIKE on four columns", ours, naive)
    line.note = f"p95 {p95(ours):.2f} ms, worst {max(ours):.2f} ms"
    return [
        line,
        Line("6", f"searches that miss somebody, {name}", len(missed), "", 0, note=", ".join(missed[:5])),
    ]


def _asking(text: str) -> Callable[[], Any]:
    return lambda: queries.search(text)


def keystrokes(everybody: list[Any]) -> Iterator[str]:
    """What is typed letter by letter for some of the patients: names in each order, without accents, telephone."""
    step = len(everybody) // 12
    for n, (_key, _joined, mobile, _home, first, last) in enumerate(everybody[step // 2 :: step][:12]):
        plain = fold(last)
        whole = (last, f"{first} {last}", plain, f"{plain} {fold(first)}"[: len(plain) + 3])[n % 4]
        for length in (2, 3, 4, 5, 7, 9, len(whole)):
            if length <= len(whole) and whole[:length].strip() == whole[:length]:
                yield whole[:length]
        yield plain[1:4]
        yield mobile[2:7]
        yield mobile


def _matching(everybody: list[Any], text: str) -> int:
    """How many the text fits, counted one by one."""
    if not any(c.isalpha() for c in text):
        run = digits(text)
        return sum(1 for each in everybody if run in each[2] or run in each[3])
    words = fold(text).split()
    return sum(1 for each in everybody if all(word in each[0] or word in each[1] for word in words))
