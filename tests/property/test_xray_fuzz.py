"""Spoilt files by the thousand: whatever a child makes of one, the server lives, waits for none and believes none."""

import json
import random
import subprocess
import sys
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cpms.xrays import intake
from tests import pictures
from tests.drill import reached, times
from tests.fuzzer import LIMITS, ROOT, spoilt
from tests.make import Make
from tests.pages import Person

NUMBER = times(300, 10_000)
MEMORY = LIMITS["memory"] // 1024**2  # megabytes that a child may address
REAL = (
    *("MR_small.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"),
    *("SC_rgb_jpeg_gdcm.dcm", "SC_rgb_jpeg_dcmtk.dcm", "SC_rgb_rle_2frame.dcm", "SC_rgb_jls_lossy_line.dcm"),
    *("JPEG2000.dcm", "MR_small_implicit.dcm", "reportsi.dcm", "SC_ybr_full_422_uncompressed.dcm"),
)


def seeds() -> dict[str, bytes]:
    """Small files of each kind, which are good."""
    photo = pictures.photo((64, 48))
    made = {
        "a.png": pictures.encoded(photo, "PNG"),
        "palette.png": pictures.encoded(photo.convert("P"), "PNG"),
        "deep.png": pictures.deep(pictures.ramp(32, 32)),
        "a.jpg": pictures.encoded(photo, "JPEG", exif=pictures.exif(orientation=6)),
        "progressive.jpg": pictures.encoded(photo, "JPEG", progressive=True),
        "a.webp": pictures.encoded(photo, "WEBP"),
        "lossless.webp": pictures.encoded(photo, "WEBP", lossless=True),
        "a.tif": pictures.encoded(photo, "TIFF"),
        "lzw.tif": pictures.encoded(photo, "TIFF", compression="tiff_lzw"),
        "deep.tif": pictures.deep(pictures.ramp(32, 32), "TIFF"),
        "a.pdf": pictures.PDF,
        "plain.dcm": pictures.dicom(stored=12, **pictures.of_patient(name="Kaya^Ali", number="1")),
    }
    return made | {name: (pictures.REAL / name).read_bytes() for name in REAL}


@pytest.mark.slow
def test_spoilt_files_harm_nobody(tmp_path: Path) -> None:
    assert intake.LIMITS.memory == LIMITS["memory"], "else another child is tried than the server's"
    good = tmp_path / "good"
    good.mkdir()
    for name, content in seeds().items():
        (good / name).write_bytes(content)
    run = subprocess.run(
        [sys.executable, "-m", "tests.fuzzer", str(good), str(NUMBER), "1"],
        cwd=ROOT,
        env={"OPENBLAS_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    *results, parent = (json.loads(line) for line in run.stdout.splitlines())
    assert len(results) == NUMBER
    assert [each for each in results if each["hung"]] == []
    assert max(each["megabytes"] for each in results) < MEMORY
    assert parent["parent_megabytes"] < MEMORY
    ends = Counter(_end(each) for each in results)
    assert ends["taken"] > 0 and ends["damaged"] > 0, ends  # else nothing was tried
    told = ", ".join(f"{number} {end}" for end, number in ends.most_common())
    reached("Nothing breaks the intake", NUMBER, told)


def _end(result: dict[str, Any]) -> str:
    """What the server makes of what a child said: a file, a refusal, and nothing else ever."""
    if result["answer"] is None:
        return "child failed"
    try:
        found = intake._understood(result["answer"])
    except intake._Nonsense:
        return "not believed"
    if "refused" in found:
        return str(found["refused"])
    assert set(result["names"]) <= intake.COPIES
    if not found["problem"] and found["mime"] != "application/pdf":
        assert {"thumb.jpg", "screen.jpg"} <= set(result["names"]), result
    return "kept" if found["problem"] else "taken"


@pytest.mark.slow
def test_spoilt_files_sent_to_the_server_get_an_answer(app: Flask, make: Make, ada: Person) -> None:
    """The whole way, on fewer: no answer is a failure of ours."""
    patient, good = make.patient(), sorted(seeds().items())
    for turn in range(times(12, 200)):
        name, content = good[turn * 5 % len(good)]
        answer = ada.post(
            f"/xrays/of/{patient.id}",
            headers={"X-Upload": "1"},
            sure="y",
            date_performed="2026-08-30",
            file=[(BytesIO(spoilt(content, random.Random(turn))), name)],
        )
        assert answer.status_code in {200, 409, 422}, (turn, name)
