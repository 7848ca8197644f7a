"""A backup as a file: a plain tar that `tar` can open, and its own SHA-256 at the end.

    header.json          what it is: format, id, when, versions, whether it is encrypted
    key.age              only when encrypted: the key, locked by the clinic's passphrase
    manifest.json        counts of rows, SHA-256 and size of the database and of every picture, the trail's last seal
    instance.json        what the server needs beside its database
    database.zst         the database, compressed
    media/ab/abcd…       pictures; only in a download: in the backup folder each lies once for all backups

When encrypted, all but the header carry `.age` and are age files: authenticated, in chunks, readable with the age tool.
Nothing of a file is believed before its sum, its names and its sizes were checked; no path of it is ever written to.
"""

import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import pyrage
from backports import zstd
from flask_babel import gettext as _

from cpms.core.db import examine, reading
from cpms.core.errors import Refused
from cpms.core.files import CHUNK, digest, put_in_place

FORMAT = 1
HEADER, KEY, MANIFEST, INSTANCE, DATABASE = "header.json", "key.age", "manifest.json", "instance.json", "database.zst"
MEDIA = re.compile(r"media/([0-9a-f]{2})/(\1[0-9a-f]{62})(\.age)?")
SMALL = 64 * CHUNK  # no header, key or manifest is larger
LEVEL = 3  # zstd: hundreds of MB/s on one core
_TRAILER = re.compile(rb"\nsha256:([0-9a-f]{64})\n")
_TRAILER_LENGTH = 73
_BLOCK = tarfile.BLOCKSIZE

Progress = Callable[[str, int, int], None]
Names = Iterator[tuple[str, int, IO[bytes]]]


class BadBackup(Refused):
    """The file is not a backup that can be trusted. The sentence says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A file of the clinic beside its database. `path` is where it lies below the media folder."""

    path: str
    sha256: str
    size: int

    @property
    def member(self) -> str:
        return f"media/{self.sha256[:2]}/{self.sha256}"


@dataclass(frozen=True, slots=True)
class Header:
    id: str
    created_at: str  # ISO 8601, UTC
    app: str
    schema: str
    encrypted: bool
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in a backup."""

    id: str
    created_at: str
    kind: str
    app: str
    schema: str
    clinic: str
    clinic_id: str  # the seal of the first entry in its trail: no other clinic has it
    counts: dict[str, int]
    database: dict[str, Any]  # {"sha256", "size"}
    anchor: list[Any] | None  # [id, seal, when] of the newest entry in its trail
    media: tuple[Picture, ...] = field(default=())
    missing: tuple[str, ...] = field(default=())  # pictures that the folder should have held

    @property
    def when(self) -> datetime:
        return datetime.fromisoformat(self.created_at)

    @property
    def media_size(self) -> int:
        return sum(picture.size for picture in self.media)


@dataclass(frozen=True, slots=True)
class Opened:
    header: Header
    manifest: Manifest
    instance: dict[str, Any]
    sha256: str  # of the whole file


class Key:
    """The clinic's key: its public half encrypts, all of it decrypts."""

    def __init__(self, text: str) -> None:
        try:
            self.identity = pyrage.x25519.Identity.from_str(text.strip().upper())
        except pyrage.IdentityError:
            raise BadBackup(_("This is not a recovery key. It begins with AGE-SECRET-KEY-1.")) from None
        self.text = str(self.identity)
        self.public = str(self.identity.to_public())

    @classmethod
    def new(cls) -> "Key":
        return cls(str(pyrage.x25519.Identity.generate()))

    @classmethod
    def of(cls, path: Path, words: str) -> "Key":
        """The key that opens this backup: the recovery key itself, or what the passphrase unlocks. Raises BadBackup."""
        joined = "".join(words.split())  # the sheet prints the key in groups
        if joined.upper().startswith("AGE-SECRET-KEY-"):
            return cls(joined)
        return cls.unlocked(locked_key(path) or b"", words)

    @classmethod
    def unlocked(cls, locked: bytes, passphrase: str) -> "Key":
        """The key out of its `key.age`. Raises BadBackup when the passphrase is another one."""
        try:
            return cls(pyrage.passphrase.decrypt(locked, passphrase).decode())
        except pyrage.DecryptError:
            raise BadBackup(_("This passphrase does not open the backup.")) from None

    def locked(self, passphrase: str) -> bytes:
        return pyrage.passphrase.encrypt(self.text.encode(), passphrase)

    def encrypt(self, source: IO[bytes], target: IO[bytes]) -> None:
        out = _Remembering(target)
        try:
            pyrage.encrypt_io(source, out, [self.identity.to_public()])
        except pyrage.EncryptError as error:
            raise out.trouble or error from None

    def decrypt(self, source: IO[bytes], target: IO[bytes]) -> None:
        try:
            pyrage.decrypt_io(source, target, [self.identity])
        except (pyrage.DecryptError, OSError) as error:
            if getattr(error, "errno", None):
                raise  # the disk's trouble, not the file's: age says its own without a number
            raise BadBackup(_("The backup's key does not open it, or it was changed after it was written.")) from None


class _Remembering:
    """Writes, and knows the disk's trouble with it: age tells it as its own."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self.trouble: OSError | None = None

    def write(self, piece: bytes) -> int:
        try:
            return self._target.write(piece)
        except OSError as error:
            self.trouble = error
            raise

    def flush(self) -> None:
        self._target.flush()


class _Part(io.RawIOBase):
    """A piece of a file, and no byte more."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._file.read(min(len(buffer), self._left))
        if self._left and not piece:
            raise _cut_short()
        self._left -= len(piece)
        buffer[: len(piece)] = piece
        return len(piece)

    def finish(self) -> None:
        while self._left:
            piece = self._file.read(min(CHUNK, self._left))
            if not piece:
                raise _cut_short()
            self._left -= len(piece)


class _Summing:
    """Writes, and knows the SHA-256 of all that it wrote."""

    def __init__(self, write: Callable[[bytes], Any]) -> None:
        self._write = write
        self.total = sha256()

    def write(self, piece: bytes) -> None:
        self.total.update(piece)
        self._write(piece)


def pack_database(database: Path, scratch: Path, key: Key | None) -> Path:
    """The database, compressed and, with a key, encrypted: a new file in `scratch`."""
    packed = scratch / DATABASE
    with database.open("rb") as source, zstd.open(packed, "wb", level=LEVEL) as target:
        _pour(source, target)
    return seal_file(packed, scratch / f"{DATABASE}.age", key) if key else packed


def seal_file(source: Path, target: Path, key: Key | None) -> Path:
    """A copy of a file as it lies in a backup."""
    with source.open("rb") as plain, target.open("wb") as out:
        if key:
            key.encrypt(plain, out)
        else:
            _pour(plain, out)
    return target


def write(
    target: Path,
    *,
    manifest: Manifest,
    instance: Mapping[str, Any],
    database: Path,
    key: Key | None,
    locked_key: bytes | None,
) -> None:
    """Write the archive under its name, whole or not at all. `database` is what `pack_database` made."""
    header = Header(manifest.id, manifest.created_at, manifest.app, manifest.schema, key is not None)
    end = ".age" if key else ""
    part = target.with_suffix(".part")
    try:
        with part.open("wb") as file:
            summing = _Summing(file.write)
            _add(summing, HEADER, _json(asdict(header)), manifest.when)
            if locked_key:
                _add(summing, KEY, locked_key, manifest.when)
            for name, content in ((MANIFEST, asdict(manifest)), (INSTANCE, dict(instance))):
                _add(summing, name + end, _sealed(_json(content), key), manifest.when)
            for piece in _member(DATABASE + end, database, manifest.when):
                summing.write(piece)
            summing.write(bytes(_BLOCK * 2))
            file.write(_trailer(summing))
        put_in_place(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def download(path: Path, store: Path, key: Key | None) -> Iterator[bytes]:
    """The archive together with its pictures, as one file, piece by piece. Raises BadBackup before the first piece."""
    content = opened(path, key)
    used = key if content.header.encrypted else None
    return _pieces(path, [in_store(store, picture, used) for picture in content.manifest.media])


def _pieces(path: Path, pictures: list[Path]) -> Iterator[bytes]:
    stamp = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
    total = sha256()

    def inside() -> Iterator[bytes]:
        for name, size, part in members(path):
            yield _head(name, size, stamp)
            yield from _padded(part, size)
        for file in pictures:
            yield from _member(f"media/{file.parent.name}/{file.name}", file, stamp)
        yield bytes(_BLOCK * 2)

    for piece in inside():
        total.update(piece)
        yield piece
    yield f"\nsha256:{total.hexdigest()}\n".encode()


def each_picture(path: Path, content: Opened, store: Path) -> Iterator[tuple[Picture, IO[bytes]]]:
    """Every picture as it lies in the backup: in the archive itself when it was downloaded, else in the store beside
    it. Raises BadBackup at the first that is in neither."""
    end = ".age" if content.header.encrypted else ""
    wanted = {picture.member + end: picture for picture in content.manifest.media}
    if wanted:
        for name, _size, part in members(path):
            if name in wanted:
                yield wanted.pop(name), part
    for name, picture in wanted.items():
        try:
            sealed = (store / name.removeprefix("media/")).open("rb")
        except FileNotFoundError:
            raise BadBackup(_("A picture is missing in the backup folder: %(name)s.", name=picture.path)) from None
        with sealed:
            yield picture, sealed


def check_kind(path: Path) -> None:
    """Refuse what is no backup at all, by its first bytes. Raises BadBackup."""
    with path.open("rb") as file:
        start = file.read(len(HEADER) + 1)
    if start.startswith(b"PK\x03\x04"):
        raise BadBackup(
            _("This is a zip file. Backups of older systems are not restored but imported, which comes later.")
        )
    if path.stat().st_size < _TRAILER_LENGTH + 2 * _BLOCK or start != HEADER.encode() + b"\0":
        raise BadBackup(_("This file is not a backup of Dental CPMS."))


def sum_of(path: Path) -> str:
    """The SHA-256 of the whole file, after checking that it is the one that was written. Raises BadBackup."""
    check_kind(path)
    total = sha256()
    with path.open("rb") as file:
        left = path.stat().st_size - _TRAILER_LENGTH
        while left:
            piece = file.read(min(CHUNK, left))
            total.update(piece)
            left -= len(piece)
        trailer = file.read()
    found = _TRAILER.fullmatch(trailer)
    if found is None:
        raise _cut_short()
    if found[1].decode() != total.hexdigest():
        raise BadBackup(_("This backup was changed or damaged after it was written: its sum is wrong."))
    total.update(trailer)
    return total.hexdigest()


def read_header(path: Path) -> Header:
    """The header alone: whose file it is and whether it wants a passphrase. Raises BadBackup."""
    for name, size, part in members(path):
        if name != HEADER:
            break
        return _header(_small(part, size))
    raise BadBackup(_("This file is not a backup of Dental CPMS."))


def locked_key(path: Path) -> bytes | None:
    """The key that the passphrase unlocks, or None in a backup without one."""
    for name, size, part in members(path):
        if name == KEY:
            return _small(part, size)
        if name.startswith(DATABASE):
            break
    return None


def opened(path: Path, key: Key | None) -> Opened:
    """Check the whole file's sum and read what it says about itself. Raises BadBackup."""
    whole = sum_of(path)
    header, manifest, instance = _read(path, key)
    return Opened(header, manifest, instance, whole)


def describe(path: Path, key: Key | None) -> Manifest:
    """What the file says about itself, from its first pages alone: to be shown, not to be believed. Raises BadBackup,
    also when the key is another one's."""
    return _read(path, key)[1]


def _read(path: Path, key: Key | None) -> tuple[Header, Manifest, dict[str, Any]]:
    found: dict[str, bytes] = {}
    for name, size, part in members(path):
        if name.startswith((DATABASE, "media/")):
            break
        found[name] = _small(part, size)
    header = _header(found.get(HEADER, b""))
    if header.encrypted and key is None:
        raise BadBackup(_("This backup is encrypted: its passphrase or its recovery key is needed."))
    end = ".age" if header.encrypted else ""
    try:
        manifest = _manifest(_unsealed(found[MANIFEST + end], key if header.encrypted else None))
        instance = json.loads(_unsealed(found[INSTANCE + end], key if header.encrypted else None))
    except (KeyError, TypeError, ValueError):
        raise _not_as_written() from None
    if (manifest.id, manifest.schema) != (header.id, header.schema) or not isinstance(instance, dict):
        raise _not_as_written()
    if not re.fullmatch(r"([0-9a-f]{2}){32,}", str(instance.get("audit_key"))):  # no server starts on another one
        raise _not_as_written()
    return header, manifest, instance


def unpack_database(path: Path, content: Opened, key: Key | None, target: Path) -> None:
    """The database as it was, checked by its size and sum. Raises BadBackup; then there is nothing at `target`."""
    packed = target.with_suffix(".packed")
    try:
        name = DATABASE + (".age" if content.header.encrypted else "")
        with _member_named(path, name) as part, packed.open("wb") as out:
            if content.header.encrypted:
                assert key is not None
                key.decrypt(part, out)
            else:
                _pour(part, out)
        _inflate(packed, target, content.manifest.database["size"])
        if digest(target) != content.manifest.database["sha256"]:
            raise _not_as_written()
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    finally:
        packed.unlink(missing_ok=True)


def _inflate(packed: Path, target: Path, size: int) -> None:
    """Never more than the manifest says: a few kilobytes can hold a terabyte of zeros."""
    left = size
    try:
        with zstd.open(packed, "rb") as source, target.open("wb") as out:
            while piece := source.read(CHUNK):
                left -= len(piece)
                if left < 0:
                    raise _not_as_written()
                out.write(piece)
    except (zstd.ZstdError, EOFError):
        raise _not_as_written() from None
    if left:
        raise _not_as_written()


def open_picture(sealed: IO[bytes], target: Path, picture: Picture, key: Key | None) -> None:
    """A picture as it was, checked by its sum. Raises BadBackup; then there is nothing at `target`."""
    try:
        with target.open("wb") as out:
            if key:
                key.decrypt(sealed, out)
            else:
                _pour(sealed, out)
        if target.stat().st_size != picture.size or digest(target) != picture.sha256:
            raise BadBackup(_("A picture in this backup is not the one that was stored: %(name)s.", name=picture.path))
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def members(path: Path) -> Names:
    """Every member in order: name, size, content. Only the names and the kind of file that we write; raises BadBackup
    at the first other one. Read by hand, as a library would follow links and believe sizes."""
    with path.open("rb") as file:
        seen: set[str] = set()
        while True:
            block = file.read(_BLOCK)
            if block == bytes(_BLOCK):
                return
            try:
                info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
            except (tarfile.HeaderError, UnicodeError):
                raise _not_as_written() from None
            if info.type != tarfile.REGTYPE or not _is_ours(info.name) or info.name in seen or info.size < 0:
                raise BadBackup(_("This file holds something that no backup does. Nothing of it was used."))
            seen.add(info.name)
            part = _Part(file, info.size)
            yield info.name, info.size, io.BufferedReader(part)
            part.finish()
            file.seek(-info.size % _BLOCK, io.SEEK_CUR)


@contextmanager
def _member_named(path: Path, wanted: str) -> Iterator[IO[bytes]]:
    for name, _size, part in members(path):
        if name == wanted:
            yield part
            return
    raise _not_as_written()


def _is_ours(name: str) -> bool:
    return (
        name in {HEADER, KEY}
        or name.removesuffix(".age") in {MANIFEST, INSTANCE, DATABASE}
        or bool(MEDIA.fullmatch(name))
    )


def _header(content: bytes) -> Header:
    try:
        header = Header(**json.loads(content))
        datetime.fromisoformat(header.created_at)
    except (TypeError, ValueError):
        raise _not_as_written() from None
    if header.format != FORMAT:
        raise BadBackup(_("This backup was written by a newer version of the program. Please install that one first."))
    return header


def _manifest(content: bytes) -> Manifest:
    values = json.loads(content)
    values["media"] = tuple(Picture(**each) for each in values["media"])
    values["missing"] = tuple(values["missing"])
    manifest = Manifest(**values)
    if manifest.when.tzinfo is None or any(not MEDIA.fullmatch(each.member) for each in manifest.media):
        raise ValueError("not a manifest of ours")
    for each in manifest.media:
        where = Path(each.path)
        if where.is_absolute() or ".." in where.parts or where.stem != each.sha256:
            raise ValueError("a picture lies below the media folder, under its own sum")
    return manifest


def _small(part: IO[bytes], size: int) -> bytes:
    if size > SMALL:
        raise _not_as_written()
    return part.read()


def _sealed(content: bytes, key: Key | None) -> bytes:
    if key is None:
        return content
    out = io.BytesIO()
    key.encrypt(io.BytesIO(content), out)
    return out.getvalue()


def _unsealed(content: bytes, key: Key | None) -> bytes:
    if key is None:
        return content
    out = io.BytesIO()
    key.decrypt(io.BytesIO(content), out)
    return out.getvalue()


def _json(content: Any) -> bytes:
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False).encode()


def _head(name: str, size: int, when: datetime) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, int(when.timestamp())
    return info.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")


def _padded(source: IO[bytes], size: int) -> Iterator[bytes]:
    while piece := source.read(CHUNK):
        yield piece
    yield bytes(-size % _BLOCK)


def _member(name: str, file: Path, when: datetime) -> Iterator[bytes]:
    size = file.stat().st_size
    yield _head(name, size, when)
    with file.open("rb") as source:
        yield from _padded(source, size)


def _add(out: _Summing, name: str, content: bytes, when: datetime) -> None:
    out.write(_head(name, len(content), when))
    for piece in _padded(io.BytesIO(content), len(content)):
        out.write(piece)


def _trailer(summing: _Summing) -> bytes:
    return f"\nsha256:{summing.total.hexdigest()}\n".encode()


def _pour(source: IO[bytes], target: IO[bytes]) -> None:
    while piece := source.read(CHUNK):
        target.write(piece)


def _cut_short() -> BadBackup:
    return BadBackup(_("This backup is incomplete: its end is missing."))


def _not_as_written() -> BadBackup:
    return BadBackup(_("This backup is damaged, or somebody changed it. Nothing of it was used."))


def verify(path: Path, key: Key | None, *, store: Path, scratch: Path, progress: Progress) -> Opened:
    """Prove that the archive gives back what went in: its sum, the database opened elsewhere and looked through, its
    rows counted, the trail's last seal, every picture's sum. Raises BadBackup or Unhealthy."""
    progress(_("Checking the backup"), 0, 0)
    content = opened(path, key)
    database = scratch / "check.db"
    unpack_database(path, content, key, database)
    try:
        examined = examine(database)
        if examined.schema != content.manifest.schema or examined.counts != content.manifest.counts:
            raise _not_as_written()
        _check_anchor(database, content.manifest.anchor)
    finally:
        database.unlink(missing_ok=True)
    used = key if content.header.encrypted else None
    probe = scratch / "check.picture"
    for number, (picture, sealed) in enumerate(each_picture(path, content, store)):
        progress(_("Checking the pictures"), number, len(content.manifest.media))
        open_picture(sealed, probe, picture, used)
        probe.unlink()
    return content


def in_store(store: Path, picture: Picture, key: Key | None) -> Path:
    """Where the backups' copy of a picture lies."""
    return store / (picture.member.removeprefix("media/") + (".age" if key else ""))


def _check_anchor(database: Path, anchor: list[Any] | None) -> None:
    if anchor is None:
        return
    with reading(database) as ask:
        found = ask(f"SELECT mac FROM audit_entry WHERE id = {int(anchor[0])}")  # noqa: S608 - a number
    if not found or found[0][0] != anchor[1]:
        raise _not_as_written()
