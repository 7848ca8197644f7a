"""Bringing pictures into a chart."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cpms.audit.models import AuditEntry
from cpms.core import media
from cpms.core.db import db, transaction
from cpms.settings import services as settings
from cpms.xrays import queries, services
from cpms.xrays.models import XrayKind
from cpms.xrays.queries import Card
from tests import pictures
from tests.make import Make
from tests.pages import Answer, Person
from tests.pictures import png

Send = Callable[..., Answer]


def file(content: bytes, name: str) -> tuple[BytesIO, str]:
    return BytesIO(content), name


@pytest.fixture
def cards(app: Flask) -> Callable[[int], list[Card]]:
    def of(patient_id: int) -> list[Card]:
        with app.app_context():
            return queries.of_patient(patient_id)

    return of


@pytest.fixture
def on_disk(app: Flask) -> Callable[[], list[str]]:
    """Every file of the clinic's pictures, waiting ones and copies included."""

    def names() -> list[str]:
        folder = Path(app.config["CPMS_INSTANCE"])
        kept = (path for each in ("media", "derived", "incoming") for path in (folder / each).rglob("*"))
        return sorted(path.relative_to(folder).as_posix() for path in kept if path.is_file())

    return names


def test_a_picture_is_stored_seen_and_recorded(
    app: Flask, make: Make, ada: Person, cards: Any, last_audit: Callable[[], AuditEntry]
) -> None:
    patient = make.patient()
    answer = ada.post(f"/xrays/of/{patient.id}", file=[file(png(), "smile.png")])
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/xrays/of/{patient.id}")
    (card,) = cards(patient.id)
    entry = last_audit()
    assert (entry.action, entry.about_id, entry.patient_id) == ("xray.create", str(card.id), patient.id)
    page = ada.get(f"/xrays/of/{patient.id}")
    assert page.page.one(f'img[src="/xrays/{card.id}/picture/thumb"]')
    assert ada.get(f"/xrays/{card.id}/original").data == png()


def test_several_at_once_with_what_was_given(make: Make, ada: Person, cards: Any) -> None:
    patient = make.patient()
    sent = [file(png(shade=1), "a.png"), file(pictures.jpeg(), "b.jpg"), file(pictures.PDF, "c.pdf")]
    answer = ada.post(f"/xrays/of/{patient.id}", file=sent, kind="bitewing", teeth="17 16", date_performed="2026-08-30")
    assert answer.status_code == 303
    got = cards(patient.id)
    assert {card.original_name for card in got} == {"a.png", "b.jpg", "c.pdf"}
    assert {(card.kind, str(card.date_performed), tuple(card.teeth)) for card in got} == {
        (XrayKind.BITEWING, "2026-08-30", ("16", "17"))
    }


def test_one_bad_file_of_ten_names_itself_and_nine_are_stored(make: Make, ada: Person, cards: Any) -> None:
    patient = make.patient()
    sent = [file(png(shade=n), f"{n}.png") for n in range(9)]
    sent.insert(4, file(b"Dear colleague", "letter.jpg"))
    answer = ada.post(f"/xrays/of/{patient.id}", file=sent)
    assert answer.status_code == 422
    assert "letter.jpg is not a picture that is taken here" in answer.page.text
    assert len(cards(patient.id)) == 9
    assert len(answer.page.all("#xrays img")) == 9


def test_a_page_that_sends_them_one_by_one_gets_a_line_about_each(make: Make, ada: Person, cards: Any) -> None:
    patient = make.patient()
    lines = [one(ada, patient.id, content, name) for content, name in ((png(), "a.png"), (b"no", "b.png"))]
    assert [line.status_code for line in lines] == [200, 422]
    assert [line.page.one("li bdi").get_text() for line in lines] == ["a.png", "b.png"]
    assert len(cards(patient.id)) == 1


def one(person: Person, patient_id: int, content: bytes, name: str) -> Answer:
    return person.post(f"/xrays/of/{patient_id}", headers={"X-Upload": "1"}, file=[file(content, name)])


@pytest.mark.parametrize("name", sorted(pictures.hostile()))
def test_hostile_files_get_a_sentence_and_nothing_is_stored(
    make: Make, ada: Person, cards: Any, on_disk: Callable[[], list[str]], name: str
) -> None:
    patient = make.patient()
    sent, content = pictures.hostile()[name]
    answer = one(ada, patient.id, content, sent)
    if cards(patient.id):
        assert name in {"jpeg with an html tail", "jpeg with a zip tail", "dicom with a tiff preamble"}
        return
    assert answer.status_code == (413 if name == "31 MB of 0xFF" else 422)
    assert sent in answer.page.text
    assert on_disk() == []


def test_no_file_is_said(make: Make, ada: Person) -> None:
    answer = ada.post(f"/xrays/of/{make.patient().id}")
    assert (answer.status_code, "Please choose a file." in answer.page.text) == (422, True)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"teeth": "11 19"}, "There is no tooth 19."),
        ({"date_performed": "2026-09-02"}, "cannot be in the future"),
        ({"date_performed": "soon"}, "Please give a date that exists"),
        ({"kind": "gossip"}, "Please choose from the list."),
    ],
)
def test_what_was_typed_wrong_is_said_beside_its_field(
    make: Make, ada: Person, on_disk: Callable[[], list[str]], given: dict[str, str], words: str
) -> None:
    answer = ada.post(f"/xrays/of/{make.patient().id}", file=[file(png(), "a.png")], **given)
    assert answer.status_code == 422
    assert words in answer.page.error(next(iter(given)))
    assert on_disk() == []


def test_the_same_file_twice_says_where_it_is(make: Make, ada: Person, cards: Any) -> None:
    patient = make.patient()
    ada.post(f"/xrays/of/{patient.id}", file=[file(png(), "a.png")], date_performed="2026-08-03")
    answer = ada.post(f"/xrays/of/{patient.id}", file=[file(png(), "b.png")])
    assert answer.status_code == 409
    assert "b.png is in this chart already, with the date 3 Aug 2026." in answer.page.text
    assert len(cards(patient.id)) == 1


def test_a_file_of_somebody_else_is_asked_about_and_being_sure_is_recorded(
    make: Make, ada: Person, cards: Any, on_disk: Callable[[], list[str]], last_audit: Callable[[], AuditEntry]
) -> None:
    patient = make.patient()
    content = pictures.dicom(**pictures.of_patient(name="Kaya^Ali"))
    answer = ada.post(f"/xrays/of/{patient.id}", file=[file(content, "x.dcm")])
    assert answer.status_code == 422
    assert "x.dcm says it is of another patient (Kaya Ali), not of" in answer.page.text
    assert answer.page.has('[name="sure"]')
    assert on_disk() == []
    assert ada.post(f"/xrays/of/{patient.id}", file=[file(content, "x.dcm")], sure="y").status_code == 303
    assert len(cards(patient.id)) == 1
    assert "another patient (Kaya Ali)" in (last_audit().reason or "")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../../etc/passwd.png", "passwd.png"),
        ("ağız ışığı İ.png", "ağız ışığı İ.png"),
        ("x" * 5000 + ".png", "x" * 251 + ".png"),
    ],
)
def test_a_files_name_is_data(
    make: Make, ada: Person, cards: Any, on_disk: Callable[[], list[str]], sent: str, kept: str
) -> None:
    patient = make.patient()
    assert ada.post(f"/xrays/of/{patient.id}", file=[file(png(), sent)]).status_code == 303
    (card,) = cards(patient.id)
    assert card.original_name == kept
    assert all(not Path(name).name.startswith(("passwd", "x", "a")) or len(Path(name).name) == 64 for name in on_disk())


# --- limits ---------------------------------------------------------------------------------------------------------


def test_a_file_over_the_clinics_limit_is_refused_with_the_limit(
    app: Flask, make: Make, ada: Person, cards: Any, on_disk: Callable[[], list[str]]
) -> None:
    with app.app_context(), transaction("test.settings", actor=None):
        settings.change_settings(xray_max_mb=2)
    patient = make.patient()
    answer = ada.post(f"/xrays/of/{patient.id}", file=[file(b"\xff" * 2_000_001, "huge.jpg")])
    assert answer.status_code == 413
    assert "huge.jpg is larger than 2 MB." in answer.page.text
    assert on_disk() == []
    both = [file(b"\xff" * 3_000_000, "huge.jpg"), file(png(), "a.png")]
    answer = ada.post(f"/xrays/of/{patient.id}", file=both)
    assert answer.status_code == 422
    assert [card.original_name for card in cards(patient.id)] == ["a.png"]


def test_a_thousand_small_parts_are_refused(make: Make, ada: Person, on_disk: Callable[[], list[str]]) -> None:
    many = [file(b"x", f"{n}.png") for n in range(1000)]
    answer = ada.post(f"/xrays/of/{make.patient().id}", file=many)
    assert answer.status_code == 413
    assert "What was sent is larger than the server takes. Nothing was saved." in answer.page.text
    assert on_disk() == []


class Endless:
    """A body that does not end by itself, and how much of it was read."""

    def __init__(self, start: bytes) -> None:
        self.start, self.read_so_far = start, 0

    def read(self, size: int = -1) -> bytes:
        piece, self.start = self.start[:size], self.start[size:]
        piece = piece or b"\xff" * min(max(size, 1), 65536)
        self.read_so_far += len(piece)
        return piece

    def readline(self, size: int = -1) -> bytes:
        return self.read(size)


def endless_upload(person: Person, patient_id: int) -> tuple[Endless, Any]:
    body = Endless(b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n\xff\xd8\xff')
    answer = person.client.post(
        f"/xrays/of/{patient_id}",
        content_type="multipart/form-data; boundary=edge",
        headers={"X-CSRFToken": person.csrf_token(), "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input": body, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
        buffered=True,
    )
    return body, answer


def test_an_endless_body_is_cut_off(app: Flask, make: Make, ada: Person, on_disk: Callable[[], list[str]]) -> None:
    with app.app_context(), transaction("test.settings", actor=None):
        settings.change_settings(xray_max_mb=1)
    body, answer = endless_upload(ada, make.patient().id)
    assert answer.status_code == 413
    assert body.read_so_far < 23_000_000
    assert on_disk() == []


def test_who_may_not_send_files_has_the_usual_small_limit(make: Make, rita: Person, outsider: Person) -> None:
    patient = make.patient()
    for person in (rita, outsider):
        body, answer = endless_upload(person, patient.id)
        assert answer.status_code == 413
        assert body.read_so_far < 1_300_000


def test_other_forms_keep_the_usual_small_limit(make: Make, ada: Person) -> None:
    answer = ada.post(f"/patients/{make.patient().id}/edit", notes="x" * 2_000_000)
    assert answer.status_code == 413


def test_no_room_on_the_disk_is_said_and_nothing_is_written(
    app: Flask, make: Make, ada: Person, on_disk: Callable[[], list[str]]
) -> None:
    with app.app_context(), transaction("test.settings", actor=None):
        settings.change_settings(xray_floor_mb=10**9)
    answer = ada.post(f"/xrays/of/{make.patient().id}", file=[file(png(), "a.png")])
    assert answer.status_code == 422
    assert "There is no room for a.png on the server's disk." in answer.page.text
    assert on_disk() == []


# --- neither a record without its file nor a file without its record --------------------------------------------------


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> Iterator[None]:
    """The record cannot be written after all: the real service, and then the error."""
    attach = services.attach

    def then(*args: Any, **kwargs: Any) -> Any:
        attach(*args, **kwargs)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(services, "attach", then)
        yield


def test_when_the_record_fails_the_file_goes_too(
    make: Make, ada: Person, cards: Any, on_disk: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    patient, other = make.patient(), make.patient()
    with failing(monkeypatch, RuntimeError("the disk is gone")):
        assert ada.post(f"/xrays/of/{patient.id}", file=[file(png(), "a.png")]).status_code == 500
    assert (cards(patient.id), on_disk()) == ([], [])
    ada.post(f"/xrays/of/{other.id}", file=[file(png(), "a.png")])
    with failing(monkeypatch, RuntimeError("the disk is gone")):
        assert ada.post(f"/xrays/of/{patient.id}", file=[file(png(), "a.png")]).status_code == 500
    assert len(cards(other.id)) == 1
    assert ada.get(f"/xrays/{cards(other.id)[0].id}/original").data == png()


def test_a_body_that_breaks_off_leaves_nothing(make: Make, ada: Person, cards: Any, on_disk: Any) -> None:
    """The server learns of it in the middle of reading: see the test of the killed connection for the real one."""
    patient = make.patient()
    half = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + png()[:60]
    answer = ada.client.post(
        f"/xrays/of/{patient.id}",
        data=half,
        content_type="multipart/form-data; boundary=edge",
        headers={"X-CSRFToken": ada.csrf_token()},
        buffered=True,
    )
    assert answer.status_code in {400, 422}
    assert (cards(patient.id), on_disk()) == ([], [])


def test_the_database_and_the_folder_agree_after_everything(app: Flask, make: Make, ada: Person, on_disk: Any) -> None:
    patient = make.patient()
    for content, name in ((png(), "a.png"), (b"no", "b.png"), (png(), "again.png"), (pictures.dicom(), "c.dcm")):
        ada.post(f"/xrays/of/{patient.id}", file=[file(content, name)])
    with app.app_context():
        named = {row.sha256 for row in db.session.execute(db.metadata.tables["xray"].select())}
        assert named == {path.name for path in media.root().rglob("*") if path.is_file()}
    assert not [name for name in on_disk() if name.startswith("incoming")]
