"""Pictures and files for tests: of known values, of real devices, and hostile ones."""

import struct
import warnings
import zlib
from datetime import date
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy
import pydicom
from PIL import Image, PngImagePlugin
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

REAL = Path(pydicom.__file__).parent / "data" / "test_files"  # they come with the package


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def png(color: str | None = None, *, shade: int = 0, size: tuple[int, int] = (40, 30)) -> bytes:
    """A plain picture; each shade makes other bytes."""
    return encoded(Image.new("RGB", size, color or (shade, 40, 90)), "PNG")


def photo(size: tuple[int, int] = (96, 64), *, seed: int = 1) -> Image.Image:
    """Colours that differ from place to place."""
    noise = numpy.random.default_rng(seed).integers(0, 256, (8, 12, 3), dtype=numpy.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def jpeg(size: tuple[int, int] = (96, 64), *, seed: int = 1, **options: Any) -> bytes:
    return encoded(photo(size, seed=seed), "JPEG", quality=90, **options)


def exif(*, orientation: int = 1, taken: str = "2026:08:20 10:11:12") -> bytes:
    """What a phone writes: which way is up, when, and where."""
    said = Image.Exif()
    said[274] = orientation
    said.get_ifd(0x8769)[36867] = taken
    said.get_ifd(0x8825)[1] = "N"
    said.get_ifd(0x8825)[2] = (41.0, 0.0, 29.5)
    return said.tobytes()


def deep(values: Any, form: str = "PNG", **options: Any) -> bytes:
    """A 16-bit picture of just these values."""
    return encoded(Image.fromarray(numpy.asarray(values, dtype=numpy.uint16)), form, **options)


def ramp(width: int = 256, height: int = 256) -> Any:
    """Every value from 0 to 65,535 once."""
    return numpy.arange(width * height, dtype=numpy.uint16).reshape(height, width)


def dicom(
    values: Any = None,
    *,
    bits: int = 16,
    stored: int | None = None,
    signed: bool = False,
    frames: int = 1,
    syntax: str = ExplicitVRLittleEndian,
    preamble: bytes = b"\0" * 128,
    without: tuple[str, ...] = (),
    **elements: Any,
) -> bytes:
    """A DICOM file of just these values."""
    values = ramp(32, 32) if values is None else numpy.asarray(values)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.3"
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["tests", str(values.shape)])
    meta.TransferSyntaxUID = syntax
    data = FileDataset("", {}, file_meta=meta, preamble=preamble)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.Modality, data.PhotometricInterpretation, data.SamplesPerPixel = "IO", "MONOCHROME2", 1
    data.BitsAllocated, data.BitsStored = bits, stored or bits
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(signed)
    data.Rows, data.Columns = values.shape[-2:]
    if frames != 1:
        data.NumberOfFrames = frames
    kind = ("<i" if signed else "<u") + str(bits // 8)
    data.PixelData = values.astype(kind).tobytes()
    data["PixelData"].VR = "OW"
    for name, value in elements.items():
        setattr(data, name, value)
    for name in without:
        delattr(data, name)
    out = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of these are wrong on purpose
        data.save_as(out, enforce_file_format=True)
    return out.getvalue()


def of_patient(*, name: str = "", born: date | None = None, number: str = "") -> dict[str, str]:
    """The elements that say whose a DICOM file is."""
    said = {"PatientName": name, "PatientID": number, "PatientBirthDate": f"{born:%Y%m%d}" if born else ""}
    return {tag: value for tag, value in said.items() if value}


def tooth_shown(meaning: str, *, scheme: str = "SCT", code: str = "1") -> dict[str, Any]:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, scheme, meaning
    return {"PrimaryAnatomicStructureSequence": [item]}


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png_of(width: int, height: int, *chunks: bytes) -> bytes:
    head = _png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + _png_chunk(b"IEND", b"")


def _text_bomb() -> bytes:
    said = PngImagePlugin.PngInfo()
    said.add_itxt("Comment", "0" * 80_000_000, zip=True)
    return encoded(Image.new("RGB", (4, 4)), "PNG", pnginfo=said)


def _deflated_bomb() -> bytes:
    packer = zlib.compressobj(wbits=-15)
    content = b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(500)) + packer.flush()
    whole = dicom(ramp(8, 8), syntax="1.2.840.10008.1.2.1.99")
    return whole[: whole.index(b"1.2.840.10008.1.2.1.99") + 22] + content


@cache
def hostile() -> dict[str, tuple[str, bytes]]:
    """Each file that somebody may send to do harm or by mistake: {what it is: (its name, its bytes)}."""
    plain = jpeg()
    wrong_length = bytearray(dicom())
    at = wrong_length.rindex(b"\xe0\x7f\x10\x00OW")
    wrong_length[at + 8 : at + 12] = struct.pack("<I", 0x7FFFFFFE)
    return {
        "pixel bomb": ("bomb.png", _png_of(60_000, 60_000, _png_chunk(b"IDAT", zlib.compress(b"\0" * 100_000)))),
        "text bomb": ("text.png", _text_bomb()),
        "png magic only": ("magic.png", b"\x89PNG\r\n\x1a\n"),
        "jpeg with an html tail": ("tail.jpg", plain + b"<script>alert(1)</script>"),
        "jpeg with a zip tail": ("zip.jpg", plain + b"PK\x03\x04" + b"\0" * 30 + b"PK\x05\x06" + b"\0" * 18),
        "truncated jpeg": ("cut.jpg", jpeg((640, 480))[:9000]),
        "gif": ("x.gif", encoded(Image.new("P", (4, 4)), "GIF")),
        "svg named png": ("x.png", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
        "html": ("x.html", b"<!doctype html><script>alert(1)</script>"),
        "php": ("x.php", b"<?php system($_GET['c']); ?>"),
        "eps": ("x.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) print\n%%EOF"),
        "empty": ("empty.png", b""),
        "31 MB of 0xFF": ("ff.jpg", b"\xff" * 31_000_000),
        "dicom with an mz preamble": ("mz.dcm", dicom(preamble=b"MZ".ljust(128, b"\0"))),
        "dicom with an html preamble": ("html.dcm", dicom(preamble=b"<html><script>".ljust(128))),
        "dicom with a tiff preamble": ("tiff.dcm", dicom(preamble=b"II*\0".ljust(128, b"\0"))),
        "dicom with a deflated bomb": ("deflated.dcm", _deflated_bomb()),
        "dicom with a wrong length": ("length.dcm", bytes(wrong_length)),
        "dicom with a million frames": ("frames.dcm", dicom(frames=1_000_000)),
        "text named jpg": ("letter.jpg", b"Dear colleague, please find enclosed"),
        "pdf without an end": ("cut.pdf", PDF[:40]),
    }
