"""Every page of the clinic, opened in a real browser in light and in dark: nothing that axe-core objects to."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from playwright.sync_api import Page

from cpms.xrays.models import XrayKind
from tests.browser.conftest import Screen
from tests.make import Make

Axe = Callable[[Page], None]
PAGES = (
    "/today/",
    "/calendar/week/{monday}",
    "/calendar/day/{monday}",
    "/calendar/month/{monday}",
    "/calendar/list/{monday}",
    "/calendar/rebook",
    "/calendar/print/week/{monday}",
    "/calendar/print/list/{monday}",
    "/calendar/print/day/{monday}",
    "/calendar/events/{event}",
    "/calendar/events/{event}/edit",
    "/calendar/events/{event}/move",
    "/calendar/events/{event}/status?status=cancelled",
    "/calendar/events/{event}/no-new-date",
    "/calendar/events/new?start={monday}T14:00",
    "/calendar/events/new?kind=block",
    "/calendar/free",
    "/calendar/outside",
    "/calendar/patients/{patient}/visits",
    "/calendar/chairs",
    "/calendar/chairs/new",
    "/calendar/types",
    "/calendar/types/new",
    "/hours/",
    "/hours/closed/new",
    "/hours/holidays",
    "/hours/providers/{user}",
    "/hours/providers/{user}/days/0",
    "/hours/providers/{user}/away/new",
    "/patients/",
    "/patients/?q=nobody",
    "/patients/new",
    "/patients/{patient}",
    "/patients/{patient}/edit",
    "/patients/{patient}/medical",
    "/patients/{patient}/medical/edit",
    "/patients/{patient}/archive",
    "/calendar/patients/{patient}/delete",
    "/xrays/{xray}",
    "/xrays/{xray}?with={other}",
    "/xrays/{xray}/compare",
    "/xrays/{xray}/print",
    "/xrays/phrases",
    "/settings/",
    "/settings/clinic",
    "/audit/",
    "/audit/?patient=a",
    "/audit/?patient=nobody-is-called-so",
    "/audit/trash",
    "/audit/patients/{patient}",
    "/audit/patients/{patient}?looks=1",
    "/audit/events/{event}",
    "/audit/users/{user}",
    "/backups/",
    "/backups/plan",
    "/backups/restore",
    "/xrays/",
    "/xrays/of/{patient}",
    "/xrays/of/{patient}/mounts",
    "/xrays/{xray}/facts",
    "/xrays/{xray}/move",
    "/xrays/{xray}/delete",
    "/xrays/mounts/{mount}",
    "/xrays/mounts/{mount}/print",
    "/exchange/export",
    "/feeds/",
    "/backups/key",
    "/backups/key/off",
    "/auth/users",
    "/auth/users/new",
    "/auth/users/{user}",
    "/auth/users/{user}/reset-password",
    "/auth/profile",
    "/auth/profile/password",
    "/today/sheet",
    "/keys",
    "/offline",
    "/nowhere",
)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_axe_finds_nothing_on_any_page(
    screen: Screen, clinic: Make, monday: date, axe: Axe, width: int, height: int
) -> None:
    patient = clinic.patient(alert_text="Latex", notes="A note\n" * 40, medical_history="Asthma")
    names = {"monday": monday, "patient": patient.id, "user": clinic.user("ada").id}
    start = datetime.combine(monday, time(10))
    names["event"] = clinic.visit(start, patient=patient, notes="Bring the old plate").id
    clinic.visit(start + timedelta(hours=1), chair="Chair 2", provider="hugo")
    names["xray"] = clinic.xray(patient, kind=XrayKind.BITEWING, teeth=["16", "17", "46", "47"]).id
    names["other"] = clinic.xray(patient).id
    names["mount"] = clinic.mount(patient).id
    page = screen("olga", width=width, height=height, touch=width < 700, tolerate=("404",))
    for address in PAGES:
        page.goto(address.format(**names))
        axe(page)


def test_axe_finds_nothing_before_signing_in(screen: Screen, axe: Axe) -> None:
    page = screen(None)
    page.goto("/login")
    axe(page)
