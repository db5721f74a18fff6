"""One message to an MQTT broker: connect, publish, wait until the broker has it, disconnect. MQTT 3.1.1."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import attrs

ANSWER_S = 10.0
CLOSE_S = 1.0
KEEP_ALIVE_S = 60
PACKET_MAX = 64 * 1024
CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, PINGRESP = 2, 3, 4, 5, 6, 7, 13
PACKET_ID = b"\x00\x01"
PING, DISCONNECT = b"\xc0\x00", b"\xe0\x00"
REFUSALS = {
    1: "the broker does not speak MQTT 3.1.1",
    2: "the broker refuses the client id",
    3: "the broker is not available",
    4: "the user name or password is wrong",
    5: "the broker does not authorize this client",
}


@attrs.frozen(kw_only=True)
class Login:
    client_id: str
    username: str | None = None
    password: str | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class Publication:
    topic: str
    payload: bytes
    qos: int = 1


async def publish(addresses: list[str], port: int, login: Login, message: Publication) -> None:
    """Returns when the broker has the message; raises ``ConnectionError`` with one sentence.

    ``addresses`` were checked; one after another is tried.
    """
    reader, writer = await _opened(addresses, port)
    try:
        async with asyncio.timeout(ANSWER_S):
            await _session(reader, writer, login, message)
    except TimeoutError as error:
        raise ConnectionError(f"the broker did not answer within {ANSWER_S:g} s") from error
    except asyncio.IncompleteReadError as error:
        raise ConnectionError("the broker closed the connection before it had the message") from error
    finally:
        writer.close()
        with suppress(OSError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), CLOSE_S)


async def _opened(addresses: list[str], port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reason = "it has no address"
    for address in addresses:
        try:
            async with asyncio.timeout(ANSWER_S / len(addresses)):
                return await asyncio.open_connection(address, port)
        except TimeoutError:
            reason = "it did not answer in time"
        except OSError as error:
            reason = (error.strerror or str(error) or type(error).__name__).partition(" (")[0]
    raise ConnectionError(f"the broker cannot be connected to: {reason}")


async def _session(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, login: Login, message: Publication
) -> None:
    writer.write(_connect(login))
    answer = await _expect(reader, CONNACK)
    if answer[1:2] != b"\x00":
        code = answer[1] if len(answer) > 1 else -1
        raise ConnectionError(REFUSALS.get(code, f"the broker refused with code {code}"))
    writer.write(_publish(message))
    await writer.drain()
    if message.qos == 1:
        await _expect(reader, PUBACK)
    elif message.qos == 2:
        await _expect(reader, PUBREC)
        writer.write(_packet(PUBREL << 4 | 0x02, PACKET_ID))
        await _expect(reader, PUBCOMP)
    else:  # a broker reads in order, so one that answers to what came later has the message
        writer.write(PING)
        await _expect(reader, PINGRESP)
    writer.write(DISCONNECT)
    await writer.drain()


async def _expect(reader: asyncio.StreamReader, kind: int) -> bytes:
    """The body of the next packet, which must be of this kind."""
    first, length, shift = (await reader.readexactly(1))[0], 0, 0
    while True:
        digit = (await reader.readexactly(1))[0]
        length |= (digit & 0x7F) << shift
        shift += 7
        if not digit & 0x80:
            break
        if shift > 21:
            raise ConnectionError("what answers is no MQTT broker")
    if first >> 4 != kind or length > PACKET_MAX:
        raise ConnectionError("what answers is no MQTT broker, or one that does not keep to MQTT 3.1.1")
    return await reader.readexactly(length)


def _connect(login: Login) -> bytes:
    named, secret = login.username is not None, login.username is not None and login.password is not None
    flags = 0x02 | (0x80 if named else 0) | (0x40 if secret else 0)
    words = [login.client_id, *([login.username] if named else []), *([login.password] if secret else [])]
    head = _text("MQTT") + bytes((4, flags)) + KEEP_ALIVE_S.to_bytes(2, "big")
    return _packet(0x10, head + b"".join(_text(word or "") for word in words))


def _publish(message: Publication) -> bytes:
    ident = PACKET_ID if message.qos else b""
    return _packet(PUBLISH << 4 | message.qos << 1, _text(message.topic) + ident + message.payload)


def _text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def _packet(first: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray()
    while True:
        length, digit = length >> 7, length & 0x7F
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes((first,)) + bytes(digits) + body
