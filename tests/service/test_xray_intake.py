"""From bytes to a file that is good to keep."""

import gzip
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy
import pytest
from flask import Flask
from PIL import Image
from pydicom.dataset import Dataset

from cpms.core import media
from cpms.core.db import transaction
from cpms.settings import services as settings
from cpms.xrays import intake
from cpms.xrays.intake import Limits, NotTaken
from cpms.xrays.models import XrayKind
from cpms.xrays.rules import Read
from tests import pictures
from tests.conftest import NOW
from tests.pictures import REAL, dicom, hostile

Look = Callable[..., Read]


@pytest.fixture
def look(ctx: Flask) -> Look:
    """Send bytes, get what was read; the copies lie in `read.copies`."""

    def at(content: bytes, name: str = "file", **options: Any) -> Read:
        waiting = media.incoming() / "sent.part"
        waiting.write_bytes(content)
        return intake.read(waiting, name, **options)

    return at


def opened(read: Read, name: str) -> Image.Image:
    with Image.open(read.copies / name) as image:
        image.load()
        return image


def depth(read: Read) -> Any:
    raw = gzip.decompress((read.copies / "depth.bin.gz").read_bytes())
    return numpy.frombuffer(raw, "<u2").reshape(read.height, read.width)


def shown(read: Read) -> Any:
    return numpy.asarray(opened(read, "full.png"))


def names(read: Read) -> set[str]:
    return {path.name for path in read.copies.iterdir()}


# --- pictures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "mime", "full"),
    [
        ("PNG", "image/png", "full.png"),
        ("JPEG", "image/jpeg", "full.jpg"),
        ("WEBP", "image/webp", "full.jpg"),
        ("TIFF", "image/tiff", "full.png"),
    ],
)
def test_content_decides_what_a_picture_is(look: Look, form: str, mime: str, full: str) -> None:
    read = look(pictures.encoded(pictures.photo((2400, 1200)), form), "holiday.exe")
    assert (read.mime, read.width, read.height, read.bits, read.frames) == (mime, 2400, 1200, 8, 1)
    assert names(read) == {"thumb.jpg", "screen.jpg", full}
    assert [opened(read, name).size for name in ("thumb.jpg", "screen.jpg", full)] == [
        (300, 150),
        (1600, 800),
        (2400, 1200),
    ]
    assert read.kind is XrayKind.PHOTO


def test_a_small_picture_is_not_made_larger(look: Look) -> None:
    read = look(pictures.png(size=(40, 30)))
    assert opened(read, "screen.jpg").size == opened(read, "thumb.jpg").size == (40, 30)


def test_a_phones_photo_stands_upright_and_tells_nobody_where_it_was(look: Look) -> None:
    said = pictures.exif(orientation=6)
    read = look(pictures.jpeg((96, 64), exif=said, comment=b"patient Selma"))
    assert (read.width, read.height) == (64, 96)
    assert str(read.day) == "2026-08-20"
    for path in read.copies.iterdir():
        assert not opened(read, path.name).getexif()
        assert b"Exif" not in path.read_bytes() and b"Selma" not in path.read_bytes()


def test_what_was_transparent_is_white(look: Look) -> None:
    read = look(pictures.encoded(Image.new("RGBA", (8, 8), (255, 0, 0, 0)), "PNG"))
    assert opened(read, "full.png").getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_kind_of_png_is_shown(look: Look, mode: str) -> None:
    read = look(pictures.encoded(pictures.photo().convert(mode), "PNG"))
    assert opened(read, "full.png").mode in {"L", "RGB"}


def test_a_print_shops_jpeg_is_shown(look: Look) -> None:
    read = look(pictures.encoded(pictures.photo().convert("CMYK"), "JPEG"))
    assert opened(read, "full.jpg").mode == "RGB"


def test_a_pdf_is_a_document_without_a_picture(look: Look) -> None:
    read = look(pictures.PDF, "consent.pdf")
    assert (read.mime, read.kind, names(read)) == ("application/pdf", XrayKind.DOCUMENT, set())


# --- deeper than 8 bits ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_a_16_bit_picture_keeps_every_value(look: Look, form: str) -> None:
    values = pictures.ramp()
    read = look(pictures.deep(values, form))
    assert read.bits == 16
    assert (depth(read) == values).all()
    told = read.facts["depth"]
    assert (told["offset"], told["slope"], told["intercept"], told["inverted"]) == (0, 1.0, 0.0, False)


def linear(stored: int, center: float, width: float, slope: float = 1, intercept: float = 0) -> int:
    """DICOM PS3.3 C.11.2.1.2, written once more as it stands there."""
    x = stored * slope + intercept
    if x <= center - 0.5 - (width - 1) / 2:
        return 0
    if x > center - 0.5 + (width - 1) / 2:
        return 255
    return int(((x - (center - 0.5)) / (width - 1) + 0.5) * 255 + 0.5)


@pytest.mark.parametrize(("center", "width"), [(2048, 4096), (1000, 2), (600.5, 1), (40000, 65535), (100, 333.5)])
def test_a_window_shows_the_greys_that_the_standard_says(look: Look, center: float, width: float) -> None:
    values = pictures.ramp()
    read = look(dicom(values, WindowCenter=center, WindowWidth=width))
    picture = shown(read)
    if width > 1:
        for stored in (0, 1, 434, 999, 1000, 1001, 2047, 2048, 4095, 4096, 30000, 65535):
            assert picture[stored // 256, stored % 256] == linear(stored, center, width), stored
    else:
        assert (picture.ravel() == numpy.where(values.ravel() <= center - 0.5, 0, 255)).all()
    told = read.facts["depth"]
    assert (told["center"], told["window"], told["from_file"]) == (center, width, True)
    assert (depth(read) == values).all()


def test_slope_and_intercept_come_before_the_window(look: Look) -> None:
    read = look(dicom(pictures.ramp(), RescaleSlope=0.5, RescaleIntercept=-1000, WindowCenter=500, WindowWidth=1000))
    picture = shown(read)
    for stored in (0, 1999, 2001, 3000, 4000, 5000):
        assert picture[stored // 256, stored % 256] == linear(stored, 500, 1000, 0.5, -1000)


def test_signed_values_are_kept_with_their_offset(look: Look) -> None:
    values = numpy.arange(-2048, 2048, dtype=numpy.int16).reshape(64, 64)
    read = look(dicom(values, signed=True, stored=12, WindowCenter=0, WindowWidth=4096))
    told = read.facts["depth"]
    assert (depth(read).astype(int) + told["offset"] == values).all()
    assert (read.bits, told["offset"]) == (12, -2048)
    picture = shown(read)
    for stored in (-2048, -1, 0, 1, 2047):
        assert picture[(stored + 2048) // 64, (stored + 2048) % 64] == linear(stored, 0, 4096)


def test_monochrome1_is_the_other_way_round(look: Look) -> None:
    common = {"stored": 12, "WindowCenter": 2048, "WindowWidth": 4096}
    values = pictures.ramp(64, 64)
    usual = shown(look(dicom(values, **common)))
    other = look(dicom(values, PhotometricInterpretation="MONOCHROME1", **common))
    assert (shown(other) == 255 - usual).all()
    assert other.facts["depth"]["inverted"] is True
    assert (depth(other) == values).all()


def test_without_a_window_all_but_the_rarest_values_are_seen(look: Look) -> None:
    values = numpy.full((100, 100), 3000, dtype=numpy.uint16)
    values[:50] = 1000
    values[0, :10], values[99, :10] = 0, 65535
    read = look(dicom(values))
    told = read.facts["depth"]
    assert (told["center"], told["window"], told["from_file"]) == (2000.5, 2001, False)
    picture = shown(read)
    assert (picture[20, 20], picture[80, 80]) == (0, 255)


def test_8_bit_dicom_is_shown_as_it_is(look: Look) -> None:
    values = numpy.arange(256, dtype=numpy.uint8).reshape(16, 16)
    read = look(dicom(values, bits=8))
    assert (read.bits, "depth" in read.facts) == (8, False)
    assert (shown(read) == values).all()


EIGHT = numpy.arange(256, dtype=numpy.uint8).reshape(16, 16)


@pytest.mark.parametrize("inverted", [False, True])
def test_8_bits_with_a_narrow_window_keep_what_lies_beyond_it(look: Look, inverted: bool) -> None:
    way = {"PhotometricInterpretation": "MONOCHROME1"} if inverted else {}
    read = look(dicom(EIGHT, bits=8, WindowCenter=100, WindowWidth=51, **way))
    assert (depth(read) == EIGHT).all()
    told = read.facts["depth"]
    assert (told["bits"], told["center"], told["window"], told["inverted"]) == (8, 100, 51, inverted)
    expected = numpy.array([linear(stored, 100, 51) for stored in range(256)]).reshape(16, 16)
    assert (shown(read) == (255 - expected if inverted else expected)).all()
    assert set(expected.ravel()) != set(range(256)), "the window hides some"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"WindowCenter": 128, "WindowWidth": 256}, False),
        ({"WindowCenter": 127.5, "WindowWidth": 255, "VOILUTFunction": "LINEAR_EXACT"}, False),
        ({"WindowCenter": 28, "WindowWidth": 256, "RescaleIntercept": -100}, False),
        ({"WindowCenter": 128, "WindowWidth": 250}, True),
        ({"WindowCenter": 128, "WindowWidth": 512}, True),
        ({"WindowCenter": 128, "WindowWidth": 256, "VOILUTFunction": "SIGMOID"}, True),
    ],
)
def test_8_bits_need_no_second_copy_when_the_window_shows_them_as_they_are(
    look: Look, said: dict[str, Any], kept: bool
) -> None:
    read = look(dicom(EIGHT, bits=8, **said))
    assert ("depth.bin.gz" in names(read), "depth" in read.facts) == (kept, kept)
    assert (shown(read) == EIGHT).all() != kept


def by_function(name: str, x: float, center: float, width: float) -> float:
    """DICOM PS3.3 C.11.2.1.3, written once more as it stands there."""
    if name == "SIGMOID":
        return 255 / (1 + math.exp(min(-4 * (x - center) / width, 700)))
    if x <= center - width / 2:
        return 0
    return 255 if x > center + width / 2 else ((x - center) / width + 0.5) * 255


@pytest.mark.parametrize("name", ["LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("center", "width", "slope"), [(2048, 4096, 1), (600.5, 1, 1), (0.25, 0.5, 1 / 65536)])
def test_the_other_functions_of_a_window_are_applied(
    look: Look, name: str, center: float, width: float, slope: float
) -> None:
    said = {"WindowCenter": center, "WindowWidth": width, "RescaleSlope": slope, "RescaleIntercept": 0}
    read = look(dicom(pictures.ramp(), VOILUTFunction=name, **said))
    picture = shown(read).ravel()
    for stored in (0, 1, 434, 600, 601, 1000, 2047, 2048, 2049, 3500, 4095, 4096, 16384, 30000, 65535):
        assert picture[stored] == int(by_function(name, stored * slope, center, width) + 0.5), stored
    told = read.facts["depth"]
    assert (told["function"], told["center"], told["window"]) == (name, center, width)
    assert "curves" not in read.facts


def lut(entries: list[int], *, first: int = 0, bits: int = 16) -> Any:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries), first, bits])
    item.add_new("LUTData", "US", entries)
    return [item]


def test_the_files_table_for_its_values_comes_before_the_window(look: Look) -> None:
    values = numpy.arange(64, dtype=numpy.uint16).reshape(8, 8)
    table = [1000 * number for number in range(2, 34)]  # of the values 10 to 41
    read = look(
        dicom(values, stored=6, ModalityLUTSequence=lut(table, first=10), WindowCenter=17000, WindowWidth=20001)
    )
    expected = numpy.array([table[min(max(value - 10, 0), 31)] for value in range(64)]).reshape(8, 8)
    assert (depth(read) == expected).all()
    assert (read.bits, read.facts["depth"]["slope"], "curves" in read.facts) == (16, 1, False)
    assert (shown(read) == [[linear(int(value), 17000, 20001) for value in row] for row in expected]).all()


@pytest.mark.parametrize(
    ("said", "curves", "center"),
    [
        ({"VOILUTSequence": lut([0, 5, 255], bits=8)}, ["voi"], 1000),
        ({"VOILUTFunction": "CUBIC"}, ["function"], 1000),
        ({"VOILUTFunction": "CUBIC", "VOILUTSequence": lut([0, 5])}, ["function", "voi"], 1000),
        ({"ModalityLUTSequence": lut([0, 5], bits=13)}, ["modality"], 512),
    ],
)
def test_a_curve_that_is_not_applied_is_told(look: Look, said: dict[str, Any], curves: list[str], center: int) -> None:
    """A window of values that nobody can look up would be one of other values: it is left out then."""
    read = look(dicom(WindowCenter=1000, WindowWidth=500, **said))
    assert read.facts["curves"] == curves
    assert read.facts["depth"]["center"] == pytest.approx(center, abs=1)
    assert (depth(read) == pictures.ramp(32, 32)).all()


# --- real DICOM files -----------------------------------------------------------------------------------------------

SHOWN = {
    "CT_small.dcm": ("1.2.840.10008.1.2.1", 128, 128, 16),
    "MR_small_implicit.dcm": ("1.2.840.10008.1.2", 64, 64, 16),
    "MR_small_RLE.dcm": ("1.2.840.10008.1.2.5", 64, 64, 16),
    "MR_small_jp2klossless.dcm": ("1.2.840.10008.1.2.4.90", 64, 64, 16),
    "MR_small_jpeg_ls_lossless.dcm": ("1.2.840.10008.1.2.4.80", 64, 64, 16),
    "SC_rgb_jpeg_gdcm.dcm": ("1.2.840.10008.1.2.4.70", 100, 100, 8),
    "SC_rgb_jpeg_dcmtk.dcm": ("1.2.840.10008.1.2.4.50", 100, 100, 8),
    "SC_rgb_dcmtk_+eb+cr.dcm": ("1.2.840.10008.1.2.4.50", 100, 100, 8),
    "SC_rgb_rle_16bit.dcm": ("1.2.840.10008.1.2.5", 100, 100, 8),
    "JPEGLSNearLossless_08.dcm": ("1.2.840.10008.1.2.4.81", 10, 45, 8),
    "693_J2KI.dcm": ("1.2.840.10008.1.2.4.91", 512, 512, 14),
    "examples_palette.dcm": ("1.2.840.10008.1.2.1", 800, 350, 8),
    "examples_ybr_color.dcm": ("1.2.840.10008.1.2.4.50", 320, 240, 8),
    "SC_ybr_full_422_uncompressed.dcm": ("1.2.840.10008.1.2.1", 100, 100, 8),
}


@pytest.mark.parametrize("name", SHOWN)
def test_what_devices_send_is_shown(look: Look, name: str) -> None:
    read = look((REAL / name).read_bytes(), name)
    assert (read.facts["transfer_syntax"], read.width, read.height, read.bits) == SHOWN[name]
    assert read.problem == ""
    assert {"thumb.jpg", "screen.jpg", "full.png"} <= names(read)
    assert ("depth.bin.gz" in names(read)) == (read.bits > 8)


@pytest.mark.parametrize(
    "packed",
    ["MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_implicit.dcm"],
)
def test_every_way_of_packing_gives_the_same_values(look: Look, packed: str) -> None:
    plain = depth(look((REAL / "MR_small.dcm").read_bytes()))
    assert (depth(look((REAL / packed).read_bytes())) == plain).all()


def test_jpeg_lossless_of_a_sensor_keeps_every_value(look: Look) -> None:
    """12 bits in the form that most intra-oral sensors send."""
    values = (pictures.ramp(64, 64) * 7) % 4096
    read = look(jpeg_lossless(dicom(values, stored=12, WindowCenter=2048, WindowWidth=4096)))
    assert read.facts["transfer_syntax"] == "1.2.840.10008.1.2.4.70"
    assert read.bits == 12
    assert (depth(read) == values).all()


def jpeg_lossless(content: bytes) -> bytes:
    """The same file packed by gdcm, in a process of its own: its library prints as it likes."""
    program = """
import sys, gdcm
reader, writer, change = gdcm.ImageReader(), gdcm.ImageWriter(), gdcm.ImageChangeTransferSyntax()
reader.SetFileName(sys.argv[1]); assert reader.Read()
change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
change.SetInput(reader.GetImage()); assert change.Change()
writer.SetFile(reader.GetFile()); writer.SetImage(change.GetOutput())
writer.SetFileName(sys.argv[2]); assert writer.Write()
"""
    plain, packed = media.incoming() / "plain.dcm", media.incoming() / "packed.dcm"
    plain.write_bytes(content)
    subprocess.run([sys.executable, "-c", program, plain, packed], check=True, capture_output=True)
    return packed.read_bytes()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("ExplVR_BigEnd.dcm", "syntax"),
        ("meta_missing_tsyntax.dcm", "syntax"),
        ("JPGExtended.dcm", "undecodable"),
        ("SC_rgb_rle_32bit.dcm", "depth"),
        ("reportsi.dcm", "no-picture"),
        ("waveform_ecg.dcm", "no-picture"),
        ("rtplan.dcm", "no-picture"),
    ],
)
def test_what_cannot_be_decoded_is_kept_and_says_so(look: Look, name: str, problem: str) -> None:
    read = look((REAL / name).read_bytes(), name)
    assert (read.problem, read.mime, names(read)) == (problem, "application/dicom", set())


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("MR_truncated.dcm", "damaged"),
        ("rtplan_truncated.dcm", "damaged"),
        ("image_dfl.dcm", "deflated"),
        ("no_meta.dcm", "not-a-picture"),
        ("ExplVR_LitEndNoMeta.dcm", "not-a-picture"),
    ],
)
def test_what_is_cut_or_packed_as_a_whole_is_refused(look: Look, name: str, code: str) -> None:
    with pytest.raises(NotTaken) as refusal:
        look((REAL / name).read_bytes(), name)
    assert refusal.value.code == code


def test_a_multi_frame_file_opens_at_its_first_frame(look: Look) -> None:
    frames = numpy.stack([numpy.full((16, 16), level, dtype=numpy.uint16) for level in (100, 200, 300)])
    read = look(dicom(frames, frames=3))
    assert read.frames == 3
    assert (depth(read) == 100).all()


# --- what a file says -----------------------------------------------------------------------------------------------


def test_a_sensors_file_says_who_when_and_what(look: Look) -> None:
    read = look(
        dicom(
            StudyDate="20260815",
            AcquisitionDate="20260816",
            SpecificCharacterSet="ISO_IR 148",
            PatientSex="F",
            Manufacturer="Sensor & Co",
            ImageLaterality="R",
            BurnedInAnnotation="YES",
            **pictures.of_patient(name="Yıldız^Selma", born=date(1985, 3, 2), number="12"),
            **pictures.tooth_shown("Maxillary right first molar tooth"),
        )
    )
    assert str(read.day) == "2026-08-16"
    assert read.facts["patient"] == {"name": "Yıldız^Selma", "id": "12", "birth_date": "1985-03-02", "sex": "F"}
    assert (read.kind, read.teeth, read.laterality) == (XrayKind.PERIAPICAL, ["16"], "right")
    assert (read.facts["manufacturer"], read.facts["burned_in"]) == ("Sensor & Co", True)


@pytest.mark.parametrize(
    ("said", "spacing"),
    [
        ({}, None),
        ({"ImagerPixelSpacing": [0.02, 0.03]}, {"row": 0.02, "column": 0.03, "plane": "detector"}),
        ({"PixelSpacing": [0.02, 0.03]}, {"row": 0.02, "column": 0.03, "plane": "detector"}),
        (
            {"PixelSpacing": [0.02, 0.02], "ImagerPixelSpacing": [0.02, 0.02]},
            {"row": 0.02, "column": 0.02, "plane": "detector"},
        ),
        (
            {"PixelSpacing": [0.018, 0.018], "ImagerPixelSpacing": [0.02, 0.02]},
            {"row": 0.018, "column": 0.018, "plane": "calibrated"},
        ),
        (
            {"PixelSpacing": [0.02, 0.02], "PixelSpacingCalibrationType": "FIDUCIAL"},
            {"row": 0.02, "column": 0.02, "plane": "calibrated"},
        ),
        ({"PixelSpacing": [0.4, 0.4], "Modality": "CT"}, {"row": 0.4, "column": 0.4, "plane": "calibrated"}),
        ({"PixelSpacing": [0, 0.4]}, None),
    ],
)
def test_millimetres_are_known_only_when_the_file_says_them(
    look: Look, said: dict[str, Any], spacing: dict[str, Any] | None
) -> None:
    assert look(dicom(**said)).facts.get("spacing") == spacing


@pytest.mark.parametrize(
    ("modality", "kind"),
    [("PX", "panoramic"), ("IO", "periapical"), ("CT", "cbct_slice"), ("XC", "photo"), ("DX", "other")],
)
def test_the_device_says_the_likely_kind(look: Look, modality: str, kind: str) -> None:
    assert look(dicom(Modality=modality)).kind == kind


# --- hostile files --------------------------------------------------------------------------------------------------

TAKEN = {"jpeg with an html tail", "jpeg with a zip tail", "dicom with a tiff preamble"}
WHY = {
    "pixel bomb": "pixels",
    "text bomb": "damaged",
    "png magic only": "damaged",
    "truncated jpeg": "damaged",
    "empty": "empty",
    "31 MB of 0xFF": "too-large",
    "dicom with an mz preamble": "two-kinds",
    "dicom with an html preamble": "two-kinds",
    "dicom with a deflated bomb": "deflated",
    "dicom with a wrong length": "damaged",
    "dicom with a million frames": "damaged",
    "pdf without an end": "damaged",
}


def test_hostile_files_are_refused_by_name_or_do_no_harm(look: Look) -> None:
    for what, (name, content) in hostile().items():
        if what in TAKEN:
            read = look(content, name)
            for path in read.copies.iterdir():
                assert b"<script" not in path.read_bytes() and b"PK\x03\x04" not in path.read_bytes(), what
            continue
        with pytest.raises(NotTaken) as refusal:
            look(content, name)
        assert refusal.value.code == WHY.get(what, "not-a-picture"), what
        assert str(refusal.value).startswith(name) and str(refusal.value).endswith("."), what
        assert refusal.value.status == (413 if what == "31 MB of 0xFF" else 422)


def test_a_refused_file_leaves_nothing_behind(look: Look) -> None:
    for name, content in (
        ("a.jpg", hostile()["truncated jpeg"][1]),
        ("b.dcm", hostile()["dicom with a wrong length"][1]),
    ):
        with pytest.raises(NotTaken):
            look(content, name)
    assert list(media.derived_root().iterdir()) == []


def test_a_file_that_takes_too_long_is_let_go_with_all_that_it_started(look: Look) -> None:
    with pytest.raises(NotTaken, match="takes too long") as refusal:
        look(pictures.jpeg((4000, 3000)), "slow.jpg", limits=Limits(patience=0.05))
    assert refusal.value.code == "slow"
    assert list(media.derived_root().iterdir()) == []
    with pytest.raises(ChildProcessError):  # no child is left, running or dead
        os.waitpid(-1, os.WNOHANG)


def test_a_file_that_wants_too_much_memory_is_refused(look: Look) -> None:
    picture = pictures.encoded(Image.new("RGB", (7000, 7000)), "PNG")
    with pytest.raises(NotTaken) as refusal:
        look(picture, "large.png", limits=Limits(memory=200 * 1024 * 1024))
    assert refusal.value.code == "memory"


def test_a_file_whose_copies_would_be_too_large_is_refused(look: Look) -> None:
    noise = Image.fromarray(numpy.random.default_rng(1).integers(0, 256, (400, 400, 3), dtype=numpy.uint8))
    with pytest.raises(NotTaken) as refusal:
        look(pictures.encoded(noise, "PNG"), "noise.png", limits=Limits(file_size=100_000))
    assert refusal.value.code == "space"


def test_the_largest_picture_fits_into_the_childs_memory(look: Look) -> None:
    turned = pictures.exif(orientation=6)
    read = look(pictures.encoded(Image.new("RGB", (8000, 6200), "navy"), "JPEG", exif=turned), "large.jpg")
    assert (read.width, read.height) == (6200, 8000)


def test_the_clinic_says_how_large_a_file_may_be(look: Look, ctx: Flask) -> None:
    with transaction("test.settings", actor=None):
        settings.change_settings(xray_max_mb=1)
    with pytest.raises(NotTaken, match=r"huge.jpg is larger than 1 MB\."):
        look(b"\xff\xd8\xff" + b"\0" * 1_000_000, "huge.jpg")


def test_the_last_room_on_the_disk_is_not_for_pictures(look: Look, ctx: Flask) -> None:
    with transaction("test.settings", actor=None):
        settings.change_settings(xray_floor_mb=10**9)
    with pytest.raises(NotTaken, match=r"There is no room for a.png") as refusal:
        look(pictures.png(), "a.png")
    assert refusal.value.code == "space"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "[1]",
        "null",
        '{"refused": {"a": 1}}',
        '{"mime": "text/html", "kind": "photo"}',
        '{"mime": "image/png", "kind": "photo", "width": "9"}',
        '{"mime": "image/png", "kind": "photo", "width": -1}',
        '{"mime": "image/png", "kind": "photo", "width": true}',
        '{"mime": "image/png", "kind": "no such"}',
        '{"mime": "image/png", "kind": "photo", "date": "soon"}',
        '{"mime": "image/png", "kind": "photo"}',
        "x" * 1_000_000,
    ],
)
def test_the_child_is_not_believed(look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str) -> None:
    """A child that a file took over can say what it likes."""
    taken_over = tmp_path / "decoder.py"
    taken_over.write_text(f"import sys\nsys.stdout.write({answer!r})\n")
    monkeypatch.setattr(intake, "DECODER", taken_over)
    with pytest.raises(NotTaken):
        look(pictures.png())


def test_a_child_that_leaves_links_or_files_of_its_own_is_not_believed(
    look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = '{"mime": "image/png", "kind": "photo", "width": 1, "height": 1, "bits": 8}'
    for does in ("os.symlink('/etc/passwd', f + '/thumb.jpg')", "open(f + '/evil.sh', 'w').close()"):
        taken_over = tmp_path / "decoder.py"
        taken_over.write_text(
            "import os, sys\nf = sys.argv[2]\n"
            "for n in ('thumb.jpg', 'screen.jpg', 'full.png'):\n    open(f + '/' + n, 'w').close()\n"
            f"os.unlink(f + '/thumb.jpg') if 'symlink' in {does!r} else None\n{does}\nprint({said!r})\n"
        )
        monkeypatch.setattr(intake, "DECODER", taken_over)
        with pytest.raises(NotTaken):
            look(pictures.png())


BOUND = """
import ctypes, importlib.util, json, os, resource, sys, threading
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)
if os.getuid() == 0:  # become somebody whom RLIMIT_NPROC binds, who can still read this Python
    SYS_ADMIN, SYS_RESOURCE = 21, 24
    os.setresuid(65534, 0, 0)
    head, words = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(head, words) == 0
    words[0] &= ~(1 << SYS_ADMIN | 1 << SYS_RESOURCE)
    assert libc.capset(head, words) == 0
spec = importlib.util.spec_from_file_location("decoder", sys.argv[1])
decoder = importlib.util.module_from_spec(spec)
spec.loader.exec_module(decoder)
decoder.limit(**json.loads(sys.argv[2]))

def goes(act):
    try:
        act()
    except (OSError, RuntimeError, ValueError) as error:
        return type(error).__name__
    return "goes"

told = {name: resource.getrlimit(getattr(resource, "RLIMIT_" + name)) for name in sys.argv[3].split()}
told["no new rights"] = libc.prctl(39, 0, 0, 0, 0)
told["more memory"] = goes(lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)))
told["thread"] = goes(threading.Thread(target=print).start)
told["process"] = goes(lambda: os.fork() or os._exit(0))
told["large file"] = goes(lambda: Path("large").write_bytes(bytes(3_000_000)))
for number, source in enumerate(sys.argv[4:]):
    folder = Path(f"copies-{number}")
    folder.mkdir()
    told[source] = decoder.answer(Path(source), folder).get("width")
print(json.dumps(told))
"""


def test_the_child_is_bound_and_its_libraries_can_do_with_it(tmp_path: Path) -> None:
    """Asked in a process that has called `limit`, as it does, and that then reads one file of each library."""
    photo, sources = pictures.photo(), {}
    for form in ("PNG", "JPEG", "WEBP", "TIFF"):
        sources[form] = pictures.encoded(photo, form)
    sources["deep"] = pictures.deep(pictures.ramp(96, 64))
    for real in ("SC_rgb_jpeg_gdcm.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"):
        sources[real] = (REAL / real).read_bytes()
    for name, content in sources.items():
        (tmp_path / name).write_bytes(content)
    limits = {"memory": intake.LIMITS.memory, "seconds": 60, "file_size": 2_000_000}
    run = subprocess.run(
        [sys.executable, "-I", "-c", BOUND, intake.DECODER, json.dumps(limits), "AS CPU FSIZE CORE NPROC", *sources],
        env=intake.QUIET,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert {name: told[name] for name in ("AS", "CPU", "FSIZE", "CORE", "NPROC")} == {
        "AS": [limits["memory"]] * 2,
        "CPU": [60, 60],
        "FSIZE": [2_000_000] * 2,
        "CORE": [0, 0],
        "NPROC": [0, 0],
    }
    assert told["no new rights"] == 1
    assert (told["more memory"], told["large file"]) == ("ValueError", "OSError")
    assert (told["thread"], told["process"]) == ("RuntimeError", "BlockingIOError")
    assert {name: told[name] for name in sources} == {
        "PNG": 96, "JPEG": 96, "WEBP": 96, "TIFF": 96, "deep": 96,
        "SC_rgb_jpeg_gdcm.dcm": 100, "MR_small_jp2klossless.dcm": 64, "MR_small_jpeg_ls_lossless.dcm": 64,
    }  # fmt: skip


# --- keeping --------------------------------------------------------------------------------------------------------


def test_the_original_is_kept_as_it_came(look: Look) -> None:
    content = pictures.jpeg(exif=pictures.exif(), seed=4)
    read = look(content, "a.jpg")
    with intake.keeping(read):
        pass
    path = media.path_of(read.sha256)
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o777 == 0o600
    assert path == media.root() / read.sha256[:2] / read.sha256
    assert {each.name for each in media.derived_of(read.sha256).iterdir()} == {"thumb.jpg", "screen.jpg", "full.jpg"}


def test_when_the_record_is_not_written_the_file_goes_again(look: Look) -> None:
    read = look(pictures.png())
    with pytest.raises(RuntimeError), intake.keeping(read):
        assert media.path_of(read.sha256).exists()
        raise RuntimeError
    assert not media.path_of(read.sha256).exists()
    assert not media.derived_of(read.sha256).exists()


def test_a_file_gone_bad_on_the_disk_is_mended_by_the_same_file(look: Look) -> None:
    for _ in range(2):
        read = look(pictures.png())
        with intake.keeping(read):
            pass
        media.path_of(read.sha256).write_bytes(b"rotten")
    read = look(pictures.png())
    with intake.keeping(read):
        pass
    assert media.path_of(read.sha256).read_bytes() == pictures.png()


def test_lost_copies_are_made_again(look: Look) -> None:
    read = look(dicom(WindowCenter=500, WindowWidth=1000))
    with intake.keeping(read):
        pass
    folder = media.derived_of(read.sha256)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert intake.derive_again(read.sha256)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    media.path_of(read.sha256).unlink()
    assert not intake.derive_again(read.sha256)


def test_leftovers_of_a_killed_server_are_swept_after_a_day(ctx: Flask) -> None:
    young, old = media.incoming() / "upload-1.part", media.incoming() / "upload-2.part"
    scratch = media.derived_root() / "scratch-1"
    for path in (young, old):
        path.write_bytes(b"half")
    scratch.mkdir(parents=True)
    now = NOW.timestamp()
    os.utime(young, (now - 3600, now - 3600))
    for path in (old, scratch):
        os.utime(path, (now - 90_000, now - 90_000))
    intake.tidy()
    assert (young.exists(), old.exists(), scratch.exists()) == (True, False, False)
