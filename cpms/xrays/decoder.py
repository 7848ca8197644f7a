"""Looks at a file that came from outside and makes the copies that are shown of it, in a process that may come to harm.

Run as a script, never imported by the server: `python -I decoder.py SOURCE FOLDER LIMITS`. What it found is one line of
JSON on its standard output; what it made lies in FOLDER. Pillow is loaded for pictures, numpy for those deeper than 8
bits, pydicom and gdcm for DICOM alone: most files need none of the slow ones.

What holds for it, whatever a file makes of its libraries, see `limit`: its addresses, its time of the processor and the
size of each file that it writes are bounded by LIMITS; at most 64 files are open; it leaves no core dump; on Linux no
program that it starts gains rights, and it starts neither process nor thread unless it runs as root, whom the system
does not bind to that. The parent ends it after its patience and believes none of its words. What does not hold: it
runs as the server's user, so code that a file smuggled in could read and write what the server can, and use the
network. Its memory and environment hold nothing of the clinic, no key and no password.
"""

import ctypes
import gzip
import json
import math
import os
import re
import resource
import sys
import warnings
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

PIXELS = 50_000_000
THUMB, SCREEN = 300, 1600  # the longer side
LEVELS = 65536  # of a stored value
LINEAR, EXACT, SIGMOID = "LINEAR", "LINEAR_EXACT", "SIGMOID"  # how a window turns values into greys
OUTSIDE = 0.005  # of the pixels may lie below or above the window when the file names none

# How a program, a page, an archive or another picture begins. DICOM files of real devices may begin like TIFF; they are
# given out as DICOM alone.
NO_PREAMBLE = (b"MZ", b"\x7fELF", b"<", b"PK", b"#!", b"%PDF", b"GIF8", b"\xff\xd8", b"\x89PNG", b"RIFF")

NATIVE = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"}  # little endian, implicit and explicit
PACKED = {
    "1.2.840.10008.1.2.4.50",  # JPEG baseline
    "1.2.840.10008.1.2.4.51",  # JPEG extended, 12 bit
    "1.2.840.10008.1.2.4.57",  # JPEG lossless
    "1.2.840.10008.1.2.4.70",  # JPEG lossless, first order: what most sensors send
    "1.2.840.10008.1.2.4.80",  # JPEG-LS lossless
    "1.2.840.10008.1.2.4.81",  # JPEG-LS near lossless
    "1.2.840.10008.1.2.4.90",  # JPEG 2000 lossless
    "1.2.840.10008.1.2.4.91",  # JPEG 2000
    "1.2.840.10008.1.2.5",  # RLE
}
DEFLATED = "1.2.840.10008.1.2.1.99"

KINDS = {"IO": "periapical", "PX": "panoramic", "CT": "cbct_slice", "XC": "photo"}
NO_NEW_PRIVILEGES = 38  # PR_SET_NO_NEW_PRIVS
SLICES = {"CT", "MR", "PT"}  # their spacing is that of the body, not that of a detector


class Refusal(Exception):
    """The file is not taken; the code says why."""


# --- what it is -----------------------------------------------------------------------------------------------------


def read(source: Path, folder: Path) -> dict[str, Any]:
    """Look at the file and make its copies. Content decides what it is; nobody asks for its name."""
    size = source.stat().st_size
    if size == 0:
        raise Refusal("empty")
    with source.open("rb") as file:
        head = file.read(1024)
        file.seek(max(0, size - 1024))
        tail = file.read()
    if head[128:132] == b"DICM":
        if head.startswith(NO_PREAMBLE):
            raise Refusal("two-kinds")
        return dicom(source, folder)
    if head.startswith(b"%PDF-"):
        if b"%%EOF" not in tail:
            raise Refusal("damaged")
        return {"format": "PDF", "mime": "application/pdf", "kind": "document"}
    for start, name, mime in (
        (b"\x89PNG\r\n\x1a\n", "PNG", "image/png"),
        (b"\xff\xd8\xff", "JPEG", "image/jpeg"),
        (b"II*\0", "TIFF", "image/tiff"),
        (b"MM\0*", "TIFF", "image/tiff"),
    ):
        if head.startswith(start):
            return picture(source, folder, name, mime)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return picture(source, folder, "WEBP", "image/webp", lossless=b"VP8L" in head[12:64])
    if head[4:8] == b"ftyp" and head[8:12] in {b"heic", b"heix", b"mif1", b"msf1", b"hevc"}:
        raise Refusal("heic")
    raise Refusal("not-a-picture")


# --- pictures -------------------------------------------------------------------------------------------------------


def picture(source: Path, folder: Path, name: str, mime: str, *, lossless: bool = True) -> dict[str, Any]:
    from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin  # noqa: F401

    Image.MAX_IMAGE_PIXELS = PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(source, formats=(name,)) as opened:
            frames = 1 if name == "JPEG" else getattr(opened, "n_frames", 1)
            taken = _exif_day(opened)
            white_is_zero = name == "TIFF" and opened.tag_v2.get(262) == 0
            opened.load()
            image = ImageOps.exif_transpose(opened)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Refusal("pixels") from None
    found: dict[str, Any] = {"format": name, "mime": mime, "frames": frames, "kind": "other"}
    if taken:
        found["date"] = taken
    if image.mode.startswith("I"):
        values = _deep(image)
        found |= _show_depth(values, folder, bits=16, inverted=white_is_zero)
    elif image.mode == "F":
        raise Refusal("unsupported")
    else:
        image = _plain(image)
        found |= {"kind": "photo" if image.mode == "RGB" else "other", "bits": 8}
        _copies(image, folder, lossless=lossless and name != "JPEG")
    found["width"], found["height"] = image.size
    return found


def _exif_day(image: Any) -> str | None:
    """The day on which a camera says that it took the picture."""
    exif = image.getexif()
    for text in (exif.get_ifd(0x8769).get(36867), exif.get(306)):
        if isinstance(text, str):
            try:
                return datetime.strptime(text[:10], "%Y:%m:%d").date().isoformat()
            except ValueError:
                continue
    return None


def _plain(image: Any) -> Any:
    """Grey or red-green-blue, in the colours that every screen means, on white where it was transparent, and without
    anything else that the file said."""
    from PIL import Image, ImageCms

    profile = image.info.get("icc_profile")
    if image.mode in {"RGBA", "LA", "PA", "P", "La", "RGBa"} and (image.mode != "P" or "transparency" in image.info):
        layer = image.convert("RGBA")
        image = Image.new("RGB", layer.size, "white")
        image.paste(layer, mask=layer.getchannel("A"))
    if profile and image.mode in {"RGB", "CMYK"}:
        try:
            wide = ImageCms.ImageCmsProfile(BytesIO(profile))
            image = ImageCms.profileToProfile(image, wide, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
        except (ImageCms.PyCMSError, OSError):
            pass
    if image.mode not in {"L", "RGB"}:
        image = image.convert("L" if image.mode == "1" else "RGB")
    image.info = {}
    return image


def _copies(image: Any, folder: Path, *, lossless: bool) -> None:
    """The whole picture, one for the screen and a small one. Each comes from the one before: a picture is decoded
    once."""
    if lossless:
        image.save(folder / "full.png", compress_level=1)
    else:
        image.save(folder / "full.jpg", quality=92)
    screen = image.copy() if max(image.size) <= SCREEN else _smaller(image, SCREEN)
    screen.save(folder / "screen.jpg", quality=90)
    _smaller(screen, THUMB).save(folder / "thumb.jpg", quality=85)


def _smaller(image: Any, longest: int) -> Any:
    """About as sharp as the usual way, in half the time."""
    from PIL import Image

    scale = min(1, longest / max(image.size))
    size = tuple(max(1, round(side * scale)) for side in image.size)
    return image.resize(size, Image.Resampling.HAMMING, reducing_gap=1.2)


# --- deeper than 8 bits ---------------------------------------------------------------------------------------------


def _deep(image: Any) -> Any:
    """The values of a 16-bit picture."""
    import numpy

    if image.mode == "I":
        values = numpy.asarray(image)
        if values.min() < 0 or values.max() >= LEVELS:
            raise Refusal("unsupported")
        return values.astype("<u2")
    order = ">" if image.mode == "I;16B" else "<"
    width, height = image.size
    return numpy.frombuffer(image.tobytes(), f"{order}u2").reshape(height, width).astype("<u2")


def _show_depth(
    values: Any,
    folder: Path,
    *,
    bits: int,
    offset: int = 0,
    slope: float = 1.0,
    intercept: float = 0.0,
    window: tuple[float, float] | None = None,
    function: str = LINEAR,
    inverted: bool = False,
) -> dict[str, Any]:
    """Keep the values themselves for the viewer, and copies as the window shows them.

    `values` are little-endian uint16; with `offset` added they are what the file stores.
    """
    with (folder / "depth.bin.gz").open("wb") as raw, gzip.GzipFile("", "wb", 1, raw, mtime=0) as packed:
        packed.write(values)
    center, width = window or usual_window(values, offset=offset, slope=slope, intercept=intercept)
    stored: dict[str, Any] = {"offset": offset, "slope": slope, "intercept": intercept}
    _show(values, folder, window_table(center, width, function, **stored), inverted=inverted)
    depth = stored | {"bits": bits, "inverted": inverted, "center": center, "window": width}
    depth |= {"from_file": window is not None} | ({"function": function} if function != LINEAR else {})
    return {"bits": bits, "depth": depth}


def _show(values: Any, folder: Path, table: Any, *, inverted: bool) -> None:
    """Copies of a picture as its window shows it, through a table of all levels."""
    from PIL import Image

    _copies(Image.fromarray((255 - table if inverted else table).take(values)), folder, lossless=True)


def window_table(
    center: float,
    width: float,
    function: str = LINEAR,
    *,
    offset: int = 0,
    slope: float = 1.0,
    intercept: float = 0.0,
) -> Any:
    """Which of 256 greys each of the 65,536 values is shown in: DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3. The viewer's
    xray-window.js goes the same steps in the same order, so that both come to the same greys."""
    import numpy

    x = (numpy.arange(LEVELS, dtype=numpy.float64) + offset) * slope + intercept
    if function == SIGMOID:
        with numpy.errstate(over="ignore"):  # beyond the largest number lies black
            return numpy.floor(255 / (1 + numpy.exp(-4 * (x - center) / width)) + 0.5).astype(numpy.uint8)
    least, span = (center - width / 2, width) if function == EXACT else (center - 0.5 - (width - 1) / 2, width - 1)
    if span <= 0:
        return numpy.where(x <= least, 0, 255).astype(numpy.uint8)
    return numpy.floor((numpy.clip(x - least, 0, span) * 255) / span + 0.5).astype(numpy.uint8)


def usual_window(values: Any, *, offset: int, slope: float, intercept: float) -> tuple[float, float]:
    """Centre and width that show all but the darkest and the brightest pixels."""
    import numpy

    below = numpy.cumsum(numpy.bincount(values.ravel(), minlength=LEVELS))
    low, high = (int(numpy.searchsorted(below, values.size * part)) for part in (OUTSIDE, 1 - OUTSIDE))
    low, high = sorted((level + offset) * slope + intercept for level in (low, high))
    return (low + high + 1) / 2, max(high - low + 1, 2.0)


# --- DICOM ----------------------------------------------------------------------------------------------------------


def dicom(source: Path, folder: Path) -> dict[str, Any]:
    """A DICOM file. One that is whole but cannot be shown is taken, and `problem` says why."""
    import pydicom
    from pydicom.filereader import read_file_meta_info

    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    try:
        syntax = str(read_file_meta_info(source).get("TransferSyntaxUID", ""))
        if syntax == DEFLATED:
            raise Refusal("deflated")  # reading it would unpack it, however large that is
        data = pydicom.dcmread(source)
        last = next(reversed(data._dict.values()), None)
    except Refusal:
        raise
    except Exception:  # a want of memory too: no file of its size says so much
        raise Refusal("damaged") from None
    if isinstance(last, pydicom.dataelem.RawDataElement) and _is_cut(last):
        raise Refusal("damaged")
    found = {"format": "DICOM", "mime": "application/dicom", "transfer_syntax": syntax, **facts(data)}
    found["problem"] = _problem(data, syntax, source.stat().st_size)
    if found["problem"]:
        return found
    return found | _show_dicom(data, syntax, folder)


def _is_cut(element: Any) -> bool:
    """Whether the file ends within its last element."""
    return element.length != 0xFFFFFFFF and len(element.value or b"") < element.length


def _problem(data: Any, syntax: str, size: int) -> str | None:
    """Why the picture cannot be shown, or None."""
    if "PixelData" not in data:
        return "no-picture"
    rows, columns, frames = (_int(data, name, 1) for name in ("Rows", "Columns", "NumberOfFrames"))
    if rows < 1 or columns < 1 or frames < 1 or frames * 2 > size:
        raise Refusal("damaged")
    if rows * columns > PIXELS:
        raise Refusal("pixels")
    if syntax not in NATIVE | PACKED:
        return "syntax"
    if _int(data, "BitsAllocated", 0) not in {8, 16} or _int(data, "SamplesPerPixel", 1) not in {1, 3}:
        return "depth"
    return None


def _show_dicom(data: Any, syntax: str, folder: Path) -> dict[str, Any]:
    try:
        values = _first_frame(data)
    except MemoryError:
        raise Refusal("memory") from None
    except Exception:
        if syntax in NATIVE:
            raise Refusal("damaged") from None  # fewer bytes than it says
        return {"problem": "undecodable"}
    height, width = values.shape[:2]
    found = {"width": width, "height": height, "problem": None}
    if height * width > PIXELS:
        raise Refusal("pixels")
    if values.ndim == 3:
        return found | _show_color(values, folder)
    return found | _show_grey(data, values, folder)


def _first_frame(data: Any) -> Any:
    from pydicom.pixels import apply_color_lut, pixel_array

    values = pixel_array(data, index=0)
    if data.PhotometricInterpretation == "PALETTE COLOR":
        values = apply_color_lut(values, data)
    return values


def _show_color(values: Any, folder: Path) -> dict[str, Any]:
    import numpy
    from PIL import Image

    if values.dtype != numpy.uint8:
        bits = 16 if int(values.max()) > 255 else 8
        values = (values >> (bits - 8)).astype(numpy.uint8)
    _copies(Image.fromarray(values[:, :, :3]), folder, lossless=True)
    return {"bits": 8}


def _show_grey(data: Any, values: Any, folder: Path) -> dict[str, Any]:
    import numpy

    values, stored, curves = _meant(data, values)
    bits = min(max(_int(data, "BitsStored", 16), 1), 16)
    low, high = int(values.min()), int(values.max())
    if low < 0 or (_int(data, "PixelRepresentation", 0) == 1 and values.dtype.kind == "i"):
        bits = max(bits, (max(high, -low - 1)).bit_length() + 1)
        offset = -(1 << (bits - 1))
    else:
        bits, offset = max(bits, high.bit_length()), 0
    if bits > 16:
        return {"problem": "depth"}
    levels = (values.astype(numpy.int32) - offset).astype("<u2")
    stored["offset"] = offset
    window, function = (None, LINEAR) if "modality" in curves else _window(data, curves)
    inverted = data.PhotometricInterpretation == "MONOCHROME1"
    said = {"curves": curves} if curves else {}
    if bits <= 8:
        whole = window_table(*_all_of(bits, **stored), **stored)
        if window is None or (window_table(*window, function, **stored) == whole)[: 1 << bits].all():
            _show(levels, folder, whole, inverted=inverted)
            return {"bits": 8} | said
        bits = 8
    return said | _show_depth(levels, folder, bits=bits, window=window, function=function, inverted=inverted, **stored)


def _meant(data: Any, values: Any) -> tuple[Any, dict[str, Any], list[str]]:
    """What the device measured: the stored values, and the line or the table that the file has for them. A table is
    looked up at once; one that cannot be read is told as a curve that is not applied."""
    import numpy
    from pydicom.pixels import apply_modality_lut

    straight = {"slope": 1.0, "intercept": 0.0}
    if _first(data, "ModalityLUTSequence"):
        try:
            return apply_modality_lut(values.astype(numpy.int32), data), straight, []
        except MemoryError:
            raise
        except Exception:
            return values, straight, ["modality"]
    line = {"slope": _number(data, "RescaleSlope", 1.0) or 1.0, "intercept": _number(data, "RescaleIntercept", 0.0)}
    return values, line, []


def _window(data: Any, curves: list[str]) -> tuple[tuple[float, float] | None, str]:
    """The file's window, and by which function it is meant; what of it is not applied is added to `curves`."""
    function = _text(data, "VOILUTFunction").upper() or LINEAR
    if function not in {LINEAR, EXACT, SIGMOID}:
        curves.append("function")
        function = LINEAR
    if _values(data, "VOILUTSequence"):
        curves.append("voi")
    center, width = _number(data, "WindowCenter"), _number(data, "WindowWidth")
    if center is None or width is None or width <= 0 or (function == LINEAR and width < 1):
        return None, LINEAR
    return (center, width), function


def _all_of(bits: int, *, offset: int, slope: float, intercept: float) -> tuple[float, float]:
    """The window that shows all values of so many bits as they are."""
    low, high = sorted((level + offset) * slope + intercept for level in (0, (1 << bits) - 1))
    return (low + high) / 2 + 0.5, high - low + 1


# --- what a DICOM file says -----------------------------------------------------------------------------------------


def facts(data: Any) -> dict[str, Any]:
    """What the file says of the patient, the day, the device and the picture; what it does not say is left out."""
    modality = _text(data, "Modality").upper()
    day = next(filter(None, (_day(data, name) for name in DAYS)), None)
    teeth, region = _teeth(data)
    found = {
        "kind": KINDS.get(modality, "other"),
        "frames": _int(data, "NumberOfFrames", 1),
        "date": day,
        "patient": {
            name: value
            for name, value in {
                "name": _text(data, "PatientName"),
                "id": _text(data, "PatientID"),
                "birth_date": _day(data, "PatientBirthDate"),
                "sex": _text(data, "PatientSex"),
            }.items()
            if value
        },
        "modality": modality,
        "manufacturer": _text(data, "Manufacturer"),
        "model": _text(data, "ManufacturerModelName"),
        "laterality": _text(data, "ImageLaterality") or _text(data, "Laterality"),
        "teeth": teeth,
        "region": region,
        "burned_in": _text(data, "BurnedInAnnotation").upper() == "YES",
        "sop_instance_uid": _text(data, "SOPInstanceUID"),
        "spacing": _spacing(data, modality),
    }
    return {name: value for name, value in found.items() if value}


DAYS = ("AcquisitionDate", "AcquisitionDateTime", "ContentDate", "SeriesDate", "StudyDate")


def _spacing(data: Any, modality: str) -> dict[str, Any] | None:
    """Millimetres from pixel to pixel, down and across, and whether they are those of the tooth or of the detector."""
    body, detector = _pair(data, "PixelSpacing"), _pair(data, "ImagerPixelSpacing")
    if not (body or detector):
        return None
    corrected = modality in SLICES or bool(_text(data, "PixelSpacingCalibrationType"))
    calibrated = body is not None and (corrected or (detector is not None and detector != body))
    row, column = body or detector
    return {"row": row, "column": column, "plane": "calibrated" if calibrated else "detector"}


# Which of the groups of a multi-frame file holds what an older file says at the top.
GROUPS = {
    "PixelSpacing": "PixelMeasuresSequence",
    "WindowCenter": "FrameVOILUTSequence",
    "WindowWidth": "FrameVOILUTSequence",
    "VOILUTFunction": "FrameVOILUTSequence",
    "VOILUTSequence": "FrameVOILUTSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
}


def _values(data: Any, name: str) -> list[Any]:
    """The values of an element as a list, from the top or from the first frame's groups."""
    value = _quietly(data, name)
    if value is None and name in GROUPS:
        for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
            if value is None:
                value = _quietly(_first(_first(data, groups), GROUPS[name]), name)
    if value is None or value == "":
        return []
    return list(value) if hasattr(value, "append") else [value]


def _first(data: Any, sequence: str) -> Any:
    items = _quietly(data, sequence)
    return items[0] if items else {}


def _quietly(data: Any, name: str) -> Any:
    """An element that cannot be read is one that is not there."""
    try:
        return data.get(name)
    except MemoryError:
        raise
    except Exception:
        return None


def _number(data: Any, name: str, default: float | None = None) -> Any:
    try:
        value = float(_values(data, name)[0])
    except (IndexError, TypeError, ValueError):
        return default
    return value if math.isfinite(value) and abs(value) < 1e9 else default


def _pair(data: Any, name: str) -> tuple[float, float] | None:
    try:
        pair = [float(value) for value in _values(data, name)]
    except (TypeError, ValueError):
        return None
    return (pair[0], pair[1]) if len(pair) == 2 and all(0 < value < 100 for value in pair) else None


def _int(data: Any, name: str, default: int) -> int:
    try:
        return int(_values(data, name)[0])
    except (IndexError, TypeError, ValueError, OverflowError):
        return default


def _text(data: Any, name: str) -> str:
    values = _values(data, name)
    return " ".join(str(values[0]).replace("\0", " ").split())[:200] if values else ""


def _day(data: Any, name: str) -> str | None:
    digits = re.sub(r"\D", "", _text(data, name))[:8]
    try:
        return datetime.strptime(digits, "%Y%m%d").date().isoformat() if len(digits) == 8 else None
    except ValueError:
        return None


TOOTH = (
    (r"central incisor", 1), (r"lateral (incisor|tooth)", 2), (r"canine|cuspid(?<!bicuspid)", 3),
    (r"first (premolar|bicuspid)", 4), (r"second (premolar|bicuspid)", 5),
    (r"first molar", 6), (r"second molar", 7), (r"third molar", 8),
)  # fmt: skip


def _teeth(data: Any) -> tuple[list[str], str]:
    """The teeth that the picture shows, by FDI, and the words for the region."""
    teeth, region = [], ""
    for item in _values(data, "PrimaryAnatomicStructureSequence")[:52]:
        if code := tooth(_text(item, "CodingSchemeDesignator"), _text(item, "CodeValue"), _text(item, "CodeMeaning")):
            teeth.append(code)
    for item in _values(data, "AnatomicRegionSequence")[:1]:
        region = _text(item, "CodeMeaning")
    return teeth, region


def tooth(scheme: str, code: str, meaning: str) -> str | None:
    """The FDI code of a coded tooth: by number where the scheme has them, else by its English name."""
    if "3950" in scheme or "FDI" in scheme.upper():
        return code if re.fullmatch(r"[1-4][1-8]|[5-8][1-5]", code) else None
    words = meaning.lower()
    upper, lower = bool(re.search(r"maxillary|upper", words)), bool(re.search(r"mandibular|lower", words))
    right, left = "right" in words, "left" in words
    place = next((place for name, place in TOOTH if re.search(name, words)), None)
    if place is None or upper == lower or right == left or "supernumerary" in words:
        return None
    quadrant = (1 if right else 2) if upper else (4 if right else 3)
    if re.search(r"deciduous|primary", words):
        place = {6: 4, 7: 5}.get(place, place if place <= 3 else 9)
        quadrant += 4
    return f"{quadrant}{place}" if quadrant <= 4 or place <= 5 else None


# --- as a script ----------------------------------------------------------------------------------------------------


def limit(memory: int, seconds: int, file_size: int) -> None:
    """From here on this process can take no more than that, start nothing and gain no rights. There is no way back, but
    for root, who can lift all of it but the last."""
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, file_size),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),  # libraries begin no threads: intake.QUIET; root may all the same
    ):
        resource.setrlimit(what, (most, most))
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        if prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def answer(source: Path, folder: Path) -> dict[str, Any]:
    """What was found, or the code of the refusal. A library that fails on a file says that the file is damaged."""
    try:
        return read(source, folder)
    except Refusal as refusal:
        return {"refused": str(refusal)}
    except MemoryError:
        return {"refused": "memory"}
    except OSError as error:
        return {"refused": "space" if error.errno in {27, 28} else "damaged"}  # EFBIG, ENOSPC
    except Exception:
        return {"refused": "damaged"}


def main() -> None:
    source, folder, limits = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    limit(**limits)
    os.umask(0o077)
    sys.stdout.write(json.dumps(answer(source, folder), allow_nan=False))


if __name__ == "__main__":
    main()
