"""The viewer in a real browser: every pixel after windowing, zoom under the pointer, measures, notes, two pictures."""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from cpms.xrays import decoder
from tests import films
from tests.browser.conftest import Screen
from tests.make import Make

Axe = Callable[[Page], None]

# The red of every pixel of the canvas; that green and blue are the same, and nothing shines through, is checked there.
PIXELS = """() => {
  const canvas = document.querySelector("[data-film] > canvas:not([data-quick])");
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  const reds = [];
  for (let at = 0; at < data.length; at += 4) {
    if (data[at] !== data[at + 1] || data[at] !== data[at + 2] || data[at + 3] !== 255) throw new Error(`${at / 4}`);
    reds.push(data[at]);
  }
  return reds;
}"""
COLORS = """() => {
  const copy = new OffscreenCanvas(2, 2).getContext("2d", { willReadFrequently: true });
  copy.drawImage(document.querySelector("[data-film] > canvas:not([data-quick])"), 0, 0);
  return [...copy.getImageData(0, 0, 2, 2).data];
}"""
# Which point of the picture lies under a point of the screen: from the numbers that the page gives to the browser.
UNDER = """([x, y, which]) => {
  const film = document.querySelectorAll("[data-film]")[which];
  const box = film.closest("[data-stage]").getBoundingClientRect();
  const [a, b, c, d, e, f] = film.style.transform.match(/[-\\d.e]+/g).map(Number);
  const [dx, dy, det] = [x - box.left - box.width / 2 - e, y - box.top - box.height / 2 - f, a * d - b * c];
  return [(d * dx - c * dy) / det, (a * dy - b * dx) / det];
}"""
SCALE = """(which) => {
  const film = document.querySelectorAll("[data-film]")[which];
  return Math.hypot(...film.style.transform.match(/[-\\d.e]+/g).slice(0, 2).map(Number));
}"""
KEYS = """() => [...document.querySelectorAll("[aria-keyshortcuts]")]
  .flatMap((button) => button.getAttribute("aria-keyshortcuts").split(" "))"""
NEAR = 0.02  # of a pixel; a browser tells its numbers with six digits
SMALL = "() => document.querySelector('[data-on] [data-film] > img')?.complete"


def opened(page: Page, address: str) -> Page:
    """The viewer, with every pixel there."""
    page.goto(address)
    for stage in page.locator("[data-stage]").all():
        expect(stage).to_have_attribute("data-shown", "depth" if stage.locator("[data-depth]").count() else "full")
    return page


def under(page: Page, x: float, y: float, which: int = 0) -> tuple[float, float]:
    return tuple(page.evaluate(UNDER, [x, y, which]))


def middle(page: Page, which: int = 0) -> tuple[float, float]:
    box = page.locator("[data-stage]").nth(which).bounding_box()
    assert box
    return round(box["x"] + box["width"] / 2), round(box["y"] + box["height"] / 2)  # a wheel knows whole numbers only


def other_side(page: Page, x: float, y: float) -> tuple[float, float]:
    """The point that lies on the second stage as this one lies on the first."""
    first, second = (page.locator("[data-stage]").nth(which).bounding_box() for which in (0, 1))
    assert first and second
    return x + second["x"] - first["x"] + (second["width"] - first["width"]) / 2, y + second["y"] - first["y"]


def on_screen(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a point of the picture lies on the screen, while nothing is turned."""
    left, top = under(page, 0, 0)
    scale = page.evaluate(SCALE, 0)
    return (x - left) * scale, (y - top) * scale


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()


def settled(page: Page) -> None:
    """After the next frame, in which what was dragged is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


# --- shades ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("center", "width", "facts"),
    [
        (2048, 4096, {}),
        (1000, 1, {}),
        (127.5, 2, {}),
        (40, 400, {"slope": 1, "intercept": -1024}),
        (30000, 60000, {"inverted": True}),
        (0, 65536, {"offset": -32768}),
        (12.25, 999.5, {"slope": 0.5, "intercept": -3.25, "offset": -2048, "inverted": True}),
        (-500, 3000, {"slope": -1, "intercept": 100}),
        (1000.5, 333.25, {"function": "LINEAR_EXACT", "offset": -300}),
        (0.25, 0.5, {"function": "SIGMOID", "slope": 1 / 65536, "inverted": True}),
    ],
)
def test_the_table_of_all_stored_values_is_the_standard_s(
    screen: Screen, center: float, width: float, facts: dict[str, Any]
) -> None:
    page = screen(None)
    page.goto("/login")
    words = page.evaluate(
        """async ([tone, facts]) => {
          const app = document.querySelector("script[type=module]").src;
          const { table } = await import(app.replace("app.js", "xray-window.js"));
          return [...table(tone, facts)];
        }""",
        [{"center": center, "width": width, "invert": False}, facts],
    )
    slope, intercept = Fraction(facts.get("slope", 1)), Fraction(facts.get("intercept", 0))
    if "function" in facts:  # the server's copies, which have tests of their own, and the viewer show the same
        turned = facts.pop("inverted", False)
        served = [int(each) for each in decoder.window_table(center, width, **facts)]
        assert words == [0xFF000000 | (255 - each if turned else each) * 0x010101 for each in served]
        return
    expected = [
        films.shade((stored + facts.get("offset", 0)) * slope + intercept, Fraction(center), Fraction(width))
        for stored in range(65536)
    ]
    if facts.get("inverted"):
        expected = [255 - each for each in expected]
    assert words == [0xFF000000 | each * 0x010101 for each in expected]


@pytest.mark.parametrize(
    ("values", "tags"),
    [
        (films.ramp(200, 150), {}),
        (films.ramp(160, 120, 65536), {"bits": 16}),
        (films.ramp(200, 150), {"PhotometricInterpretation": "MONOCHROME1"}),
        (films.ramp(96, 64, 256), {"bits": 8, "RescaleSlope": "10"}),
        (films.ramp(160, 120, 4096, least=-2048), {"bits": 12, "RescaleSlope": "2", "RescaleIntercept": "-24"}),
    ],
    ids=["12 bit", "16 bit", "inverted", "8 bit", "signed and rescaled"],
)
def test_every_pixel_is_what_the_window_makes_of_its_stored_value(
    screen: Screen, clinic: Make, values: films.Values, tags: dict[str, Any]
) -> None:
    window = {"WindowCenter": "1200", "WindowWidth": "1800"}
    xray = clinic.xray(content=films.dicom(values, **window, **tags))
    page = opened(screen("ada"), f"/xrays/{xray.id}")
    stored = {"slope": int(tags.get("RescaleSlope", 1)), "intercept": int(tags.get("RescaleIntercept", 0))}
    inverted = "PhotometricInterpretation" in tags
    assert page.evaluate(PIXELS) == films.shades(values, 1200, 1800, inverted=inverted, **stored)

    page.keyboard.press("i")
    assert page.evaluate(PIXELS) == films.shades(values, 1200, 1800, inverted=not inverted, **stored)
    page.keyboard.press("i")

    page.keyboard.press("w")
    x, y = middle(page)
    drag(page, (x, y), (x + 160, y))  # to the right: more contrast, half the width
    assert page.evaluate(PIXELS) == films.shades(values, 1200, 900, inverted=inverted, **stored)
    expect(page.locator("[data-status]")).to_contain_text("level 1,200, width 900")

    drag(page, (x, y), (x, y - 40))  # up: brighter, by a tenth of the usual width
    center = 1200 + (180 if inverted else -180)
    assert page.evaluate(PIXELS) == films.shades(values, center, 900, inverted=inverted, **stored)

    page.keyboard.press("o")
    assert page.evaluate(PIXELS) == films.shades(values, 1200, 1800, inverted=inverted, **stored)


def test_a_large_picture_is_coarse_only_while_it_is_dragged(screen: Screen, clinic: Make) -> None:
    values = films.ramp(1500, 1100)
    xray = clinic.xray(content=films.dicom(values, WindowCenter="2048", WindowWidth="4096"))
    page = opened(screen("ada"), f"/xrays/{xray.id}")
    page.keyboard.press("w")
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 160, y)
    settled(page)
    expect(page.locator("[data-quick]")).to_be_visible()
    page.mouse.up()
    expect(page.locator("[data-quick]")).to_be_hidden()
    assert page.evaluate(PIXELS) == films.shades(values, 2048, 2048)


def test_a_picture_of_eight_bits_has_contrast_too(screen: Screen, clinic: Make) -> None:
    values = films.ramp(64, 48, 256)
    xray = clinic.xray(content=films.png(values), name="grey.png")
    page = opened(screen("ada"), f"/xrays/{xray.id}")
    assert page.evaluate(PIXELS) == films.shades(values, 128, 256)
    page.keyboard.press("w")
    x, y = middle(page)
    drag(page, (x, y), (x + 160, y))
    assert page.evaluate(PIXELS) == films.shades(values, 128, 128)


def test_a_photo_keeps_its_colours(screen: Screen, clinic: Make) -> None:
    colors = [[[200, 30, 90], [0, 255, 17]], [[5, 5, 6], [128, 64, 32]]]
    xray = clinic.xray(content=films.png(films.numpy.array(colors)), name="photo.png")
    page = opened(screen("ada"), f"/xrays/{xray.id}")
    page.keyboard.press("i")
    seen = page.evaluate(COLORS)
    flat = [color for row in colors for pixel in row for color in (*(255 - each for each in pixel), 255)]
    assert seen == flat


# --- where it lies --------------------------------------------------------------------------------------------------


@pytest.fixture
def xray(clinic: Make) -> Any:
    """A periapical picture, forty pixels a millimetre at the detector."""
    tags = {"WindowCenter": "2048", "WindowWidth": "4096", "ImagerPixelSpacing": ["0.025", "0.05"]}
    return clinic.xray(content=films.dicom(films.ramp(400, 300), **tags))


@pytest.mark.parametrize("keys", ["", "r", "x", "rry", "xR"])
def test_the_wheel_zooms_about_the_pointer(screen: Screen, xray: Any, keys: str) -> None:
    page = opened(screen("ada"), f"/xrays/{xray.id}")
    for key in keys:
        page.keyboard.press(key)
    x, y = middle(page)
    point = (x + 90, y - 60)
    before, scale = under(page, *point), page.evaluate(SCALE, 0)
    page.mouse.move(*point)
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"({SCALE})(0) > {scale * 1.5}")
    assert under(page, *point) == pytest.approx(before, abs=NEAR)
    page.mouse.wheel(0, 150)
    settled(page)
    assert under(page, *point) == pytest.approx(before, abs=NEAR)


def test_two_fingers_hold_what_is_under_them(screen: Screen, xray: Any) -> None:
    page = opened(screen("ada", width=820, height=1180, touch=True), f"/xrays/{xray.id}")
    x, y = middle(page)
    debugger = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": px, "y": py, "id": number} for number, (px, py) in enumerate(points)]
        debugger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    first, second = (x - 60, y - 40), (x + 60, y + 40)
    held = under(page, *first), under(page, *second)
    touch("touchStart", first)
    touch("touchStart", first, second)
    for step in range(1, 7):
        first = (x - 60 - 9 * step, y - 40 - 6 * step)
        second = (x + 60 + 15 * step, y + 40 + 10 * step)
        touch("touchMove", first, second)
    settled(page)
    assert (under(page, *first), under(page, *second)) == (
        pytest.approx(held[0], abs=NEAR),
        pytest.approx(held[1], abs=NEAR),
    )
    touch("touchEnd")
    touch("touchStart", (x, y))  # one finger moves it
    held = under(page, x, y)
    touch("touchMove", (x + 30, y + 20))
    touch("touchMove", (x + 60, y + 40))
    settled(page)
    assert under(page, x + 60, y + 40) == pytest.approx(held, abs=NEAR)
    touch("touchEnd")


def test_one_to_one_puts_a_pixel_on_a_pixel(screen: Screen, xray: Any) -> None:
    page = opened(screen("ada", device_scale_factor=2), f"/xrays/{xray.id}")
    page.keyboard.press("1")
    assert page.evaluate(SCALE, 0) == pytest.approx(0.5)
    left, top = on_screen(page, 0, 0)
    assert [round(each * 2) for each in (left, top)] == pytest.approx([left * 2, top * 2], abs=0.001)
    page.keyboard.press("0")
    box = page.locator("[data-stage]").bounding_box()
    assert box
    assert page.evaluate(SCALE, 0) == pytest.approx(min(box["width"] / 400, box["height"] / 300))


def test_turning_and_mirroring_go_as_they_are_seen(screen: Screen, xray: Any) -> None:
    page = opened(screen("ada"), f"/xrays/{xray.id}")
    x, y = middle(page)

    def corners() -> list[str]:
        """Which corner of the picture is left above, and which is right above."""
        names = []
        for way in (-1, 1):
            px, py = under(page, x + way * 10, y - 10)
            names.append(("left" if px < 200 else "right") + (" above" if py < 150 else " below"))
        return names

    assert corners() == ["left above", "right above"]
    page.keyboard.press("r")
    assert corners() == ["left below", "left above"]
    page.keyboard.press("x")
    assert corners() == ["left above", "left below"]
    page.keyboard.press("r")  # what was left below comes left above
    assert corners() == ["right above", "left above"]
    page.keyboard.press("y")
    assert corners() == ["right below", "left below"]
    page.get_by_role("button", name="Reset").click()
    assert corners() == ["left above", "right above"]


# --- measures and notes ---------------------------------------------------------------------------------------------


def ruler(page: Page, start: tuple[float, float], end: tuple[float, float]) -> str:
    """Draws from one point of the picture to another; what stands beside the line."""
    page.keyboard.press("d")
    drag(page, on_screen(page, *start), on_screen(page, *end))
    return page.locator(".xv-new text").last.text_content() or ""


def test_a_ruler_measures_millimetres_in_the_plane_of_the_detector(screen: Screen, xray: Any) -> None:
    page = opened(screen("ada"), f"/xrays/{xray.id}")
    assert ruler(page, (100, 50), (100, 250)) == "5.0 mm at the detector"  # 200 rows of 0.025 mm
    assert ruler(page, (100, 50), (300, 50)) == "10.0 mm at the detector"  # 200 columns of 0.05 mm
    expect(page.locator(".xv-foot")).to_contain_text("Lengths are mm at the detector, not calibrated.")


def test_a_ruler_knows_no_millimetres_where_the_file_names_none(screen: Screen, clinic: Make) -> None:
    xray = clinic.xray(content=films.png(films.ramp(400, 300, 256)), name="a.png")
    page = opened(screen("ada"), f"/xrays/{xray.id}")
    assert ruler(page, (100, 50), (100, 250)) == "200 px"
    expect(page.locator(".xv-foot")).to_contain_text("Lengths in pixels")


def test_a_calibrated_picture_says_so(screen: Screen, clinic: Make) -> None:
    tags = {"PixelSpacing": ["0.1", "0.1"], "PixelSpacingCalibrationType": "FIDUCIAL"}
    page = opened(screen("ada"), f"/xrays/{clinic.xray(content=films.dicom(films.ramp(400, 300), **tags)).id}")
    assert ruler(page, (100, 50), (100, 250)) == "20.0 mm"
    expect(page.locator(".xv-foot")).to_contain_text("Lengths are calibrated")


def test_an_angle_is_three_points_with_its_corner_second(screen: Screen, clinic: Make) -> None:
    xray = clinic.xray(content=films.png(films.ramp(400, 300, 256)), name="a.png")
    page = opened(screen("ada"), f"/xrays/{xray.id}")
    page.keyboard.press("g")
    for point in ((100, 200), (100, 100), (200, 100)):
        page.mouse.click(*on_screen(page, *point))
    assert page.locator(".xv-new text").text_content() == "90.0°"


def test_a_ruler_is_drawn_without_a_mouse(screen: Screen, xray: Any) -> None:
    page = opened(screen("ada"), f"/xrays/{xray.id}")
    for key in ("1", "d", "Enter", *["ArrowDown"] * 5, "Enter"):
        page.keyboard.press(key)
    assert page.locator(".xv-new text").text_content() == "1.0 mm at the detector"  # 40 pixels
    page.keyboard.press("Backspace")
    expect(page.locator(".xv-new")).to_have_count(0)


def test_notes_are_seen_by_the_next_person_with_their_author(screen: Screen, xray: Any) -> None:
    page = opened(screen("ada"), f"/xrays/{xray.id}")
    ruler(page, (100, 50), (100, 250))
    page.keyboard.press("t")
    page.mouse.click(*on_screen(page, 200, 150))
    page.keyboard.type("Old crown")
    page.keyboard.press("Enter")
    expect(page.locator("[data-waiting]")).to_have_text("Not saved yet: 2")
    page.keyboard.press("s")
    notes = page.locator("#xray-notes li")
    expect(notes).to_have_count(2)
    expect(page.locator(".xv-new")).to_have_count(0)

    other = opened(screen("hugo"), f"/xrays/{xray.id}")
    assert other.locator(".xv-mark text").all_text_contents() == ["5.0 mm at the detector", "Old crown"]
    expect(other.locator("#xray-notes")).to_contain_text("Old crown Dr Ada Dent")
    expect(other.get_by_role("button", name="Take this note away")).to_have_count(0)
    other.keyboard.press("n")
    expect(other.locator(".xv-mark")).to_have_count(0)

    page.get_by_role("button", name="Take this note away").first.click()
    expect(notes).to_have_count(1)
    assert page.locator(".xv-mark text").all_text_contents() == ["Old crown"]
    page.get_by_role("button", name="Undo").last.click()
    expect(page.locator("#xray-notes li")).to_have_count(2)


def test_a_view_is_kept_only_when_somebody_says_so(screen: Screen, clinic: Make) -> None:
    values = films.ramp(200, 150)
    xray = clinic.xray(content=films.dicom(values, WindowCenter="2048", WindowWidth="4096"))
    page = opened(screen("ada"), f"/xrays/{xray.id}")
    for key in ("i", "r"):
        page.keyboard.press(key)
    opened(page, f"/xrays/{xray.id}")
    assert page.evaluate(PIXELS) == films.shades(values, 2048, 4096)

    for key in ("i", "r", "v"):
        page.keyboard.press(key)
    expect(page.locator("#xray-notes li")).to_have_count(1)
    other = opened(screen("hugo"), f"/xrays/{xray.id}")
    assert other.evaluate(PIXELS) == films.shades(values, 2048, 4096, inverted=True)
    expect(other.locator("#xray-notes")).to_contain_text("Dr Ada Dent")
    other.keyboard.press("o")
    assert other.evaluate(PIXELS) == films.shades(values, 2048, 4096)
    other.get_by_role("button", name="Show", exact=True).click()
    assert other.evaluate(PIXELS) == films.shades(values, 2048, 4096, inverted=True)


def test_typed_words_are_not_left_without_a_question(screen: Screen, xray: Any) -> None:
    page = opened(screen("ada"), f"/xrays/{xray.id}")
    page.keyboard.press("t")
    page.mouse.click(*middle(page))
    page.keyboard.type("Caries?")
    page.keyboard.press("Enter")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto("/patients/")
    assert asked == ["beforeunload"]

    opened(page, f"/xrays/{xray.id}")
    page.keyboard.press("t")
    page.mouse.click(*middle(page))
    page.keyboard.type("Caries?")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Remove").click()
    page.goto("/patients/")
    assert asked == ["beforeunload"]

    opened(page, f"/xrays/{xray.id}")
    page.get_by_label("Findings").fill("Caries 16 d.")
    page.goto("/patients/")
    assert asked == ["beforeunload"] * 2


# --- two pictures, and the next -------------------------------------------------------------------------------------


@pytest.fixture
def pair(clinic: Make) -> tuple[Any, Any]:
    patient = clinic.patient(alert_text="Latex")
    older = clinic.xray(content=films.dicom(films.ramp(400, 300)), patient=patient)
    return older, clinic.xray(content=films.png(films.ramp(300, 500, 256)), name="newer.png", patient=patient)


def test_two_pictures_zoom_and_move_together_until_they_are_let_go(screen: Screen, pair: tuple[Any, Any]) -> None:
    page = opened(screen("ada"), f"/xrays/{pair[0].id}")
    page.keyboard.press("c")
    page.locator("#dialog").get_by_role("link").click()
    page.wait_for_url("**?with=*")
    opened(page, page.url)
    scales = [page.evaluate(SCALE, which) for which in (0, 1)]
    x, y = middle(page)
    there = other_side(page, x + 40, y - 30)
    before = under(page, *there, 1)
    page.mouse.move(x + 40, y - 30)
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"({SCALE})(1) > {scales[1] * 1.5}")
    grown = [page.evaluate(SCALE, which) / scales[which] for which in (0, 1)]
    assert grown[0] == pytest.approx(grown[1], abs=0.001)
    assert under(page, *there, 1) == pytest.approx(before, abs=NEAR)

    held = under(page, *there, 1)
    drag(page, (x, y), (x + 50, y + 20))
    assert under(page, there[0] + 50, there[1] + 20, 1) == pytest.approx(held, abs=NEAR)

    page.keyboard.press("l")
    drag(page, (x, y), (x - 60, y))
    assert under(page, there[0] + 50, there[1] + 20, 1) == pytest.approx(held, abs=NEAR)


def test_the_keys_lead_through_the_series_by_date(screen: Screen, pair: tuple[Any, Any]) -> None:
    page = opened(screen("ada"), f"/xrays/{pair[0].id}")
    page.keyboard.press("PageDown")
    page.wait_for_url(f"**/xrays/{pair[1].id}")
    expect(page.locator(".xv-which")).to_contain_text("2 of 2")
    page.keyboard.press("PageUp")
    page.wait_for_url(f"**/xrays/{pair[0].id}")


def test_every_key_of_a_button_stands_in_the_help(screen: Screen, pair: tuple[Any, Any]) -> None:
    page = screen("ada")
    keys = set()
    for address in (f"/xrays/{pair[0].id}", f"/xrays/{pair[1].id}", f"/xrays/{pair[0].id}?with={pair[1].id}"):
        opened(page, address)
        keys |= set(page.evaluate(KEYS))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys of the viewer")).to_be_visible()
    shown = set(page.locator("#xray-keys kbd").all_text_contents())
    spelled = {"PageUp": "Page ↑", "PageDown": "Page ↓", "Shift+R": "Shift R"}
    assert {spelled.get(key, key) for key in keys} - shown == {"=", "_", "Delete"}  # second names of + - Backspace


def test_full_screen_keeps_the_alert_in_sight(screen: Screen, pair: tuple[Any, Any]) -> None:
    page = opened(screen("ada"), f"/xrays/{pair[0].id}")
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement")
    expect(page.get_by_role("button", name="Full screen")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".alert-strip").first).to_have_text("Alert:Latex")
    page.keyboard.press("f")
    page.wait_for_function("() => !document.fullscreenElement")


# --- the rest -------------------------------------------------------------------------------------------------------


def test_a_report_is_written_with_phrases_and_a_clash_keeps_the_typing(screen: Screen, xray: Any) -> None:
    page, other = (opened(screen(who), f"/xrays/{xray.id}") for who in ("ada", "olga"))
    page.get_by_label("Findings").fill("Caries 16 d.")
    page.get_by_role("button", name="Phrases").click()
    page.get_by_role("button", name="Bone level within normal limits.").click()
    expect(page.get_by_label("Findings")).to_have_value("Caries 16 d. Bone level within normal limits.")
    page.get_by_role("button", name="Save report").click()
    expect(page.locator("#xray-report")).to_contain_text("Reported by Dr Ada Dent")

    other.get_by_label("Findings").fill("Something else")
    other.get_by_role("button", name="Save report").click()
    expect(other.locator("#xray-report")).to_contain_text("Somebody else changed this report meanwhile.")
    expect(other.get_by_label("Findings")).to_have_value("Something else")
    expect(other.locator("#xray-report")).to_contain_text("Saved now: Caries 16 d. Bone level within normal limits.")


def test_on_a_phone_the_picture_has_the_room_until_the_report_is_opened(screen: Screen, xray: Any) -> None:
    page = opened(screen("ada", width=390, height=844, touch=True), f"/xrays/{xray.id}")
    report, panel = page.get_by_role("button", name="Report", exact=True), page.locator("#xray-panel")
    expect(report).to_have_attribute("aria-expanded", "false")
    expect(panel).to_be_hidden()
    report.tap()
    expect(report).to_have_attribute("aria-expanded", "true")
    page.get_by_label("Findings").fill("Caries 16 d.")
    page.get_by_role("button", name="Save report").tap()
    told = page.locator(".toast").bounding_box()
    foot, tools = (page.locator(each).bounding_box() for each in (".xv-foot", ".xv-tools"))
    assert told and foot and tools
    assert told["y"] + told["height"] <= min(foot["y"], tools["y"]), "what stands at the foot can be read"


def test_the_small_copy_is_there_before_every_pixel_and_in_the_same_place(screen: Screen, xray: Any) -> None:
    page = screen("ada")
    held: list[Any] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/picture/depth", hold)
    page.goto(f"/xrays/{xray.id}")
    page.wait_for_function(SMALL)
    small = page.locator("[data-film] > img").bounding_box()
    held[0].continue_()
    expect(page.locator("[data-stage]")).to_have_attribute("data-shown", "depth")
    assert page.locator("[data-film] > canvas").first.bounding_box() == small


def test_a_lost_file_is_said_in_words(screen: Screen, clinic: Make, xray: Any) -> None:
    from cpms.core import media

    page = screen("ada")
    with clinic.app.app_context():
        media.path_of(xray.sha256).unlink()
    page.goto(f"/xrays/{xray.id}")
    expect(page.locator("[data-stage]")).to_contain_text("The file is missing on the server.")
    expect(page.get_by_label("Findings")).to_be_visible()


def test_a_connection_that_breaks_is_said_in_words(screen: Screen, xray: Any) -> None:
    page = screen("ada", tolerate=("ERR_FAILED",))
    page.route(re.compile("/picture/(depth|full)"), lambda route: route.abort())
    page.goto(f"/xrays/{xray.id}")
    expect(page.get_by_text("could not be read")).to_be_visible()


def test_leaving_gives_the_memory_back(screen: Screen, xray: Any) -> None:
    page = opened(screen("ada"), f"/xrays/{xray.id}")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    assert page.evaluate("[...document.querySelectorAll('canvas')].map((c) => c.width * c.height)") == [0, 0]


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (820, 1180), (390, 844)])
def test_what_is_touched_is_large_enough_and_in_sight(
    screen: Screen, pair: tuple[Any, Any], axe: Axe, width: int, height: int
) -> None:
    page = opened(screen("ada", width=width, height=height, touch=width < 1000), f"/xrays/{pair[0].id}")
    sizes = page.evaluate(
        "[...document.querySelectorAll('.xv :is(button, a.button)')].filter((b) => b.checkVisibility())"
        ".map((b) => [b.textContent.trim() || b.ariaLabel, b.offsetWidth, b.offsetHeight])"
    )
    assert [each for each in sizes if each[1] < 44 or each[2] < 44] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator(".alert-strip").first).to_be_in_viewport()
    axe(page)
    opened(page, f"/xrays/{pair[0].id}?with={pair[1].id}")
    axe(page)
