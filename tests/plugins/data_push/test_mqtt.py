"""Values arrive at a broker: a real one, at every quality of service, and one that does as the test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.data_push import publisher
from neomind_plugins.data_push.publisher import Login, Publication, publish

from ...bench.mosquitto import Mosquitto, binary, free_port, running
from ..transport_mqtt.clients import device, eventually
from .conftest import TOKEN, becomes, pushing

NO_MOSQUITTO = "Mosquitto is not installed (Debian: apt-get install mosquitto)"
LOGIN = Login(client_id="test")
MESSAGE = Publication(topic="a/b", payload=b"hello")
CONNACK, PUBACK = b"\x20\x02\x00\x00", b"\x40\x02\x00\x01"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Any:
    if binary() is None:
        pytest.skip(NO_MOSQUITTO)
    with running(tmp_path / "mosquitto") as broker:
        yield broker


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_values_arrive(tmp_path: Path, mosquitto: Mosquitto, qos: int) -> None:
    with device(mosquitto.port, "listener") as listener:
        await asyncio.to_thread(listener.listen, "cloud/#")
        async with pushing(tmp_path / "data") as push:
            config = {"broker": "127.0.0.1", "port": mosquitto.port, "topic": "cloud/boiler", "qos": qos}
            ident = await push.create(target_type="mqtt", config=config)
            await push.store(20.5, 21)
            rows = await push.ended(ident, 2)
        assert [row["status"] for row in rows] == ["success", "success"]
        await eventually(lambda: len(listener.received) == 2)
    assert [(topic, json.loads(body)["value"]) for topic, body in listener.received] == [
        ("cloud/boiler", 20.5),
        ("cloud/boiler", 21),
    ]


async def test_a_broker_that_is_away_is_tried_again(tmp_path: Path, mosquitto: Mosquitto) -> None:
    port = free_port()
    async with pushing(tmp_path / "data") as push:
        config = {"broker": "127.0.0.1", "port": port, "topic": "a"}
        ident = await push.create(target_type="mqtt", config=config)
        await push.store(1)

        async def failed() -> bool:
            return (await push.logs(ident))["logs"][0]["error"] is not None

        await becomes(failed)
        row = (await push.logs(ident))["logs"][0]
        assert (row["status"], "cannot be connected to" in row["error"]) == ("retrying", True)
        await push.put(ident, config={"port": mosquitto.port})
        assert [row["status"] for row in await push.ended(ident)] == ["success"]


# ---- a broker of our own making ----


@asynccontextmanager
async def broker(*answers: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Answers each packet in turn, and closes when there is no answer left."""
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            got.append(await packet(reader))
            writer.write(answer)
            await writer.drain()
        if not answers or answers[-1]:
            got.append(await reader.read())
        else:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], got
    finally:
        server.close()


async def packet(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(2)
    return head + await reader.readexactly(head[1])


async def test_what_is_said_byte_for_byte() -> None:
    login = Login(client_id="me", username="anna", password="pw")
    async with broker(CONNACK, PUBACK) as (port, got):
        await publish(["127.0.0.1"], port, login, MESSAGE)
        await eventually(lambda: len(got) == 3)
    assert got == [
        b"\x10\x18\x00\x04MQTT\x04\xc2\x00\x3c\x00\x02me\x00\x04anna\x00\x02pw",
        b"\x32\x0c\x00\x03a/b\x00\x01hello",
        b"\xe0\x00",
    ]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ((b"\x20\x02\x00\x05",), "does not authorize"),
        ((b"\x20\x02\x00\x04",), "wrong"),
        ((b"\x20\x02\x00\x63",), "code 99"),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), "no MQTT broker"),
        ((b"\x20\xff\xff\xff\xff\x7f",), "no MQTT broker"),
        ((b"\x20\x00",), "refused"),
    ],
)
async def test_a_broker_that_refuses(answers: tuple[bytes, ...], said: str) -> None:
    async with broker(*answers) as (port, _):
        with pytest.raises(ConnectionError, match=said):
            await publish(["127.0.0.1"], port, LOGIN, MESSAGE)


async def test_a_broker_that_never_acknowledges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "ANSWER_S", 0.2)
    async with broker(CONNACK, b"") as (port, got):
        with pytest.raises(ConnectionError, match="did not answer"):
            await publish(["127.0.0.1"], port, LOGIN, MESSAGE)
        assert len(got) == 2


async def test_the_second_address_is_tried() -> None:
    async with broker(CONNACK, PUBACK) as (port, got):
        await publish(["127.0.0.9", "127.0.0.1"], port, LOGIN, MESSAGE)
        assert got


async def test_the_password_is_in_no_repr(tmp_path: Path) -> None:
    assert TOKEN not in repr(Login(client_id="a", username="b", password=TOKEN))
    async with pushing(tmp_path) as push:
        config = {"broker": "127.0.0.1", "port": 1, "topic": "a", "username": "b", "password": TOKEN}
        ident = await push.create(target_type="mqtt", config=config)
        shown = (await push.show(ident))["config"]
        assert (shown["password"], shown["username"], shown["client_id"]) == ("***", "b", "neomind-push")
