"""Drawn X-rays for the demo clinic: teeth in two rows, as PNG files of 12-bit greys. No patient was ever in front of
a sensor for them."""

import random
import struct
import zlib
from collections.abc import Iterator

from cpms.xrays.models import XrayKind

# kind, teeth, how many stand beside each other, width and height in pixels, days before today
SERIES: tuple[tuple[XrayKind, str, int, int, int, int], ...] = (
    (XrayKind.PANORAMIC, "", 14, 900, 460, 400),
    (XrayKind.BITEWING, "18 17 16 46 47 48", 3, 420, 320, 12),
    (XrayKind.BITEWING, "15 14 44 45", 3, 420, 320, 12),
    (XrayKind.BITEWING, "24 25 34 35", 3, 420, 320, 12),
    (XrayKind.BITEWING, "26 27 28 36 37 38", 3, 420, 320, 12),
    (XrayKind.PERIAPICAL, "11 12 21 22", 4, 320, 420, 3),
)


def png(chance: random.Random, *, teeth: int, width: int, height: int) -> bytes:
    """One picture: 16 bits a pixel, of which 12 are used."""
    rows = b"".join(b"\0" + row for row in _rows(chance, teeth, width, height))
    head = struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows, 1)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _rows(chance: random.Random, teeth: int, width: int, height: int) -> Iterator[bytes]:
    """From the tips of the upper roots to those of the lower ones; the crowns meet in the middle."""
    fillings = {(row, tooth): chance.random() < 0.25 for row in (0, 1) for tooth in range(teeth)}
    lean = [chance.uniform(-0.06, 0.06) for _ in range(teeth)]
    step = width / teeth
    grain = [chance.randrange(-60, 61) for _ in range(4096)]
    for y in range(height):
        across = 2 * y / height - 1  # -1 at the upper edge, 1 at the lower
        lower, depth = across > 0, 1 - abs(across)  # 0 at the tip of a root, 1 where the crowns meet
        crown = depth > 0.52
        half = 0.44 - 0.05 * (0.75 - depth) ** 2 if crown else 0.12 + 0.55 * depth
        values = []
        for x in range(width):
            tooth = min(int(x / step), teeth - 1)
            off = (x / step - tooth - 0.5) + lean[tooth] * (depth - 0.5)
            edge = abs(off) / half
            if depth > 0.96:
                value = 250  # between the rows
            elif edge < 1:
                value = (2500 if crown else 1750) + int(700 * (1 - edge * edge))
                if abs(off) < 0.05 + 0.08 * crown and 0.15 < depth < 0.75:
                    value -= 900  # the pulp
                elif crown and fillings[lower, tooth] and off > 0.1 and depth > 0.74:
                    value = 3900
            else:
                value = 950 + int(300 * (0.52 - depth)) if depth < 0.5 else 330  # bone, then air
            values.append(max(0, min(4095, value + grain[(x * 31 + y * 977) % 4096])) << 4)
        yield struct.pack(f">{width}H", *values)
