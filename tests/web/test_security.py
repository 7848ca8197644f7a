"""What every answer carries, what every request must bring, and what an error does not tell."""

import logging
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.make import Make
from tests.pages import Person
from tests.web.test_access_matrix import addresses, objects  # noqa: F401 - a fixture

MUST = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def test_every_answer_carries_the_headers(app: Flask, objects: dict[str, list[int]], olga: Person) -> None:  # noqa: F811
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or set()):
            for address, _exists in addresses(rule, objects):
                headers = olga.get(address).headers
                assert {name: headers.get(name) for name in MUST} == MUST, address
                policy = headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy


def test_errors_carry_them_too(app: Flask, outsider: Person) -> None:
    answer = outsider.get("/nowhere")
    assert answer.status_code == 404 and answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_cookie_is_for_the_server_alone(app: Flask, outsider: Person) -> None:
    cookie = outsider.get("/login").headers["Set-Cookie"]
    assert cookie.startswith("sid=")
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Domain" not in cookie


def test_static_files_may_be_kept_for_ever(app: Flask, outsider: Person) -> None:
    link = outsider.get("/login").page.all('link[rel="stylesheet"]')[0]["href"]
    answer = outsider.client.get(link, buffered=True)
    answer.close()
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"] and "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "dental.local.evil.example", "8.8.8.8", "evil.example:5000", "[2606:4700::1]"]
)
def test_a_foreign_name_for_this_server_is_refused(outsider: Person, host: str) -> None:
    assert outsider.client.get("/login", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:5000", "192.168.1.20", "10.0.0.7:5000", "[::1]:5000", "[fe80::1]"]
)
def test_the_names_of_the_house_are_let_in(outsider: Person, host: str) -> None:
    assert outsider.client.get("/login", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:9999"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_write_from_a_foreign_page_is_refused_whatever_its_token(
    rita: Person, make: Make, headers: dict[str, str]
) -> None:
    visit = make.visit()
    answer = rita.post(f"/calendar/events/{visit.id}/delete", headers=headers, version=visit.row_version)
    assert answer.status_code == 400
    assert rita.get("/calendar/week/2026-09-01").page.has(f"#e{visit.id}")


def test_a_write_from_our_own_page_goes_through(rita: Person, make: Make) -> None:
    visit = make.visit()
    ours = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    answer = rita.post(f"/calendar/events/{visit.id}/delete", headers=ours, version=visit.row_version)
    assert answer.status_code == 303


def test_what_a_proxy_would_forward_is_not_believed(app: Flask, rita: Person, make: Make) -> None:
    from cpms.audit import queries as audit

    visit = make.visit()
    forged = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil.example"}
    rita.post(f"/calendar/events/{visit.id}/delete", headers=forged, version=visit.row_version)
    with app.app_context():
        assert audit.entries(limit=1)[0].origin == "127.0.0.1"


@pytest.fixture
def broken(app: Flask) -> Iterator[Flask]:
    """The database is gone while the server runs."""
    from cpms.core.db import db

    with app.app_context():
        db.engine.dispose()
        live = db.engine.url.database
    assert live is not None
    from pathlib import Path

    path = Path(live)
    content = path.read_bytes()
    for name in (live, live + "-wal", live + "-shm"):
        Path(name).unlink(missing_ok=True)
    path.write_bytes(b"this is no database, it holds Yildiz and 0151 555 0100" * 100)
    yield app
    with app.app_context():
        db.engine.dispose()
    path.write_bytes(content)


def test_a_failed_read_never_looks_like_an_empty_calendar(rita: Person, broken: Flask) -> None:
    answer = rita.get("/calendar/week/2026-09-01")
    assert answer.status_code in {500, 503}
    assert not answer.page.has("#week-grid") and "Nothing booked" not in answer.page.text


def test_an_error_tells_a_code_and_nothing_of_the_inside(rita: Person, broken: Flask) -> None:
    answer = rita.get("/patients/")
    assert answer.status_code in {500, 503}
    for inside in ("Traceback", "sqlite", "SELECT", "/cpms/", "Yildiz", "database"):
        assert inside not in answer.html
    assert answer.headers["X-Request-Id"]


def test_health_tells_only_ok_or_degraded(outsider: Person) -> None:
    assert outsider.get("/healthz").html.strip() == '{"status":"ok"}'


def test_health_is_degraded_when_the_database_is_gone(outsider: Person, broken: Flask) -> None:
    answer = outsider.get("/healthz")
    assert (answer.status_code, answer.html.strip()) == (503, '{"status":"degraded"}')


def test_logs_carry_no_patient(rita: Person, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    patient = make.patient(
        first_name="ZZPHI-first", last_name="ZZPHI-last", mobile_phone="0151 999 4711", alert_text="ZZPHI-alert",
        medical_history="ZZPHI-history", notes="ZZPHI-notes",
    )  # fmt: skip
    make.visit(patient=patient, title="ZZPHI-title", notes="ZZPHI-visit")
    for address in (
        "/patients/?q=ZZPHI",
        f"/patients/{patient.id}",
        "/calendar/week/2026-09-01",
        "/patients/find?q=ZZPHI",
    ):
        rita.get(address)
    rita.htmx.post("/patients/new", first_name="ZZPHI-new", last_name="", date_of_birth="nonsense")
    rita.htmx.post("/calendar/events", title="ZZPHI-bad", day="x")
    assert "ZZPHI" not in caplog.text and "4711" not in caplog.text
