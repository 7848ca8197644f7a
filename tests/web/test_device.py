"""The program as an app of the device: its manifest, its worker, and the list that may be kept."""

import json
import re

from config import ROOT
from cpms.web import assets
from tests.make import TUESDAY, Make
from tests.pages import Person

STATIC = ROOT / "cpms/static"


def told(person: Person) -> dict[str, object]:
    found = re.match(r"self\.CPMS = (.*);\n", person.get("/worker.js").html)
    assert found is not None
    return dict(json.loads(found[1]))


def test_the_manifest_names_pictures_that_are_there(outsider: Person) -> None:
    link = str(outsider.get("/login").page.one('link[rel="manifest"]')["href"])
    answer = outsider.client.get(link, buffered=True)
    answer.close()
    assert answer.mimetype == "application/manifest+json"
    manifest = json.loads((STATIC / "manifest.webmanifest").read_text())
    assert (manifest["start_url"], manifest["scope"]) == ("/", "/")
    for icon in manifest["icons"]:
        assert (STATIC / icon["src"]).is_file(), icon


def test_the_worker_knows_every_file_of_the_frame(outsider: Person) -> None:
    files = told(outsider)["files"]
    assert isinstance(files, list)
    page = outsider.get("/offline").page
    drawn = {str(each["href"]) for each in page.all('link[rel="stylesheet"]')} | {
        str(each["src"]) for each in page.all("script[src]")
    }
    assert drawn <= set(files)
    for path in files:
        assert (STATIC / path.split("/", 3)[3]).is_file(), path
    assert {"js/connection.js", "js/each.js"} <= set(assets.shell())


def test_the_worker_changes_when_a_file_does(outsider: Person) -> None:
    assert f"/static/{assets.digest()}/js/worker.js" in outsider.get("/worker.js").html
    assert "no-store" in outsider.get("/worker.js").headers["Cache-Control"]


def test_the_page_without_a_server_holds_nothing_about_anybody(rita: Person, make: Make) -> None:
    visit = make.visit()
    rita.post(f"/calendar/events/{visit.id}/delete", version=visit.row_version)
    page = rita.get("/offline").page
    assert page.all("form, .toast, input") == [] and "Rita" not in page.text
    assert "Taken off the calendar" in rita.get("/settings/").toast, "the sentence still waits"


def test_the_list_says_for_whom_and_until_when_it_may_be_kept(rita: Person, make: Make) -> None:
    patient = make.patient(first_name="Mia", last_name="Berg", alert_text="Penicillin", mobile_phone="0151 1")
    make.visit(TUESDAY.replace(hour=10), patient=patient)
    answer = rita.get("/today/sheet")
    assert answer.headers["X-Sheet-For"] == str(rita.id)
    assert answer.headers["X-Sheet-Until"] == "1788300000"  # midnight of 2 September 2026 in Berlin
    row = answer.page.one(".day-sheet tbody tr").get_text(" ", strip=True)
    for words in ("10:00–10:30", "Mia Berg", "0151 1", "Alert: Penicillin", "Dr Ada Dent", "Chair 1", "scheduled"):
        assert words in row
    assert answer.page.all("form, input") == []
    assert "Read at 09:00" in answer.page.text
    assert rita.get("/today/").page.one("body")["data-keeps-for"] == str(rita.id)


def test_an_empty_day_is_said(rita: Person) -> None:
    assert "Nobody is booked today." in rita.get("/today/sheet").page.text


def test_the_policy_lets_the_worker_and_the_manifest_in(rita: Person) -> None:
    policy = rita.get("/settings/").headers["Content-Security-Policy"]
    assert "worker-src 'self'" in policy and "manifest-src 'self'" in policy


def test_somebody_else_at_this_browser_finds_nothing_kept(outsider: Person, rita: Person, make: Make) -> None:
    from tests.conftest import PASSPHRASE

    answer = rita.post("/login", username="hugo", password=PASSPHRASE)
    assert answer.headers["Clear-Site-Data"] == '"storage"'
    again = rita.post("/login", username="hugo", password=PASSPHRASE)
    assert "Clear-Site-Data" not in again.headers
