"""The list of patients and the search of the top bar."""

from datetime import date, timedelta

import pytest

from cpms.patients import queries, services
from tests.make import Make
from tests.pages import Person


def fill(make: Make, many: int) -> None:
    with make.writing():
        for number in range(many):
            services.create_patient(
                first_name=f"Ada{number}",
                last_name="Kaya",
                date_of_birth=date(1950, 1, 1) + timedelta(days=number),
                mobile_phone="0532 111 22 33",
                alert_text="Latex" if number % 7 == 0 else "",
            )


def test_the_list_says_what_a_desk_asks(rita: Person, make: Make) -> None:
    patient = make.patient(
        first_name="Selma", last_name="Yıldız", date_of_birth=date(1985, 3, 2), home_phone="0216 5", alert_text="Latex"
    )
    page = rita.get("/patients/").page
    row = page.one("tbody tr").get_text(" ", strip=True)
    assert all(words in row for words in ("Selma Yıldız", "41 y", "0216 5", "Latex"))
    assert page.one(".row-link")["href"] == f"/patients/{patient.id}"
    assert page.one('input[name="q"][autofocus]')


def test_the_visits_of_the_rows_are_asked_for_once(rita: Person, make: Make) -> None:
    first, second = make.patient(last_name="Aal"), make.patient(last_name="Baal")
    page = rita.get("/patients/").page
    url = page.one('[hx-trigger="load"][hx-get*="visits"]')["hx-get"]
    answer = rita.htmx.get(str(url))
    assert [part["hx-target"] for part in answer.page.all("hx-partial")] == [
        f"#visits-{first.id}",
        f"#visits-{second.id}",
    ]
    assert page.has(f"#visits-{first.id}")
    assert page.has(f"#visits-{second.id}")


def test_an_empty_list_says_what_to_do(rita: Person) -> None:
    page = rita.get("/patients/").page
    assert "No patients yet" in page.text
    assert "Nobody is archived" in rita.get("/patients/?archived=1").page.text


def test_a_search_narrows_the_list(rita: Person, make: Make) -> None:
    make.patient(last_name="Çığ")
    make.patient(last_name="Huber")
    answer = rita.htmx.get("/patients/", target="patient-list", q="cig", archived="0")
    assert [cell.get_text() for cell in answer.page.all("tbody th")] == ["Selma Çığ"]
    assert not answer.page.has("main")


def test_a_search_for_nobody_offers_the_next_step(rita: Person, make: Make) -> None:
    answer = rita.get("/patients/", q="<b>zzz")
    assert "Nobody is found for “<b>zzz”" in answer.page.text
    assert "Look among the archived" in answer.page.text


def test_archived_ones_have_a_list_of_their_own(rita: Person, make: Make) -> None:
    patient = make.patient(last_name="Kaya")
    with make.writing():
        services.archive_patient(queries.patient(patient.id))
    assert "Kaya" not in rita.get("/patients/").html
    assert "Kaya" in rita.get("/patients/", archived=1).html
    assert "Kaya" in rita.get("/patients/", archived=1, q="kaya").html


def test_a_long_list_has_pages(rita: Person, make: Make) -> None:
    fill(make, 120)
    page = rita.get("/patients/", page=3).page
    assert "101 to 120 of 120" in page.text
    assert len(page.all("tbody tr")) == 20
    assert "1 to 50 of 120" in rita.get("/patients/", page="zero").page.text
    assert "101 to 120 of 120" in rita.get("/patients/", page=10**12).page.text
    assert "1 to 50 of 120" in rita.get("/patients/", page=10**30).page.text, "no number at all"


def test_a_search_with_very_many_answers_says_that_there_are_more(rita: Person, make: Make) -> None:
    fill(make, queries.MOST_HITS + 5)
    answer = rita.get("/patients/", q="kaya", page=4)
    assert f"Only the first {queries.MOST_HITS} are shown" in answer.page.text


@pytest.mark.parametrize(
    "url", ["/patients/", "/patients/?q=ada", "/patients/find?q=kaya", "/patients/find?q=ada kaya"]
)
def test_statements_do_not_grow_with_the_rows(rita: Person, make: Make, statements: list[str], url: str) -> None:
    counts = []
    for many in (30, 270):
        fill(make, many)
        statements.clear()
        assert rita.htmx.get(url, target="search-results" if "find" in url else "patient-list").status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 6, statements


def test_the_search_offers_patients_then_actions(rita: Person, make: Make) -> None:
    patient = make.patient(first_name="Ada", last_name="Kaya", date_of_birth=date(1985, 3, 2), mobile_phone="0532 1")
    answer = rita.htmx.get("/patients/find", target="search-results", q="kaya")
    first, new, appointment = answer.page.all('#search-results [role="option"]')
    assert first["href"] == f"/patients/{patient.id}"
    assert first.get_text(" ", strip=True) == "Ada Kaya 2 Mar 1985 · 1 · 0532 1"
    assert "New patient: kaya" in new.get_text()
    assert "New appointment" in appointment.get_text()


def test_the_search_goes_to_a_day(rita: Person) -> None:
    answer = rita.htmx.get("/patients/find", target="search-results", q="3.12.")
    assert answer.page.one('a[href="/calendar/day/2026-12-03"]').get_text(strip=True) == "Go to 3 December 2026"


def test_nobody_found_is_said(rita: Person) -> None:
    assert "Nobody is found." in rita.htmx.get("/patients/find", target="search-results", q="zzz").page.text


@pytest.mark.parametrize("typed", ["", "   "])
def test_an_empty_search_answers_nothing(rita: Person, make: Make, typed: str) -> None:
    make.patient()
    page = rita.htmx.get("/patients/find", target="search-results", q=typed).page
    assert page.one("#search-results").get_text(strip=True) == ""


def test_without_htmx_the_search_is_the_list(rita: Person) -> None:
    answer = rita.get("/patients/find", q="kaya")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/patients/?q=kaya"


def test_a_name_is_text_and_never_markup(rita: Person, make: Make) -> None:
    evil = '"><img src=x onerror=alert(1)>'
    patient = make.patient(first_name=evil, last_name=evil, alert_text=evil, notes=evil, mobile_phone="1", address=evil)
    for answer in (
        rita.get("/patients/"),
        rita.htmx.get("/patients/find", target="search-results", q="img"),
        rita.get(f"/patients/{patient.id}"),
        rita.get(f"/patients/{patient.id}/edit"),
    ):
        assert answer.status_code == 200
        assert "onerror" in answer.page.text or "onerror" in answer.html
        assert not answer.page.has("img")


HOSTILE = [
    "'",
    '"',
    "';--",
    "%",
    "_",
    "\\",
    "*",
    "( OR",
    "NEAR(",
    "{}",
    "\x00",
    "q\x00z",
    "😀",
    "١٢٣",
    "-9",
    "1e9",
    "0x1",
    "9" * 400,
]


@pytest.mark.parametrize("typed", HOSTILE)
def test_nothing_typed_breaks_the_search(rita: Person, make: Make, typed: str) -> None:
    make.patient(first_name="Max", last_name="Huber")
    for url, how in (("/patients/find", rita.htmx), ("/patients/", rita)):
        answer = how.get(url, q=typed, page=typed, archived=typed)
        assert answer.status_code == 200
        assert "Huber" not in answer.page.text


def test_an_outsider_sees_nobody(outsider: Person, make: Make) -> None:
    make.patient(last_name="Kaya")
    for url in ("/patients/", "/patients/find?q=kaya", "/patients/1", "/patients/1/medical", "/patients/new"):
        answer = outsider.get(url)
        assert answer.status_code in {302, 303, 401}
        assert "Kaya" not in answer.html


def test_somebody_with_one_name_is_called_by_it_everywhere(ada: Person, make: Make) -> None:
    patient = make.patient(first_name="Madonna", last_name="—", alert_text="Latex")
    visit = make.visit(patient=patient)
    make.xray(patient)
    for address in (
        "/patients/",
        f"/patients/{patient.id}",
        f"/patients/{patient.id}/archive",
        "/patients/?q=madonna",
        "/today/",
        "/calendar/week/2026-09-01",
        "/calendar/list/2026-09-01",
        "/calendar/month/2026-09-01",
        "/calendar/print/day/2026-09-01",
        f"/calendar/events/{visit.id}",
        "/xrays/",
    ):
        page = ada.get(address).page
        assert "Madonna" in page.text and "—" not in page.text.replace(" — Test Dental", ""), address
