"""The clinic's files, each under the SHA-256 of its bytes: the same bytes twice are one file, and none ever changes.

Originals lie in `media/ab/<sha256>` and are in every backup. Copies that can be made from them again lie in
`derived/ab/<sha256>/` and are in none.
"""

import re
import shutil
from pathlib import Path

from flask import current_app

from cpms.core.files import digest, make_folder, put_in_place


def instance() -> Path:
    return Path(current_app.config["CPMS_INSTANCE"])


def root() -> Path:
    """Where the originals lie."""
    return instance() / "media"


def derived_root() -> Path:
    return instance() / "derived"


def incoming() -> Path:
    """Where files wait until they are looked at. On the same disk as the originals, so that keeping one copies
    nothing."""
    return _folder(instance() / "incoming")


def path_of(sha256: str) -> Path:
    """Where the original with that sum lies, if it is there."""
    return root() / _checked(sha256)[:2] / sha256


def derived_of(sha256: str) -> Path:
    """The folder of the copies that are made from an original."""
    return derived_root() / _checked(sha256)[:2] / sha256


def keep(part: Path) -> str:
    """Put a finished file among the originals; its sum. Whoever learns the sum finds the whole file, power cut or not.

    A file that is there already stays, unless its bytes have gone bad: then the good ones take its place.
    """
    sha256 = digest(part)
    target = path_of(sha256)
    if target.is_file() and digest(target) == sha256:
        part.unlink()
        return sha256
    make_folder(target.parent)
    put_in_place(part, target)
    return sha256


def keep_derived(made: Path, sha256: str) -> None:
    """Put a folder of copies in its place, instead of the one that was there."""
    target = derived_of(sha256)
    _folder(target.parent)
    shutil.rmtree(target, ignore_errors=True)
    made.rename(target)


def forget(sha256: str) -> None:
    """Remove an original that no record names, and its copies."""
    shutil.rmtree(derived_of(sha256), ignore_errors=True)
    path_of(sha256).unlink(missing_ok=True)


def _checked(sha256: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError("not a SHA-256")
    return sha256


def _folder(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
