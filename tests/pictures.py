"""Pictures and files for tests, made of known values."""

from io import BytesIO

from PIL import Image


def png(color: str | None = None, *, shade: int = 0, size: tuple[int, int] = (40, 30)) -> bytes:
    """A plain picture; each shade makes other bytes."""
    out = BytesIO()
    Image.new("RGB", size, color or (shade, 40, 90)).save(out, "PNG")
    return out.getvalue()
