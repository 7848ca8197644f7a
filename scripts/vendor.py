"""Keep the front-end files that come from others exactly as their authors published them.

    python scripts/vendor.py check                 compare every file with the lock, offline
    python scripts/vendor.py update                fetch the locked versions again with `npm pack`
    python scripts/vendor.py update --from DIR     the same from archives that are already on the disk

The lock is cpms/static/vendor/vendor.lock.json. For a new version change "version" there, empty
"integrity" and run `update`. For a new icon add its name to "icons" and run `update`.
"""

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "cpms/static/vendor/vendor.lock.json"


def digest(algorithm: str, content: bytes) -> str:
    return f"{algorithm}-{base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"


def check(lock: dict) -> list[str]:
    """Name every locked file that is missing or not the one that was locked."""
    locked = [file for package in lock["packages"] for file in package["files"]] + [lock["sprite"]]
    wrong = []
    for file in locked:
        path = ROOT / file["path"]
        if not path.is_file():
            wrong.append(f"{file['path']} is missing")
        elif digest("sha384", path.read_bytes()) != file["sha384"]:
            wrong.append(f"{file['path']} differs from the lock")
    return wrong


def archive_of(package: dict, folder: Path) -> Path:
    name, version = package["name"].removeprefix("@").replace("/", "-"), package["version"]
    for path in folder.glob("*.tgz"):
        if path.stem == f"{name}-{version}" and digest("sha512", path.read_bytes()) == package["integrity"]:
            return path
    wanted = f"{package['name']}@{version}"
    subprocess.run(["npm", "pack", "--silent", wanted, "--pack-destination", str(folder)], check=True)
    return folder / f"{name}-{version}.tgz"


def members(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {m.name.removeprefix("package/"): tar.extractfile(m).read() for m in tar if m.isfile()}


def symbol(name: str, svg: str) -> str:
    """Turn one drawing into a symbol; the page gives it its size, colour and stroke."""
    drawing = re.sub(r"<!--.*?-->", "", svg, flags=re.S)
    drawing = re.search(r"<svg[^>]*>(.*)</svg>", drawing, flags=re.S).group(1)
    drawing = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>', "", drawing)
    drawing = re.sub(r"\s*/>", "/>", " ".join(drawing.split())).replace("> <", "><").strip()
    return f'<symbol id="{name}" viewBox="0 0 24 24">{drawing}</symbol>'


def sprite(names: list[str], files: dict[str, bytes]) -> bytes:
    symbols = "\n".join(symbol(name, files[f"icons/outline/{name}.svg"].decode()) for name in sorted(names))
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n'.encode()


def write(file: dict, content: bytes) -> None:
    path = ROOT / file["path"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    file["sha384"] = digest("sha384", content)


def update(lock: dict, folder: Path) -> None:
    for package in lock["packages"]:
        archive = archive_of(package, folder)
        integrity = digest("sha512", archive.read_bytes())
        if package["integrity"] not in ("", integrity):
            raise SystemExit(f"{package['name']} is not the archive that was locked: {integrity}")
        package["integrity"] = integrity
        files = members(archive)
        for file in package["files"]:
            write(file, files[file["member"]])
        if package["name"] == lock["sprite"]["package"]:
            write(lock["sprite"], sprite(lock["icons"], files))
    LOCK.write_text(json.dumps(lock, indent=2) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description="Check or refetch the vendored front-end files.")
    parser.add_argument("action", choices=["check", "update"])
    parser.add_argument("--from", dest="folder", type=Path, help="a folder with archives made by `npm pack`")
    asked = parser.parse_args()
    lock = json.loads(LOCK.read_text())
    if asked.action == "update":
        with tempfile.TemporaryDirectory() as temporary:
            update(lock, asked.folder or Path(temporary))
    wrong = check(lock)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
