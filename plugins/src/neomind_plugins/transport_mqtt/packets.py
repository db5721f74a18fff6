"""The packets of MQTT 3.1.1 that a client of QoS 0 and 1 needs: made, and taken out of whole socket buffers."""

from __future__ import annotations

from typing import NamedTuple

import attrs

CONNACK, PUBLISH, PUBACK, SUBACK, UNSUBACK, PINGRESP = 2, 3, 4, 9, 11, 13
RETAIN, QOS1, DUP = 0x01, 0x02, 0x08
QOS_BITS = 0x06
PING = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
REFUSED = 0x80
MAX_PACKET = 16 * 1024 * 1024
_MOST_LENGTH_BYTES = 4


class ProtocolError(ConnectionError):
    """What came is no MQTT 3.1.1; the connection is of no use any more."""


class Message(NamedTuple):
    """A PUBLISH. ``packet_id`` is 0 for QoS 0; ``payload`` is ``None`` when it was larger than is taken."""

    topic: bytes
    payload: bytes | None
    flags: int
    packet_id: int


class Control(NamedTuple):
    """Any other packet."""

    kind: int
    body: bytes


@attrs.define
class Parser:
    """Takes a stream apart. Bytes of a packet that is not complete yet are kept, not copied again with each chunk."""

    max_packet: int = MAX_PACKET
    _chunks: list[bytes] = attrs.field(factory=list)
    _size: int = 0
    _wanted: int = 2
    _skip: int = 0

    def feed(self, data: bytes, messages: list[Message], controls: list[Control]) -> None:
        """Append the packets that are complete with ``data``; raises ``ProtocolError``."""
        if self._skip:
            data = self._skipped(data)
        if self._chunks or len(data) < self._wanted:
            self._chunks.append(data)
            self._size += len(data)
            if self._size < self._wanted:
                return
            data = b"".join(self._chunks)
            self._chunks.clear()
        rest = self._parse(data, messages, controls)
        self._chunks = [data[rest:]] if rest < len(data) else []
        self._size = len(data) - rest

    def _skipped(self, data: bytes) -> bytes:
        cut = min(self._skip, len(data))
        self._skip -= cut
        return data[cut:]

    def _parse(self, data: bytes, messages: list[Message], controls: list[Control]) -> int:
        """Where the first packet that is not complete begins."""
        position, size = 0, len(data)
        self._wanted = 2
        while size - position >= 2:
            first, length, start = data[position], data[position + 1], position + 2
            if length > 0x7F:
                length, start = remaining_length(data, position + 1)
                if start < 0:  # its last byte is still to come
                    self._wanted = size - position + 1
                    break
            end = start + length
            if length > self.max_packet:
                if not self._too_large(first, data, start, end, messages):
                    self._wanted = size - position + 1
                    break
                self._skip = max(0, end - size)
                position = min(end, size)
                continue
            if end > size:
                self._wanted = end - position
                break
            if first >> 4 == PUBLISH:
                messages.append(publish_of(first, data, start, end))
            else:
                controls.append(Control(first >> 4, data[start:end]))
            position = end
        return position

    def _too_large(self, first: int, data: bytes, start: int, end: int, messages: list[Message]) -> bool:
        """Note the head of a message whose payload is thrown away; ``False`` while the head is not complete."""
        if first >> 4 != PUBLISH:
            raise ProtocolError(f"a packet of kind {first >> 4} with {end - start} bytes")
        if len(data) < start + 2:
            return False
        head = start + 4 + int.from_bytes(data[start : start + 2], "big")
        if len(data) < head:
            return False
        messages.append(publish_of(first, data, start, max(head, start))._replace(payload=None))
        return True


def publish_of(first: int, data: bytes, start: int, end: int) -> Message:
    """The PUBLISH whose variable header and payload are ``data[start:end]``."""
    middle = start + 2 + (data[start] << 8) + data[start + 1] if end - start >= 2 else end + 1
    qos = first & QOS_BITS
    after = middle + 2 if qos else middle
    if after > end or qos > QOS1:
        raise ProtocolError("a PUBLISH that cannot be read, or of QoS 2, which nobody asked for")
    packet_id = (data[middle] << 8) + data[middle + 1] if qos else 0
    return Message(data[start + 2 : middle], data[after:end], first & 0x0F, packet_id)


def remaining_length(data: bytes, position: int) -> tuple[int, int]:
    """The number that begins at ``position`` and where it ends; ``(0, -1)`` when it is not complete."""
    value = 0
    for count, byte in enumerate(data[position : position + _MOST_LENGTH_BYTES]):
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, position + count + 1
    if len(data) - position >= _MOST_LENGTH_BYTES:
        raise ProtocolError("a packet length of more than four bytes")
    return 0, -1


# ---- made


@attrs.frozen(kw_only=True)
class Login:
    """What a CONNECT says. ``clean`` false: the broker keeps what comes while the client is away."""

    client_id: str
    username: str | None = None
    password: str | None = attrs.field(default=None, repr=False)
    keep_alive_s: int = 30
    clean: bool = False


def connect(login: Login) -> bytes:
    flags = (0x80 if login.username is not None else 0) | (0x40 if login.password is not None else 0)
    flags |= 0x02 if login.clean else 0
    head = text("MQTT") + bytes((4, flags)) + login.keep_alive_s.to_bytes(2, "big")
    words = [word for word in (login.username, login.password) if word is not None]
    return packet(0x10, head + text(login.client_id) + b"".join(map(text, words)))


def publish(topic: str, payload: bytes, packet_id: int, *, retain: bool = False) -> bytes:
    """At QoS 1."""
    return packet(0x30 | QOS1 | int(retain), text(topic) + packet_id.to_bytes(2, "big") + payload)


def subscribe(packet_id: int, filters: list[tuple[str, int]]) -> bytes:
    return packet(0x82, packet_id.to_bytes(2, "big") + b"".join(text(one) + bytes((qos,)) for one, qos in filters))


def unsubscribe(packet_id: int, filters: list[str]) -> bytes:
    return packet(0xA2, packet_id.to_bytes(2, "big") + b"".join(map(text, filters)))


def pubacks(packet_ids: list[int]) -> bytes:
    """Several PUBACKs in one piece, in the order given."""
    return b"".join([b"\x40\x02" + packet_id.to_bytes(2, "big") for packet_id in packet_ids])


def text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def packet(first: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray()
    while True:
        length, digit = length >> 7, length & 0x7F
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes((first,)) + bytes(digits) + body
