"""Every key of the program but the picture viewer's, which has a list of its own there. The help sheet is drawn from
this list, and a test holds it against what listens."""

from dataclasses import dataclass

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from cpms.core.permissions import P
from cpms.web.access import can, require
from cpms.web.htmx import page

bp = Blueprint("keys", __name__)

LINK = "data-key"  # the key clicks the link or button that carries it


@dataclass(frozen=True, slots=True)
class Key:
    """Keys that do the same, as a browser names them; `by` is the module that listens, or `LINK`."""

    keys: tuple[str, ...]
    what: LazyString
    by: str = LINK
    needs: P = P.PROFILE


ARROWS = ("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight")
_CALENDAR = "calendar-keys.js"
_FINDER = "finder.js"

GROUPS: tuple[tuple[LazyString, P, tuple[Key, ...]], ...] = (
    (
        _l("On every page"),
        P.PROFILE,
        (
            Key(("/", "Control+k"), _l("Find a patient, a day, or something to do"), _FINDER, P.PATIENT_READ),
            Key(("ArrowUp", "ArrowDown"), _l("In the answers: one up, one down"), _FINDER, P.PATIENT_READ),
            Key(("Enter",), _l("In the answers: take the marked one, or else the first"), _FINDER, P.PATIENT_READ),
            Key(("Escape",), _l("Close the answers; once more: back to where you were"), _FINDER, P.PATIENT_READ),
            Key(("?",), _l("This list"), _FINDER),
        ),
    ),
    (
        _l("In the calendar"),
        P.CALENDAR_READ,
        (
            Key(ARROWS, _l("Walk from time to time and from visit to visit"), _CALENDAR),
            Key(("Enter",), _l("Open the visit, or book the free time"), "calendar.js"),
            Key(("n",), _l("New appointment"), needs=P.CALENDAR_WRITE),
            Key(("t",), _l("Today")),
            Key(("w",), _l("Week")),
            Key(("d",), _l("Day")),
            Key(("o",), _l("Month")),
            Key(("l",), _l("List")),
            Key(("g",), _l("Go to a date")),
            Key(("PageUp", "PageDown"), _l("The days, weeks or months before, and those after")),
        ),
    ),
    (
        _l("With a visit in the calendar"),
        P.CALENDAR_WRITE,
        (
            Key(("m",), _l("Pick it up"), _CALENDAR),
            Key(ARROWS, _l("Picked up: carry it"), _CALENDAR),
            Key(("Shift+ArrowUp", "Shift+ArrowDown"), _l("Picked up: make it shorter, longer"), _CALENDAR),
            Key(("Enter",), _l("Picked up: put it down here"), _CALENDAR),
            Key(("Escape",), _l("Picked up: put it back where it was"), _CALENDAR),
            Key(("x", "c"), _l("Cut it, copy it: the next free time that is tapped takes it"), _CALENDAR),
            Key(("Escape",), _l("Let go of what was cut or copied"), _CALENDAR),
        ),
    ),
)

_SAID = {
    **{"ArrowUp": "↑", "ArrowDown": "↓", "ArrowLeft": "←", "ArrowRight": "→"},
    **{"PageUp": _l("Page ↑"), "PageDown": _l("Page ↓"), "Control": "Ctrl"},
    **{"Escape": "Esc", "k": "K"},
}


def said(key: str) -> str:
    """A key as it is printed on keyboards."""
    return " ".join(str(_SAID.get(part, part)) for part in key.split("+"))


@bp.get("/keys")
@require(P.PROFILE)
def show() -> ResponseReturnValue:
    groups = [
        (title, [(map(said, each.keys), each.what) for each in keys if can(each.needs)])
        for title, needs, keys in GROUPS
        if can(needs)
    ]
    return page("keys_dialog.html", groups=groups)
