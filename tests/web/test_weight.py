"""What is exact about speed: statements, bytes, and what the process has loaded. Times are measured by the bench."""

import gzip
import subprocess
import sys
from datetime import date, timedelta

import pytest

from bench.sizes import on_the_wire
from config import ROOT
from tests.full_week import full_week
from tests.make import TUESDAY, Make
from tests.pages import Person

HEAVY = ("pydicom", "numpy", "PIL", "weasyprint", "holidays", "dateutil")


def test_a_full_week_is_small_on_the_wire(rita: Person, make: Make) -> None:
    assert full_week(make, date(2026, 8, 31)) == 300
    headers = {"HX-Request": "true", "HX-Target": "section#week-grid", "Accept-Encoding": "gzip"}
    answer = rita.client.get("/calendar/week/2026-09-01", headers=headers)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.data).count(b'class="ev ') == 300
    assert len(answer.data) <= 16 * 1024


def test_the_scripts_are_small_on_the_wire(rita: Person) -> None:
    assert on_the_wire(rita.get("/calendar/week/2026-09-01").html, "js") <= 25 * 1024


def test_the_light_table_has_scripts_of_its_own(ada: Person, make: Make) -> None:
    """They are loaded where pictures are read, and nowhere else."""
    viewer = on_the_wire(ada.get(f"/xrays/{make.xray().id}").html, "js")
    assert viewer - on_the_wire(ada.get("/calendar/week/2026-09-01").html, "js") <= 12 * 1024
    assert viewer <= 40 * 1024


@pytest.mark.parametrize("known", [0, 30])
def test_a_patient_s_page_costs_few_statements(rita: Person, make: Make, statements: list[str], known: int) -> None:
    patient = make.patient()
    for number in range(known):
        make.visit(TUESDAY + timedelta(days=number), patient=patient)
    statements.clear()
    assert rita.get(f"/patients/{patient.id}").status_code == 200
    assert len(statements) <= 6, statements


@pytest.mark.parametrize("known", [1, 30])
def test_a_search_costs_few_statements(rita: Person, make: Make, statements: list[str], known: int) -> None:
    for _ in range(known):
        make.patient()
    statements.clear()
    assert rita.htmx.get("/patients/find", target="search-results", q="yil").status_code == 200
    assert len(statements) <= 6, statements


def test_the_web_process_loads_nothing_heavy() -> None:
    words = f"import sys, cpms, cpms.scheduler; print([name for name in {HEAVY!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
