"""The viewer in a Chromium slowed down six times: until there is something to see, and until every pixel is there."""

import http.cookies
import sys
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import numpy
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalIntraOralXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from bench.chromium import ARGUMENTS, CHROMIUM, SLOWER, WINDOW
from bench.desk import cookie
from bench.run import Run
from bench.served import serving
from bench.table import Line, ratio
from config import Config
from cpms import create_app
from cpms.auth import queries as auth
from cpms.core import media
from cpms.core.db import transaction
from cpms.patients import queries as patients
from cpms.xrays import intake, services

WIDTH, HEIGHT = 1800, 1350  # what a sensor of 36 by 27 mm gives at 20 micrometres

# Painted: the frame after the one in which it is there; milliseconds since the page was asked for.
SEEN = """() => {
  const note = (name, isThere) => {
    const look = () => {
      if (isThere()) requestAnimationFrame(() => setTimeout(() => { window[name] = performance.now(); }));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  };
  const small = () => document.querySelector("[data-film] > img");
  note("first_pixel", () => small()?.complete && small().naturalWidth);
  note("every_pixel", () => document.querySelector("[data-shown]"));
}"""
BARE = '<!doctype html><title>Bare</title><div data-film data-shown><img src="/xrays/{id}/picture/screen"></div>'


def figures(run: Run) -> list[Line]:
    if CHROMIUM is None:
        print("LEFT OUT: the viewer's figures, because there is no Chromium", file=sys.stderr)
        return []
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only this theme needs it

    clinic = run.fresh("viewer")
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(clinic.folder)}))
    xray_id = _picture(app)
    morsel = next(iter(http.cookies.SimpleCookie(cookie(app, "ada", at=datetime.now(UTC))).values()))
    first, every, bare = [], [], []
    with serving(clinic) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        address = f"http://127.0.0.1:{server.port}"
        context = browser.new_context(base_url=address, **WINDOW)
        context.add_cookies([{"name": morsel.key, "value": morsel.value, "url": address}])
        viewer, plain = (_slowed(context) for _ in range(2))
        plain.route("**/bare", lambda route: route.fulfill(content_type="text/html", body=BARE.format(id=xray_id)))
        for number in range(-1, 5 if run.quick else 12):
            seen, limit = _opened(viewer, f"/xrays/{xray_id}"), _opened(plain, "/bare")
            if number >= 0:
                first.append(seen[0])
                every.append(seen[1])
                bare.append(limit[0])
        browser.close()
    return [
        ratio("15", f"first pixel in the viewer, CPU {SLOWER} times slower / a page of nothing else", first, bare, 4),
        ratio("", f"every pixel of {WIDTH} x {HEIGHT} in 12 bits / the same", every, bare),
    ]


def _slowed(context: Any) -> Any:
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.set_default_timeout(60_000)
    page.add_init_script(f"({SEEN})()")
    return page


def _opened(page: Any, address: str) -> tuple[float, float]:
    """Milliseconds until the first pixel, and until all of them; then the page is left, so that it costs nothing."""
    page.bring_to_front()  # a page behind another draws no frames
    page.goto(address)
    page.wait_for_function("() => window.first_pixel && window.every_pixel")
    times = page.evaluate("() => [window.first_pixel, window.every_pixel]")
    page.goto("about:blank")
    return times[0], times[1]


def _picture(app: Any) -> int:
    """A periapical picture of 12 bits in the first chart."""
    values = (numpy.add.outer(numpy.arange(HEIGHT), numpy.arange(WIDTH)) * 3 % 4096).astype("<u2")
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = DigitalIntraOralXRayImageStorageForPresentation
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
    data.Modality, data.PhotometricInterpretation = "IO", "MONOCHROME2"
    data.Rows, data.Columns = HEIGHT, WIDTH
    data.SamplesPerPixel, data.PixelRepresentation = 1, 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.WindowCenter, data.WindowWidth = "2048", "4096"
    data.PixelData = values.tobytes()
    content = BytesIO()
    data.save_as(content, enforce_file_format=True)
    with app.app_context():
        user = auth.user_named("ada")
        assert user is not None
        waiting = media.incoming() / "bench.dcm"
        waiting.write_bytes(content.getvalue())
        read = intake.read(waiting, "bench.dcm")
        with intake.keeping(read), transaction("bench.picture", actor=None):
            row = services.attach(patients.patient(1), read, by=user)
        intake.discard(read)
        return row.id
