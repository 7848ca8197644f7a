"""Which language somebody reads: their own, the clinic's, the browser's."""

from collections.abc import Callable
from datetime import date, datetime

import pytest
from flask import Flask
from flask_babel import force_locale, ngettext

from cpms.audit.models import AuditEntry
from cpms.auth import queries as auth
from cpms.calendar.shown import Shown
from cpms.core.db import transaction
from cpms.core.permissions import Role
from cpms.settings import services as settings
from cpms.web import filters
from cpms.web.language import retold
from cpms.work import jobs
from cpms.work import queries as work
from tests.make import Make
from tests.pages import Person
from tests.web.test_settings_clinic import form_of

TUESDAY = date(2026, 9, 1)


def clinic_speaks(app: Flask, language: str) -> None:
    with app.app_context(), transaction("test.language", actor=None):
        settings.change_settings(language=language)


def test_rita_chooses_turkish_and_takes_it_back(rita: Person, last_audit: Callable[[], AuditEntry]) -> None:
    answer = rita.post("/auth/language", language="tr")
    assert answer.status_code == 303
    assert last_audit().action == "profile.language"
    profile = rita.get("/auth/profile")
    assert profile.toast.startswith("Kaydedildi.")
    assert (profile.page.one("html")["lang"], profile.page.one("html")["dir"]) == ("tr", "ltr")
    assert profile.page.one("h1").get_text() == "Profiliniz"
    assert profile.page.one('button[name="language"][aria-pressed="true"]').get_text() == "Türkçe"
    assert rita.get("/auth/users").page.one("h1").get_text() == "Buna yetkiniz yok"
    rita.post(str(profile.page.one(".toast form")["hx-post"]))
    assert rita.get("/auth/profile").page.one("html")["lang"] == "en"


def test_one_person_s_language_is_nobody_else_s(rita: Person, ada: Person) -> None:
    rita.post("/auth/language", language="tr")
    assert ada.get("/auth/profile").page.one("html")["lang"] == "en"
    assert rita.htmx.get(f"/calendar/week/{TUESDAY}", target="week-grid").page.text.count("Pzt") == 1
    assert "Mon" in ada.htmx.get(f"/calendar/week/{TUESDAY}", target="week-grid").page.text


def test_a_language_that_nobody_translated_is_not_taken(rita: Person) -> None:
    assert rita.post("/auth/language", language="xx").status_code == 400


def test_the_clinic_s_language_is_everybody_s_who_chose_none(app: Flask, rita: Person, outsider: Person) -> None:
    clinic_speaks(app, "tr")
    assert rita.get("/auth/profile").page.one("html")["lang"] == "tr"
    assert outsider.get("/login").page.one("html")["lang"] == "tr"
    rita.post("/auth/language", language="en")
    assert rita.get("/auth/profile").page.one("html")["lang"] == "en"


def test_before_the_clinic_chose_the_browser_is_asked(app: Flask, outsider: Person) -> None:
    wants = {"Accept-Language": "tr-TR,tr;q=0.9,en;q=0.5"}
    assert outsider.get("/login", headers=wants).page.one("html")["lang"] == "tr"
    assert outsider.get("/login", headers={"Accept-Language": "fi"}).page.one("html")["lang"] == "en"
    clinic_speaks(app, "en")
    assert outsider.get("/login", headers=wants).page.one("html")["lang"] == "en"


def test_the_owner_chooses_the_clinic_s_language(olga: Person, last_audit: Callable[[], AuditEntry]) -> None:
    page = olga.get("/settings/clinic").page
    assert [each.get_text() for each in page.all('[name="language"] option')] == [
        "As the browser asks", "English", "Türkçe",
    ]  # fmt: skip
    assert olga.post("/settings/clinic", **form_of(olga) | {"language": "tr"}).status_code == 303
    assert olga.get("/settings/").page.one("h1").get_text() == "Ayarlar"
    assert "Dil: Tarayıcının istediği dil → Türkçe" in olga.get("/audit/").page.text


def test_the_sheet_over_a_locked_screen_speaks_the_person_s_language(rita: Person) -> None:
    rita.post("/auth/language", language="tr")
    answer = rita.htmx.post("/auth/lock", target="lock")
    assert "Bu ekran kilitlendi" in answer.page.text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("Tue 1 Sep", "Tue 1 Sep, 09:05", "1 September 2026", "1 Sep 2026", "September 2026", "1.4 MB")),
        ("tr", ("1 Eyl Sal", "1 Eyl Sal, 09:05", "1 Eylül 2026", "1 Eyl 2026", "Eylül 2026", "1,4 MB")),
    ],
)
def test_days_and_numbers_are_said_as_the_language_does(ctx: Flask, language: str, said: tuple[str, ...]) -> None:
    moment = datetime(2026, 9, 1, 9, 5)
    with force_locale(language):
        assert said == (
            filters.day(TUESDAY), filters.when(moment), filters.full_day(TUESDAY), filters.short_day(TUESDAY),
            filters.month(TUESDAY), filters.size(1_420_000),
        )  # fmt: skip


@pytest.mark.parametrize(("language", "first"), [("en", 31), ("tr", 31), ("en_US", 30)])
def test_a_week_begins_with_the_day_of_the_reader_s_country(ctx: Flask, language: str, first: int) -> None:
    with force_locale(language):
        assert Shown("week", TUESDAY).days[0] == date(2026, 8, first)
        names = filters.week_order(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))
        assert names[0] == ("Sun" if language == "en_US" else "Mon")


def test_every_list_of_weekdays_begins_as_the_reader_s_week(
    app: Flask, rita: Person, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = make.user("ada").id
    rita.post(f"/hours/providers/{ada}/days/6", version=0, mode="own", from_1="10:00", to_1="12:00")
    monkeypatch.setattr(app.extensions["babel"], "locale_selector", lambda: "en_US")
    for address, days in (
        ("/hours/", ".facts dt"),
        (f"/hours/providers/{ada}", "tbody th"),
        (f"/hours/providers/{ada}/days/2", "label.chip"),
        ("/calendar/free", "label.chip"),
        ("/calendar/events/new", ".repeat-week label.check"),
    ):
        names = [each.get_text(strip=True) for each in rita.get(address).page.all(days)]
        assert (names[0][:3], names[-1][:3], len(names)) == ("Sun", "Sat", 7), address
    assert "Sun 10:00–12:00 · Mon–Sat as the clinic" in rita.get("/hours/").page.text


def test_plural_forms_are_those_of_the_language(ctx: Flask) -> None:
    def said(count: int) -> str:
        return ngettext("%(num)d visit stays in the trash.", "%(num)d visits stay in the trash.", count)

    assert [said(1), said(3)] == ["1 visit stays in the trash.", "3 visits stay in the trash."]
    with force_locale("tr"):
        assert [said(1), said(3)] == ["1 randevu çöp kutusunda kaldı.", "3 randevu çöp kutusunda kaldı."]


def test_what_long_work_wrote_down_is_retold_to_each_reader(ctx: Flask) -> None:
    from flask_babel import gettext as _

    def task(_progress: jobs.Progress) -> jobs.Outcome:
        why = _("There is no such folder on the server.")
        return jobs.Outcome(
            _("The backup is good, but it could not be copied to %(place)s: %(why)s", place="/m", why=why)
        )

    with force_locale("tr"):
        work_id = jobs.run("test", task)
        assert work_id is not None
        message = work.work(work_id).message
        assert message.startswith("The backup is good")
        assert retold(message) == "Yedek sağlam, ama şuraya kopyalanamadı: /m: Sunucuda böyle bir klasör yok."
        assert retold("The trail is whole: 12 entries.") == "İşlem kaydı eksiksiz: 12 kayıt."
        assert retold("Something that nobody wrote") == "Something that nobody wrote"
    assert retold(message) == message


def test_the_trail_keeps_its_own_reasons_neutral(olga: Person, outsider: Person) -> None:
    outsider.post("/login", username="nobody", password="x")
    assert "böyle bir kullanıcı adı yok" not in olga.get("/audit/").page.text
    olga.post("/auth/language", language="tr")
    assert "böyle bir kullanıcı adı yok" in olga.get("/audit/").page.text


def test_people_are_in_the_order_of_the_alphabet_whatever_marks_their_letters_bear(ctx: Flask, make: Make) -> None:
    from cpms.auth import services

    with transaction("test.users", actor=None):
        for name in ("Zeki", "Çiğdem", "Işıl", "İnci"):
            services.create_user(
                username=name.lower().replace("i̇", "i"), display_name=name, email=f"{ord(name[0])}@x.org",
                role=Role.DENTIST, color="#0f766e", is_provider=True, password_hash="",
            )  # fmt: skip
    assert [user.display_name for user in auth.providers()] == [
        "Çiğdem", "Dr Ada Dent", "Hugo Clean", "İnci", "Işıl", "Zeki",
    ]  # fmt: skip
