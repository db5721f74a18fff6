"""Pictures inside messages: kept as files, and replaced in the message by the address they are served at."""

from __future__ import annotations

import asyncio
import base64
import binascii
import errno
import hashlib
import os
import re
import shutil
import threading
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from neomind_sdk import ApiError, BadRequest, DeviceUnregistered, NotFound, Notice, StorageFailed, StorageFull

MEDIA_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "bin": "application/octet-stream",
}
SHORTEST = 90
"""No picture is shorter as text: the smallest PNG there is has 67 bytes, 92 characters of base64."""

_DATA_URL = re.compile(r"data:image/([a-z0-9.+-]{1,32});base64,", re.IGNORECASE)
# How the formats below begin in base64; BMP's two letters are too common, so its reserved bytes are asked for too.
_BASE64_START = r"iVBORw0KGgo|/9j/|R0lGOD|UklGR|SUkqA|TU0AK|Qk[0-3][A-Za-z0-9+/]{5}AAAA"
_SUSPECT = re.compile(rf'"(?:(?i:data:image/)|{_BASE64_START})'.encode())
_BARE = re.compile(_BASE64_START)
_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_DIGEST = re.compile(r"-[0-9a-f]{32}\Z")


@attrs.frozen
class Picture:
    """The bytes of a picture and the file name extension of its format."""

    content: bytes
    extension: str


def suspect(raw: bytes) -> bool:
    """Whether a message, as compact JSON, may hold a picture; cheap, and never wrong when it says no."""
    return len(raw) >= SHORTEST and _SUSPECT.search(raw) is not None


def begins_like_picture(text: str) -> bool:
    """Whether a string may be a picture; cheap, and never wrong when it says no."""
    return len(text) >= SHORTEST and bool(_BARE.match(text) or _DATA_URL.match(text))


def picture(text: str) -> Picture | None:
    """The picture that a string is, as a data URL or as bare base64 of a known format; ``None`` for other strings."""
    if not begins_like_picture(text):
        return None
    url = _DATA_URL.match(text)
    try:
        content = base64.b64decode(text[url.end() :] if url else text, validate=True)
    except (binascii.Error, ValueError):
        return None
    extension = format_of(content) or ("bin" if url else None)
    return Picture(content, extension) if extension else None


def format_of(content: bytes) -> str | None:
    """The format by the first bytes, as the file name extension; ``None`` when it is no known one."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "webp"
    if content.startswith((b"II*\x00", b"MM\x00*")):
        return "tiff"
    return "bmp" if content.startswith(b"BM") and content[6:10] == bytes(4) else None


class Images:
    """Files under ``<folder>/<device>/<metric>/<uuid>.<extension>``; the name is derived from the content."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()  # between seeing that a file is there, or old, and making use of that

    async def replace(self, device_id: str, payload: Any, metric: str, ts_ms: int) -> Any:
        """``payload`` with every picture in it stored and replaced by its address.

        The path to a picture is the name of its metric, ``metric`` where the payload itself is one. Raises
        ``StorageFull`` or ``StorageFailed`` when a file cannot be written.
        """
        return await asyncio.to_thread(self._replace, device_id, payload, metric, ts_ms)

    async def read(self, device: str, metric: str, file: str) -> tuple[bytes, str]:
        """A file and its media type; raises ``BadRequest`` for segments that no address of ours has, ``NotFound``."""
        stem, _, extension = file.rpartition(".")
        if extension not in MEDIA_TYPES or not all(_SEGMENT.fullmatch(part) for part in (device, metric, stem)):
            raise BadRequest("An image's address is /images/<device>/<metric>/<file>")
        try:
            content = await asyncio.to_thread((self._folder / device / metric / file).read_bytes)
        except OSError as error:
            raise NotFound("IMAGE", file) from error
        return content, MEDIA_TYPES[extension]

    async def delete_before(self, ts_ms: int) -> int:
        """Delete the files of samples older than ``ts_ms``; returns how many."""
        return await asyncio.to_thread(self._delete_before, ts_ms)

    async def forget(self, notices: Sequence[Notice]) -> None:
        """Delete the files of devices that were removed (a listener)."""
        for notice in notices:
            if isinstance(notice.event, DeviceUnregistered):
                folder = self._folder / own_segment(notice.event.device_id)
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _replace(self, device_id: str, payload: Any, metric: str, ts_ms: int) -> Any:
        known: dict[str, str] = {}

        def walk(value: Any, name: str) -> Any:
            if isinstance(value, dict):
                return {key: walk(item, f"{name}.{key}" if name else key) for key, item in value.items()}
            if isinstance(value, list):
                return [walk(item, f"{name}[{index}]") for index, item in enumerate(value)]
            if not isinstance(value, str) or not begins_like_picture(value):
                return value
            if value not in known:
                known[value] = self._store(device_id, name or metric, value, ts_ms)
            return known[value]

        return walk(payload, "")

    def _store(self, device_id: str, metric: str, text: str, ts_ms: int) -> str:
        found = picture(text)
        if found is None:
            return text
        name = uuid.UUID(bytes=hashlib.sha256(found.content).digest()[:16], version=5)
        place = f"{own_segment(device_id)}/{segment(metric)}/{name}.{found.extension}"
        try:
            if not self._touch(self._folder / place, ts_ms):
                write_file(self._folder / place, found.content, ts_ms)
        except OSError as error:
            raise failure(error) from error
        return f"/api/images/{place}"

    def _touch(self, path: Path, ts_ms: int) -> bool:
        """Whether the file is there; its time becomes that of the newest sample that it belongs to."""
        with self._lock:
            try:
                newest = max(ts_ms * 1_000_000, path.stat().st_mtime_ns)
            except FileNotFoundError:
                return False
            os.utime(path, ns=(newest, newest))
        return True

    def _delete_before(self, ts_ms: int) -> int:
        return sum(self._delete_if_older(path, ts_ms * 1_000_000) for path in list(files(self._folder)))

    def _delete_if_older(self, path: Path, ts_ns: int) -> bool:
        with self._lock:
            try:
                old = path.stat().st_mtime_ns < ts_ns
            except FileNotFoundError:  # its device was removed meanwhile
                return False
            if old:
                path.unlink()
        return old


def segment(name: str) -> str:
    """``name`` as one safe segment of an address."""
    return _UNSAFE.sub("_", name)[:200] or "_"


def own_segment(name: str) -> str:
    """As ``segment``, and no two names have the same."""
    if _SEGMENT.fullmatch(name) and not _DIGEST.search(name):
        return name
    return f"{segment(name)[:150]}-{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def files(folder: Path) -> Iterator[Path]:
    """All files two folders below."""
    return (path for path in folder.glob("*/*/*") if path.is_file())


def failure(error: OSError) -> ApiError:
    """What the client is told when a file could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull()
    return StorageFailed(f"An image could not be written: {error.strerror}")


def write_file(path: Path, content: bytes, ts_ms: int) -> None:
    """Have a new file durably, whole or not at all; its time is that of its sample."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{uuid.uuid4().hex}")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.utime(file.fileno(), ns=(ts_ms * 1_000_000,) * 2)
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a new name in the folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
