"""Hours on the screen: of the clinic, of each provider, closed days, public holidays, absences."""

from datetime import date
from typing import Any

from babel.dates import get_day_names
from flask import Blueprint, Response, abort, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from cpms.auth import queries as auth
from cpms.core import clock
from cpms.core.db import transaction
from cpms.core.errors import DomainError, Forbidden, Stale
from cpms.core.permissions import P
from cpms.hours import queries, rules, services
from cpms.hours.forms import FIRST_DAY, LAST_DAY, CountryForm, DayForm, OffForm, parse_day
from cpms.hours.models import OF_THE_CLINIC, OffKind, TimeOff
from cpms.settings import queries as settings
from cpms.settings.forms import WEEKDAYS
from cpms.web.access import can, require
from cpms.web.errors import sentence
from cpms.web.htmx import done, finished, is_htmx, page
from cpms.web.numbers import whole
from cpms.web.toasts import toast, way_back

bp = Blueprint("hours", __name__, url_prefix="/hours")

CHANGED = "hours-changed"


@bp.get("/")
@require(P.CALENDAR_READ)
def index() -> ResponseReturnValue:
    now, weeks = clock.clinic_now(), queries.weeks()
    away: dict[int, list[TimeOff]] = {}
    for row in queries.times_off(after=now):
        away.setdefault(row.provider_id or 0, []).append(row)
    return page(
        "hours/index.html",
        opening=list(zip(map(str, WEEKDAYS), queries.opening(), strict=True)),
        closed=queries.times_off(of_the_clinic=True, after=now),
        where=queries.where_words(),
        holidays=_holidays_ahead(),
        providers=[
            (each, queries.week_words(weeks.get(each.id, rules.USUAL_WEEK)), away.get(each.id, []))
            for each in auth.providers()
        ],
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {"spans": rules.in_words, "when_off": queries.span_words, "kinds": queries.KIND_WORDS}


def _holidays_ahead() -> list[tuple[date, str, bool]]:
    """The next public holidays, and whether the clinic is open on them."""
    today = clock.today()
    opened = queries.opened_days(today.year) | queries.opened_days(today.year + 1)
    ahead = {**queries.holidays(today.year), **queries.holidays(today.year + 1)}
    return [(day, name, day in opened) for day, name in ahead.items() if day >= today][:3]


@bp.get("/providers/<int:user_id>")
@require(P.CALENDAR_READ)
def provider(user_id: int) -> ResponseReturnValue:
    who, row, now = queries.provider(user_id), queries.work_week(user_id), clock.clinic_now()
    week = rules.load_week(row.days) if row else rules.USUAL_WEEK
    return page(
        "hours/provider.html",
        provider=who,
        days=[(day, str(WEEKDAYS[day]), queries.plan_words(week[day])) for day in range(7)],
        away=queries.times_off(provider_id=user_id, after=now),
        past=queries.times_off(provider_id=user_id, after=now, past=True),
        **_words(),
    )


@bp.get("/providers/<int:user_id>/days/<int:weekday>")
@require(P.HOURS_WRITE)
def edit_day(user_id: int, weekday: int) -> ResponseReturnValue:
    who, row = queries.provider(user_id), queries.work_week(user_id)
    week = rules.load_week(row.days) if row else rules.USUAL_WEEK
    if weekday > 6:
        abort(404)
    form = DayForm.of(week[weekday], row.row_version if row else 0, weekday)
    return _day_page(form, who, weekday)


def _day_page(form: DayForm, who: Any, weekday: int, status: int = 200) -> Response:
    usual = queries.opening()[weekday]
    return page(
        "hours/day_dialog.html",
        status=status,
        form=form,
        provider=who,
        weekday=weekday,
        day_name=str(WEEKDAYS[weekday]),
        short=get_day_names("abbreviated", locale=get_locale()),
        opening=rules.in_words([usual]) if usual else "",
    )


@bp.post("/providers/<int:user_id>/days/<int:weekday>")
@require(P.HOURS_WRITE)
def change_day(user_id: int, weekday: int) -> ResponseReturnValue:
    who, form = queries.provider(user_id), DayForm.posted()
    if weekday > 6:
        abort(404)
    if not form.validate():
        return _day_page(form, who, weekday, 422)
    try:
        with transaction("hours.change", actor=current_user) as write:
            write.about = services.set_days(
                who, seen=form.version.data or 0, weekdays={weekday, *(form.also.data or [])}, plan=form.plan()
            )
    except Stale as clash:
        row = queries.work_week(user_id)
        form.version.renew(row.row_version if row else 0)
        form.refuse(None, _("Somebody else changed these hours meanwhile. Save again to keep what stands here."))
        return _day_page(form, who, weekday, clash.status)
    return _saved(_("Saved: the hours of %(name)s.", name=who.display_name), write, _provider_url(user_id))


def _provider_url(user_id: int) -> str:
    return url_for("hours.provider", user_id=user_id)


def _saved(words: str, write: Any, url: str) -> Response:
    toast(words, undo=way_back(write))
    return finished(url, CHANGED, "calendar-changed")


@bp.get("/closed/new")
@require(P.CALENDAR_SETUP)
def new_closed() -> ResponseReturnValue:
    return _off_page(_off_form(None, of_the_clinic=True))


@bp.post("/closed")
@require(P.CALENDAR_SETUP)
def create_closed() -> ResponseReturnValue:
    return _create(_off_form(request.form, of_the_clinic=True), None)


@bp.get("/providers/<int:user_id>/away/new")
@require(P.HOURS_WRITE)
def new_away(user_id: int) -> ResponseReturnValue:
    return _off_page(_off_form(None), provider=queries.provider(user_id))


@bp.post("/providers/<int:user_id>/away")
@require(P.HOURS_WRITE)
def create_away(user_id: int) -> ResponseReturnValue:
    return _create(_off_form(request.form), queries.provider(user_id))


def _off_form(data: Any, *, of_the_clinic: bool = False) -> OffForm:
    form = OffForm(data)
    form.of_the_clinic = of_the_clinic
    return form


def _off_page(form: OffForm, *, row: TimeOff | None = None, provider: Any = None, status: int = 200) -> Response:
    return page("hours/off_dialog.html", status=status, form=form, row=row, provider=provider)


def _create(form: OffForm, who: Any) -> Response:
    if not form.validate():
        return _off_page(form, provider=who, status=422)
    action = "hours.close" if who is None else "hours.away"
    try:
        with transaction(action, actor=current_user) as write:
            write.about = row = services.add_time_off(provider_id=who.id if who else None, **form.values())
    except DomainError as problem:
        form.refuse(problem.field, sentence(problem))
        return _off_page(form, provider=who, status=problem.status)
    return _saved(_said(row), write, _home_of(row))


def _said(row: TimeOff) -> str:
    name = row.provider.display_name if row.provider is not None else row.name
    return _("Saved: %(name)s, %(when)s.", name=name, when=queries.span_words(row.start, row.end))


def _home_of(row: TimeOff) -> str:
    return _provider_url(row.provider_id) if row.provider_id else url_for("hours.index")


def _mine_to_change(off_id: int) -> TimeOff:
    """A closed day is the owner's to change, an absence that of whoever plans the hours."""
    row = queries.time_off(off_id)
    if row.kind is OffKind.OPEN:
        abort(404)  # it is said in the list of public holidays
    if row.kind in OF_THE_CLINIC and not can(P.CALENDAR_SETUP):
        raise Forbidden
    return row


@bp.get("/off/<int:off_id>")
@require(P.HOURS_WRITE)
def edit_off(off_id: int) -> ResponseReturnValue:
    row = _mine_to_change(off_id)
    form = OffForm.of(row)
    form.of_the_clinic = row.kind in OF_THE_CLINIC
    return _off_page(form, row=row, provider=row.provider)


@bp.post("/off/<int:off_id>")
@require(P.HOURS_WRITE)
def change_off(off_id: int) -> ResponseReturnValue:
    row = _mine_to_change(off_id)
    form = _off_form(request.form, of_the_clinic=row.kind in OF_THE_CLINIC)
    if not form.validate():
        return _off_page(form, row=row, provider=row.provider, status=422)
    try:
        with transaction("hours.change_off", actor=current_user, about=row) as write:
            services.change_time_off(row, seen=form.version.data or 0, **form.values())
    except DomainError as problem:
        if isinstance(problem, Stale):
            form.version.renew(row.row_version)
        form.refuse(problem.field, sentence(problem))
        return _off_page(form, row=row, provider=row.provider, status=problem.status)
    return _saved(_said(row), write, _home_of(row))


@bp.post("/off/<int:off_id>/delete")
@require(P.HOURS_WRITE)
def delete_off(off_id: int) -> ResponseReturnValue:
    row, form = _mine_to_change(off_id), OffForm(request.form)
    with transaction("hours.delete_off", actor=current_user, about=row) as write:
        services.delete_time_off(row, seen=form.version.data or 0)
    return _saved(_("Taken away: %(when)s.", when=queries.span_words(row.start, row.end)), write, _home_of(row))


@bp.get("/holidays")
@require(P.CALENDAR_SETUP)
def holidays() -> ResponseReturnValue:
    """The public holidays of a year; the country as chosen, or as it is about to be."""
    clinic = settings.current()
    form = CountryForm.about(
        request.args.get("country", clinic.holiday_country), request.args.get("region", clinic.holiday_region)
    )
    return _holidays_page(form)


def _holidays_page(form: CountryForm, status: int = 200) -> Response:
    year = request.args.get("year", clock.today().year, type=whole)
    if not FIRST_DAY.year <= year <= LAST_DAY.year:
        abort(404)
    opened, opening = queries.opened_days(year), queries.opening()
    listed = [
        (day, name, day in opened, opening[day.weekday()] is not None) for day, name in queries.holidays(year).items()
    ]
    return page(
        "hours/holidays.html", status=status, form=form, year=year, holidays=listed, where=queries.where_words()
    )


@bp.post("/holidays/country")
@require(P.CALENDAR_SETUP)
def change_country() -> ResponseReturnValue:
    form = CountryForm.about("", "", request.form)
    if not form.validate():
        return _holidays_page(form, 422)
    with transaction("hours.country", actor=current_user) as write:
        services.set_country(country=form.country.data, region=form.region.data if form.country.data else "")
    toast(_("Saved."), undo=way_back(write))
    return done(url_for("hours.holidays"))


@bp.post("/holidays/<day>/<any(open,closed):word>")
@require(P.CALENDAR_SETUP)
def set_open(day: str, word: str) -> ResponseReturnValue:
    """Open on a public holiday, or closed on it again."""
    asked = parse_day(day)
    if asked is None:
        abort(404)
    with transaction("hours.open_holiday" if word == "open" else "hours.close_holiday", actor=current_user) as write:
        write.about = services.set_open(asked, is_open=word == "open")
    named = queries.day_words(asked)
    said = (
        _("The clinic is open on %(day)s.", day=named)
        if word == "open"
        else _("The clinic is closed on %(day)s.", day=named)
    )
    toast(said, undo=way_back(write))
    return done(url_for("hours.holidays", year=asked.year)) if not is_htmx() else _fired()


def _fired() -> Response:
    answer = Response("")
    answer.headers["HX-Trigger"] = f"{CHANGED}, calendar-changed"
    answer.headers["HX-Reswap"] = "none"
    return answer
