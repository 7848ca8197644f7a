"""Bringing pictures into a chart."""

from io import BytesIO

from flask import Flask
from PIL import Image

from cpms.xrays import queries
from tests.make import Make
from tests.pages import Person
from tests.pictures import png


def test_a_picture_is_stored_and_shown(app: Flask, make: Make, ada: Person) -> None:
    patient = make.patient()
    answer = ada.post(f"/xrays/of/{patient.id}", file=[(BytesIO(png()), "smile.png")])
    assert answer.status_code == 303, answer.page.text
    with app.app_context():
        (card,) = queries.of_patient(patient.id)
    for size in ("thumb", "screen", "full"):
        got = ada.client.get(f"/xrays/{card.id}/picture/{size}", buffered=True)
        assert got.status_code == 200
        Image.open(BytesIO(got.data)).load()
    assert ada.client.get(f"/xrays/{card.id}/picture/depth", buffered=True).status_code == 404
    assert ada.client.get(f"/xrays/{card.id}/original", buffered=True).data == png()
    page = ada.get(f"/xrays/of/{patient.id}")
    assert "smile.png" in page.html
