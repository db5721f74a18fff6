"""Which messages of a session were stored, so that those the broker sends a second time are not stored twice.

The broker sends a QoS 1 message again, with its packet id and the DUP flag, when it did not get our acknowledgement:
the connection or the platform ended in between. What came under each packet id is written into a file that is mapped
into memory, before the message is stored, and marked once it is. Writing there is a memory access; the pages survive
the end of the process, and ``kill -9``. They need not survive a power cut: then a few messages may be stored twice.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

from .packets import Message

PACKET_IDS = 65_536
_ENTRY = struct.Struct("<QQ")


class Mark(NamedTuple):
    """When a message came, and whether it is stored for certain."""

    ts_ms: int
    stored: bool


class Seen:
    """The packet ids of one session. Opening blocks on the disk."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._used = os.fstat(handle).st_size > 0
            os.ftruncate(handle, PACKET_IDS * _ENTRY.size)  # a file with holes: it takes what was written only
            self._map = mmap.mmap(handle, PACKET_IDS * _ENTRY.size)
        finally:
            os.close(handle)

    def begin(self, packet_id: int, digest: int, ts_ms: int) -> None:
        """A message is about to be stored with the time ``ts_ms``."""
        self._used = True
        _ENTRY.pack_into(self._map, packet_id * _ENTRY.size, digest, ts_ms << 1)

    def finish(self, packet_ids: list[int]) -> None:
        """They are stored, or will never be."""
        for packet_id in packet_ids:
            self._map[packet_id * _ENTRY.size + 8] |= 1

    def find(self, packet_id: int, digest: int) -> Mark | None:
        """What is known of the message; ``None`` when it did not come before."""
        known, value = _ENTRY.unpack_from(self._map, packet_id * _ENTRY.size)
        return Mark(value >> 1, bool(value & 1)) if value and known == digest else None

    def forget(self) -> None:
        """The broker lost the session: its packet ids begin anew."""
        if self._used:
            self._map[:] = bytes(len(self._map))
            self._used = False

    def close(self) -> None:
        self._map.close()


def digest_of(message: Message) -> int:
    """Tells messages of one packet id apart; the id and the DUP flag have to fit too, so this need not be strong."""
    payload = message.payload or b""
    return zlib.crc32(payload, zlib.crc32(message.topic)) << 32 | len(payload)
