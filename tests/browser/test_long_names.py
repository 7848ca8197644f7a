"""The longest words that the forms let in, on a phone: nothing is pushed out of the screen."""

from datetime import date, datetime, time, timedelta

from cpms.auth import queries as auth
from cpms.calendar import queries as calendar
from cpms.core.db import db
from cpms.patients import services as patients
from cpms.patients.models import Patient
from tests.browser.conftest import Screen
from tests.make import Make

WORD = "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaftsverwalterinstelle"
PAGES = (
    "/today/",
    "/today/sheet",
    "/calendar/list/{day}",
    "/calendar/free",
    "/calendar/outside",
    "/calendar/print/day/{day}",
    "/calendar/print/week/{day}",
    "/calendar/print/list/{day}",
    "/calendar/events/{event}",
    "/calendar/events/{event}/edit",
    "/patients/",
    "/patients/{patient}",
    "/patients/{deleted}",
    "/calendar/patients/{patient}/visits",
    "/calendar/patients/{patient}/delete",
    "/calendar/chairs",
    "/xrays/",
    "/xrays/of/{patient}",
    "/xrays/{xray}",
    "/xrays/{xray}/print",
    "/auth/users",
    "/feeds/",
    "/hours/",
    "/audit/trash",
)
OUT_OF_SIGHT = """() => document.documentElement.scrollWidth > innerWidth
    || [...document.querySelectorAll("main .button, main .alert-strip, main h1")].some(
        (each) => each.getClientRects().length && each.getBoundingClientRect().right > innerWidth + 1
            && !each.closest(".cal-scroll, .paper, .tray, .xv-tools"))"""


def test_no_word_pushes_anything_out_of_a_phone(screen: Screen, clinic: Make, monday: date) -> None:
    long = {"last_name": WORD, "alert_text": WORD * 3, "mobile_phone": "+49 (0) 1512 / 345 678 901 (her daughter)"}
    patient, deleted = clinic.patient(**long), clinic.patient(**long)
    start = datetime.combine(monday, time(10))
    event = clinic.visit(start, patient=patient, title=WORD * 2, notes=WORD * 4).id
    clinic.visit(start - timedelta(hours=8), patient=patient, title=WORD * 2)
    xray = clinic.xray(patient).id
    names = {"day": monday, "patient": patient.id, "deleted": deleted.id, "event": event, "xray": xray}
    with clinic.writing():
        for chair in calendar.chairs():
            chair.name = WORD[:39] + str(chair.id)
        for user in auth.providers():
            user.display_name = WORD[:98] + str(user.id)
        patients.delete_patient(db.session.get(Patient, deleted.id))
    page = screen("olga", width=390, height=844, touch=True, tolerate=("404",))
    for address in PAGES:
        page.goto(address.format(**names))
        assert not page.evaluate(OUT_OF_SIGHT), address
