"""Write cpms/static/css/calendar-slots.css: the classes that put a card of the calendar in its place.

    python scripts/slots_css.py            write the file
    python scripts/slots_css.py check      fail when the file is not what this program writes

The security policy forbids `style=`, so each start, length, lane and colour is a class. `calendar.css`
gives the measures: --m is the height of a minute, --from the first minute that is shown.
"""

import colorsys
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "cpms/static/css/calendar-slots.css"
sys.path.insert(0, str(ROOT))

from cpms.calendar import rules  # noqa: E402 - found only after the line above
from cpms.calendar.grid import MOST_LANES  # noqa: E402

DAY = 24 * 60
PAPER = {"light": (255, 255, 255), "dark": (25, 29, 31)}  # nearly --surface of tokens.css
INK = {"light": (28, 37, 41), "dark": (229, 233, 234)}  # nearly --ink
TINT = {"light": 0.11, "dark": 0.2}  # how much of a colour its card has
EDGE_CONTRAST = 3.2  # of a card's edge on its ground: graphics need 3

Rgb = tuple[int, int, int]


def rgb(color: str) -> Rgb:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue


def mix(color: Rgb, ground: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a * share + b * (1 - share)) for a, b in zip(color, ground, strict=True))
    return red, green, blue


def luminance(color: Rgb) -> float:
    linear = [c / 3294.6 if c <= 10.31 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Rgb, other: Rgb) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def tint(color: str, theme: str) -> Rgb:
    """The ground of a card."""
    return mix(rgb(color), PAPER[theme], TINT[theme])


def edge(color: str, theme: str) -> Rgb:
    """The card's edge: its colour, moved towards the ink until it stands out from the ground."""
    hue, light, saturation = colorsys.rgb_to_hls(*(part / 255 for part in rgb(color)))
    ground, step = tint(color, theme), -0.02 if theme == "light" else 0.02
    found = rgb(color)
    while contrast(found, ground) < EDGE_CONTRAST:
        light += step
        red, green, blue = (round(part * 255) for part in colorsys.hls_to_rgb(hue, light, saturation))
        found = (red, green, blue)
    return found


def hexa(color: Rgb) -> str:
    return "#" + "".join(f"{part:02x}" for part in color)


def both(of: dict[str, str]) -> str:
    return f"light-dark({of['light']},{of['dark']})"


def sheet() -> str:
    lines = ["/* Written by scripts/slots_css.py: change that. */", "@layer domain {"]
    lines += [f".f{hour}{{--from:{hour * 60}}}" for hour in range(24)]
    lines += [f".span-{hours}{{--span:{hours}}}" for hours in range(1, 25)]
    lines += [f".t{at // 60:02}{at % 60:02}{{top:calc({at}*var(--m))}}" for at in range(0, DAY, rules.STEP)]
    # A short one is drawn a quarter of an hour high: its name must be readable.
    lengths = range(rules.STEP, DAY + 1, rules.STEP)
    lines += [f".h{length}{{height:calc({max(length, rules.LINE)}*var(--m) - 1px)}}" for length in lengths]
    for lanes in range(1, MOST_LANES + 1):
        lines.append(f".lanes-{lanes}{{--lanes:{lanes}}}")
        for lane in range(lanes):
            before, after = 100 * lane / lanes, 100 * (lanes - lane - 1) / lanes
            lines.append(f".x{lane}-{lanes}{{inset-inline:{before:.4g}% {after:.4g}%}}")
    for name, color in rules.SWATCHES.items():
        ground = both({theme: hexa(tint(color, theme)) for theme in PAPER})
        border = both({theme: hexa(edge(color, theme)) for theme in PAPER})
        lines.append(f".c-{name}{{background-color:{ground};border-color:{border}}}")
    return "\n".join([*lines, "}", ""])


def main(arguments: list[str]) -> int:
    if arguments == ["check"]:
        if FILE.is_file() and FILE.read_text() == sheet():
            return 0
        print(f"{FILE.relative_to(ROOT)} is out of date; please run: python scripts/slots_css.py")
        return 1
    FILE.write_text(sheet())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
