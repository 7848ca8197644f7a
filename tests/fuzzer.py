"""Spoils files at random and has `cpms/xrays/decoder.py` look at each in a child of its own, with its limits.

Run as a script: the heavy libraries are loaded once here, and a child is a fork: ten thousand files take minutes, not
hours. One line of JSON for each file: what it was made from, and what came of it. The parent must outlive them all.
"""

import importlib.util
import json
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60  # seconds for a child, on a machine that is busy with other tests
LIMITS = {"memory": 1024 * 1024 * 1024, "seconds": 30, "file_size": 64 * 1024 * 1024}


def flip(content: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 2, 8, 64))):
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)


def overwrite(content: bytearray, dice: random.Random) -> None:
    at, length = dice.randrange(len(content)), dice.choice((1, 2, 4, 16, 200))
    content[at : at + length] = bytes([dice.choice((0, 0x7F, 0x80, 0xFF))]) * min(length, len(content) - at)


def early(content: bytearray, dice: random.Random) -> None:
    """Where sizes and lengths stand."""
    for _ in range(dice.choice((1, 3))):
        content[dice.randrange(min(len(content), 400))] = dice.choice((0, 1, 0x7F, 0xFF, dice.randrange(256)))


def cut(content: bytearray, dice: random.Random) -> None:
    del content[dice.randrange(len(content)) :]


def repeat(content: bytearray, dice: random.Random) -> None:
    at, length = dice.randrange(len(content)), dice.choice((4, 100, 4000))
    content[at:at] = content[at : at + length] * dice.choice((1, 3, 50))


def take_out(content: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(content))
    del content[at : at + dice.choice((1, 4, 100))]


def noise(content: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(content))
    content[at : at + 40] = dice.randbytes(40)


WAYS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(flip, overwrite, early, early, cut, repeat, take_out, noise),
)


def spoilt(content: bytes, dice: random.Random) -> bytes:
    worse = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 5))):
        dice.choice(WAYS)(worse, dice)
        if not worse:
            break
    return bytes(worse)


def look(decoder: object, source: Path, folder: Path) -> dict[str, object]:
    """What a child says of the file, or how it ended."""
    hear, say = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hear)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        decoder.limit(**LIMITS)  # type: ignore[attr-defined]
        answer = decoder.answer(source, folder)  # type: ignore[attr-defined]
        os.write(say, json.dumps(answer, allow_nan=False).encode())
        os._exit(0)
    os.close(say)
    until, said, in_time = time.monotonic() + PATIENCE, b"", True
    while in_time:
        in_time = bool(select.select([hear], [], [], max(0, until - time.monotonic()))[0])
        piece = os.read(hear, 65536) if in_time else b""
        if not piece:
            break
        said += piece
    os.close(hear)
    if not in_time:
        os.kill(child, signal.SIGKILL)
    _pid, status, used = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return {
        "answer": json.loads(said) if said and code == 0 else None,
        "code": code,
        "hung": not in_time,
        "megabytes": used.ru_maxrss // 1024,
        "names": sorted(path.name for path in folder.iterdir()),
    }


def peak() -> int:
    """Megabytes that this program has taken at most. `ru_maxrss` would count those of the process that started it, too,
    when it was larger: the kernel keeps that figure beyond exec. It is true of a child that is only forked."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) // 1024


def main() -> None:
    seeds, number, start = sorted(Path(sys.argv[1]).iterdir()), int(sys.argv[2]), int(sys.argv[3])
    warnings.simplefilter("ignore")
    spec = importlib.util.spec_from_file_location("decoder", ROOT / "cpms" / "xrays" / "decoder.py")
    assert spec is not None and spec.loader is not None
    decoder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(decoder)
    with tempfile.TemporaryDirectory() as place:
        source, folder = Path(place) / "file", Path(place) / "copies"
        for turn in range(-len(seeds), number):  # each seed as it is loads its libraries here
            seed = seeds[turn % len(seeds)]
            content = seed.read_bytes() if turn < 0 else spoilt(seed.read_bytes(), random.Random(start + turn))
            source.write_bytes(content)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            if turn < 0:
                decoder.answer(source, folder)
                continue
            result = {"seed": seed.name, "turn": start + turn} | look(decoder, source, folder)
            sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.write(json.dumps({"parent_megabytes": peak()}) + "\n")


if __name__ == "__main__":
    main()
