"""Pictures of known values, and what a window makes of them in whole numbers: nothing here rounds but the last step."""

from fractions import Fraction
from io import BytesIO
from typing import Any

import numpy
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalIntraOralXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

Values = Any  # a numpy array of rows


def ramp(width: int, height: int, levels: int = 4096, least: int = 0) -> Values:
    """Every level in turn, row by row."""
    return (numpy.arange(width * height).reshape(height, width) * 7) % levels + least


def dicom(values: Values, *, bits: int = 12, **tags: Any) -> bytes:
    """A file as a sensor writes it. `tags` are further elements, by their keywords."""
    signed = bool((values < 0).any())
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = DigitalIntraOralXRayImageStorageForPresentation
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
    data.Modality, data.PhotometricInterpretation = "IO", "MONOCHROME2"
    data.Rows, data.Columns = values.shape
    data.SamplesPerPixel, data.PixelRepresentation = 1, int(signed)
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, bits, bits - 1
    data.PixelData = values.astype("<i2" if signed else "<u2").tobytes()
    for name, value in tags.items():
        setattr(data, name, value)
    out = BytesIO()
    data.save_as(out, enforce_file_format=True)
    return out.getvalue()


def png(values: Values) -> bytes:
    """Eight bits, grey or in colours."""
    out = BytesIO()
    Image.fromarray(values.astype("uint8")).save(out, "PNG")
    return out.getvalue()


def shade(value: Fraction, center: Fraction, width: Fraction) -> int:
    """DICOM PS3.3 C.11.2.1.2.1, word by word, to 256 shades."""
    if value <= center - Fraction(1, 2) - (width - 1) / 2:
        return 0
    if value > center - Fraction(1, 2) + (width - 1) / 2:
        return 255
    exact = ((value - (center - Fraction(1, 2))) / (width - 1) + Fraction(1, 2)) * 255
    return int((exact + Fraction(1, 2)) // 1)


def shades(
    values: Values,
    center: float,
    width: float,
    *,
    slope: float = 1,
    intercept: float = 0,
    inverted: bool = False,
) -> list[int]:
    """What every pixel must be, row by row."""
    window, line = (Fraction(center), Fraction(width)), (Fraction(slope), Fraction(intercept))
    known = {int(level): shade(int(level) * line[0] + line[1], *window) for level in numpy.unique(values)}
    return [255 - known[int(level)] if inverted else known[int(level)] for level in values.ravel()]
