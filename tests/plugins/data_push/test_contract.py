"""What every plugin must keep to, and what every type of target must."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.data_push import hooks
from neomind_plugins.data_push import plugin as data_push
from neomind_plugins.data_push.mqtt import MqttTarget
from neomind_plugins.data_push.webhook import WebhookTarget
from neomind_sdk import Egress, EgressFailed
from neomind_sdk.testing import FakeEgress
from neomind_sdk.testing.suites import (
    FromHook,
    JobContract,
    ListenerContract,
    PushTargetContract,
    RouteContract,
    ServiceContract,
    SettingsContract,
    TablesContract,
)

from .conftest import TOKEN, pushing

SECRET = "whsec_" + "c2VjcmV0" * 4


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Any]:
    async with pushing(tmp_path) as push:
        yield push.host.context(data_push.name)


class TestRoutes(FromHook, RouteContract):
    hook = hooks.neomind_routes


class TestServices(FromHook, ServiceContract):
    hook = hooks.neomind_services


class TestSettings(FromHook, SettingsContract):
    hook = hooks.neomind_settings


class TestTables(FromHook, TablesContract):
    hook = hooks.neomind_tables


class TestJobs(FromHook, JobContract):
    hook = hooks.neomind_jobs


class TestListeners(FromHook, ListenerContract):
    hook = hooks.neomind_listeners


class TestWebhook(PushTargetContract):
    config = {
        "url": "https://cloud.example/in",
        "headers": {"X-Team": "ops"},
        "auth_token": TOKEN,
        "auth_basic": {"username": "anna", "password": "only-known-to-us"},
        "secret": SECRET,
        "timeout_secs": 5,
    }

    def make(self) -> WebhookTarget:
        return WebhookTarget()

    async def test_what_is_asked_of_egress(self, subject: Any, egress: FakeEgress) -> None:
        await self.attempt(subject, egress)
        sent = egress.requests[0]
        assert (sent.method, sent.url, sent.trust, sent.timeout_s) == ("POST", self.config["url"], "admin", 5)
        assert sent.headers["x-neomind-hops"] == "0"

    @pytest.mark.parametrize("status", [429, 503])
    async def test_who_is_busy_and_does_not_say_how_long(self, subject: Any, egress: FakeEgress, status: int) -> None:
        egress.answer(status)
        assert (await self.attempt(subject, egress)).retry_after == 60


class TestMqtt(PushTargetContract):
    """A broker on loopback hands each message to the egress of the suite, and acknowledges what that takes."""

    config = {"broker": "127.0.0.1", "port": 1, "topic": "a", "username": "anna", "password": TOKEN}

    def make(self) -> MqttTarget:
        return MqttTarget()

    def make_egress(self) -> FakeEgress:
        self.current = FakeEgress()
        return self.current

    @pytest.fixture(autouse=True)
    async def broker(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        type(self).config = {**self.config, "port": server.sockets[0].getsockname()[1]}
        yield
        server.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await packet(reader)
            writer.write(b"\x20\x02\x00\x00")
            content = (await packet(reader))[1]
            egress: Egress = self.current
            answer = await egress.request("POST", "mqtt://broker", content=content[5:])  # behind topic and packet id
            if answer.status < 300:
                writer.write(b"\x40\x02\x00\x01")
                await reader.read()
        except (EgressFailed, asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def test_gone_is_said(self, subject: Any, egress: FakeEgress) -> None:
        """MQTT has no word for it."""
        egress.answer(410)
        delivery = await self.attempt(subject, egress)
        assert (delivery.ok, delivery.retry, delivery.gone) == (False, True, False)

    async def test_too_many_requests_says_how_long_to_wait(self, subject: Any, egress: FakeEgress) -> None:
        """MQTT does not say how long."""
        egress.answer(429)
        delivery = await self.attempt(subject, egress)
        assert (delivery.ok, delivery.retry, delivery.retry_after) == (False, True, None)


async def packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, length, shift = (await reader.readexactly(1))[0], 0, 0
    while True:
        digit = (await reader.readexactly(1))[0]
        length |= (digit & 0x7F) << shift
        shift += 7
        if digit < 0x80:
            return first, await reader.readexactly(length)
