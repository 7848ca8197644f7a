"""Goal 14: what it costs to take pictures in, beside the bare work of decoding and encoding them, and what it leaves in
the server's memory."""

import gzip
import http.client
import io
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy
import pydicom
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.pixels import pixel_array
from pydicom.uid import ExplicitVRLittleEndian

from bench.desk import cookie, csrf_token
from bench.run import Run
from bench.served import serving
from bench.table import Line, ratio
from config import Config
from cpms import create_app
from cpms.core import media
from cpms.xrays import decoder, intake

UPLOADS = 200
WIDE, HIGH = 3000, 2000  # 6 megapixels
DEEP = (1400, 2600)  # rows and columns of a panoramic picture


def figures(run: Run) -> list[Line]:
    rounds = 5 if run.quick else 20
    clinic = run.fresh("xrays")
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(clinic.folder)}))
    lines = []
    with app.app_context():
        place = run.folder / "pictures"
        place.mkdir()
        for what, content, bare in (
            ("6-megapixel JPEG", _photo(), _bare_photo),
            ("16-bit DICOM", _dicom(), _bare_dicom),
        ):
            ours, limit = [], []
            for _ in range(rounds):
                ours.append(_cpu(lambda content=content: _take(content)))
                limit.append(_cpu(lambda content=content, bare=bare: bare(content, place)))
            lines.append(
                ratio(
                    "14",
                    f"intake of a {what} / decoding and encoding alone",
                    ours,
                    limit,
                    note="ours with the start of a process, its libraries, and every check",
                )
            )
    return [*lines, *_parts(rounds), _memory(run, clinic, app)]


def _parts(rounds: int) -> list[Line]:
    """The two steps that have a slow and a quick way."""
    content = _photo()
    values = pixel_array(pydicom.dcmread(io.BytesIO(_dicom())))
    with Image.open(io.BytesIO(content)) as opened:
        opened.load()
        whole = opened.convert("RGB")
    screen = decoder._smaller(whole, decoder.SCREEN)
    middle, small, full, table, floats = [], [], [], [], []
    for _ in range(rounds):
        middle.append(_cpu(lambda: decoder._smaller(whole, decoder.SCREEN)))
        small.append(_cpu(lambda: decoder._smaller(screen, decoder.THUMB)))
        full.append(_cpu(lambda: Image.open(io.BytesIO(content)).load()))
        table.append(_cpu(lambda: decoder.window_table(2048, 4096).take(values)))
        floats.append(_cpu(lambda: _by_floats(values, 2048, 4096)))
    return [
        ratio("14", "thumbnail / full decode", small, full, 0.5),
        ratio("14", "copy for the screen / full decode", middle, full),
        ratio("14", "DICOM window by a table / by floats", table, floats, 0.3),
    ]


def _memory(run: Run, clinic: Any, app: Any) -> Line:
    """Before and after so many uploads; the first ones fill what every server fills once."""
    token = cookie(app, "ada", at=datetime.now(UTC))
    number = 40 if run.quick else UPLOADS
    with serving(clinic) as server:
        statuses = [_upload(server.port, app, token, shade) for shade in range(10)]
        before = server.memory()
        statuses += [_upload(server.port, app, token, shade) for shade in range(10, 10 + number)]
        grown = server.memory() - before
    good = sum(status == 200 for status in statuses)
    note = f"{good} of {number + 10} taken; {before:.0f} MB before"
    return Line("14", f"memory after {number} uploads", grown, "MB", 5, note=note)


def _upload(port: int, app: Any, token: str, shade: int) -> int:
    edge = "edge-of-a-part"
    picture = io.BytesIO()
    Image.new("RGB", (1200 + shade, 900), "teal").save(picture, "JPEG")
    body = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{shade}.jpg"\r\n\r\n'.encode()
    body += picture.getvalue() + f"\r\n--{edge}--\r\n".encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {
        "Cookie": token,
        "X-CSRFToken": csrf_token(app),
        "X-Upload": "1",
        "Content-Type": f"multipart/form-data; boundary={edge}",
    }
    connection.request("POST", "/xrays/of/1", body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def _take(content: bytes) -> None:
    waiting = media.incoming() / "bench.part"
    waiting.write_bytes(content)
    intake.discard(intake.read(waiting, "bench"))


def _bare_photo(content: bytes, place: Path) -> None:
    """The same three copies, and nothing else."""
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        _bare_copies(image, place, "full.jpg", quality=92)


def _bare_dicom(content: bytes, place: Path) -> None:
    values = pixel_array(pydicom.dcmread(io.BytesIO(content)))
    (place / "depth.bin.gz").write_bytes(gzip.compress(values.astype("<u2").tobytes(), 1))
    shown = decoder.window_table(2048, 4096).take(values)
    _bare_copies(Image.fromarray(shown), place, "full.png", compress_level=1)


def _bare_copies(image: Any, place: Path, full: str, **options: Any) -> None:
    image.save(place / full, **options)
    image.thumbnail((1600, 1600), reducing_gap=2.0)
    image.save(place / "screen.jpg", quality=90)
    image.thumbnail((300, 300), reducing_gap=2.0)
    image.save(place / "thumb.jpg", quality=85)


def _by_floats(values: Any, center: float, width: float, slope: float = 1.0, intercept: float = 0.0) -> Any:
    """The same greys, by the standard's formula for each pixel."""
    x = values.astype(float) * slope + intercept
    grey = ((x - (center - 0.5)) / (width - 1) + 0.5) * 255
    grey = numpy.where(x <= center - 0.5 - (width - 1) / 2, 0, grey)
    grey = numpy.where(x > center - 0.5 + (width - 1) / 2, 255, grey)
    return numpy.floor(grey + 0.5).astype(numpy.uint8)


def _cpu(work: Callable[[], Any]) -> float:
    """Milliseconds of the processor, those of ended children included."""
    before = _used()
    work()
    return (_used() - before) * 1000


def _used() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.thread_time() + children.ru_utime + children.ru_stime


def _photo() -> bytes:
    noise = numpy.random.default_rng(7).integers(0, 256, (HIGH // 20, WIDE // 20, 3), dtype=numpy.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).resize((WIDE, HIGH)).save(out, "JPEG", quality=90)
    return out.getvalue()


def _dicom() -> bytes:
    rows, columns = DEEP
    smooth = numpy.add.outer(numpy.arange(rows), numpy.arange(columns)) % 4096
    grain = numpy.random.default_rng(7).integers(0, 32, DEEP)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.3", "1.2.3"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = meta.MediaStorageSOPClassUID, "1.2.3", "PX"
    data.PhotometricInterpretation, data.SamplesPerPixel, data.PixelRepresentation = "MONOCHROME2", 1, 0
    data.Rows, data.Columns, data.BitsAllocated, data.BitsStored, data.HighBit = rows, columns, 16, 12, 11
    data.WindowCenter, data.WindowWidth = 2048, 4096
    data.PixelData = numpy.clip(smooth + grain, 0, 4095).astype("<u2").tobytes()
    out = io.BytesIO()
    data.save_as(out, enforce_file_format=True)
    return out.getvalue()
