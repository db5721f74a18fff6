"""Channels to where nobody may send: refused when they are saved or when they send, and nothing is connected to."""

from __future__ import annotations

import asyncio
import importlib
import re
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

from neomind_core.host.egress import HttpEgress
from neomind_core.host.egress_policy import EgressConfig
from neomind_plugins.messages import plugin as messages
from neomind_plugins.outbox import plugin as outbox
from neomind_sdk import EgressBlocked, EgressFailed, OutgoingMessage, Platform, SendTools, ValidationFailed
from neomind_sdk.schema import structure
from neomind_sdk.testing import make_host, needs

from ..core.egress.conftest import OWN_PORT, Detour, Names
from ..core.egress.test_forbidden import NEVER, TABLE

pytestmark = needs("messages", "outbox")
MESSAGE = OutgoingMessage(id="m-1", title="Hot", message="81.5 °C")
ENOUGH = 70
PLACE = re.compile(r"https?://(?:\[([^]]+)]|([^]/:@\\[]+))(?::(\d+))?/")


def base_url(**secrets: Any) -> Callable[[str], Mapping[str, Any]]:
    """The type has a service of its own, and ``base_url`` is another one."""
    return lambda url: {**secrets, "base_url": url}


def mail(url: str) -> Mapping[str, Any]:
    place = PLACE.match(url)
    assert place is not None
    bracketed, plain, port = place.groups()
    server = {"smtp_server": bracketed or plain, "smtp_port": int(port or 25)}
    return {**server, "from_address": "neomind@example.com", "recipients": ["ops@example.com"]}


def hosts() -> list[str]:
    """The spellings of hosts, without those of which only the rest of the URL is forbidden."""
    return [url for url in NEVER if PLACE.match(url) and "example.com" not in url and "[1.2.3.4]" not in url]


def of_services() -> list[str]:
    """Nothing is no target: it stands for the service of the type."""
    return [url for url in NEVER if url]


@attrs.frozen
class Kind:
    """A type of channel: the values of its configuration for a target, and the targets to try."""

    values: Callable[[str], Mapping[str, Any]]
    urls: list[str]


KINDS = {
    "webhook": Kind(lambda url: {"url": url}, NEVER),
    "slack": Kind(lambda url: {"webhook_url": url}, NEVER),
    "telegram": Kind(base_url(token="123456:abcdefghijklmnopqrstuvwxyz", chat_id="42"), of_services()),
    "wecom": Kind(base_url(key="k-123"), of_services()),
    "dingtalk": Kind(base_url(access_token="t-123"), of_services()),
    "feishu": Kind(base_url(hook_id="h-123"), of_services()),
    "email": Kind(mail, hosts()),
}
EVERY = [pytest.param(kind, marks=needs(f"channel_{kind}")) for kind in KINDS]


class Office:
    """A host with one type of channel, on the real egress, whose resolver and dialer are the test's."""

    def __init__(self, host: Any, kind: str, names: Names, detour: Detour) -> None:
        self.api = host.client()
        self.kind = kind
        self.names = names
        self.detour = detour
        self.tools = SendTools(egress=host.host.egress, clock=host.clock, delivery_id="msg_1")
        types = host.services[Platform].contributions("channels")
        self.type = next(item for _, item in types if item.name == kind)

    async def save(self, values: Mapping[str, Any]) -> Any:
        return await self.api.post("/api/messages/channels", json={"name": "x", "channel_type": self.kind, **values})

    async def send(self, values: Mapping[str, Any]) -> str | None:
        """Why it could not be sent, even if it had been saved somehow; ``None`` when it was let through."""
        try:
            config = structure(self.type.config, values)
            return None if await self.type.send(config, MESSAGE, self.tools) else ""
        except (EgressBlocked, ValidationFailed) as error:
            return error.message
        except EgressFailed as error:  # a spelling that no resolver understands, either
            return str(error) if "has no address" in str(error) else None


@asynccontextmanager
async def office_with(kind: str) -> AsyncIterator[Office]:
    names, detour = Names({**TABLE}), Detour()
    egress = HttpEgress(EgressConfig(), lambda: ("0.0.0.0", OWN_PORT), resolve=names, backend=detour)
    extension = importlib.import_module(f"neomind_channel_{kind}").plugin
    try:
        async with make_host(messages, outbox, extension, egress=egress) as host:
            yield Office(host, kind, names, detour)
    finally:
        await egress.close()


@pytest.fixture
def dialed_for_mail(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The addresses that a mail server was connected to; names are those of the table, and nobody is asked."""
    client = pytest.importorskip("neomind_channel_email.smtp")
    dialed: list[Any] = []

    async def resolve(_loop: Any, host: str, port: int, **_: Any) -> list[Any]:
        found = TABLE.get(host) or [host]
        return [info for each in found for info in socket.getaddrinfo(each, port, type=1, flags=socket.AI_NUMERICHOST)]

    async def dial(_family: int, address: Any) -> Any:
        dialed.append(address)
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolve)
    monkeypatch.setattr(client, "_dial", dial)
    return dialed


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_enough_spellings(kind: str) -> None:
    assert len(set(KINDS[kind].urls)) >= ENOUGH


@pytest.mark.parametrize("kind", EVERY)
async def test_it_cannot_be_saved(kind: str) -> None:
    async with office_with(kind) as office:
        answers = {url: await office.save(KINDS[kind].values(url)) for url in KINDS[kind].urls}
        assert {url: answer.text for url, answer in answers.items() if answer.status_code not in (400, 422)} == {}
        codes = {answer.json()["error"]["code"] for answer in answers.values()}
        assert codes == {"EGRESS_BLOCKED", "VALIDATION_ERROR"}
        assert office.detour.dialed == []
        assert (await office.api.get("/api/messages/channels")).json()["data"]["count"] == 0


@pytest.mark.parametrize("kind", EVERY)
async def test_what_was_saved_somehow_sends_nothing(kind: str, request: pytest.FixtureRequest) -> None:
    mails = request.getfixturevalue("dialed_for_mail") if kind == "email" else []
    async with office_with(kind) as office:
        reasons = {url: await office.send(KINDS[kind].values(url)) for url in KINDS[kind].urls}
        assert [url for url, reason in reasons.items() if reason is None] == []
        assert (office.detour.dialed, mails) == ([], [])


@pytest.mark.parametrize("kind", EVERY)
async def test_a_target_in_the_lan_may_be_saved_and_is_connected_to(kind: str, request: pytest.FixtureRequest) -> None:
    """Negative control: what administrators choose reaches the LAN."""
    mails = request.getfixturevalue("dialed_for_mail") if kind == "email" else []
    values = KINDS[kind].values("http://inside.example:2525/")
    async with office_with(kind) as office:
        assert (await office.save(values)).status_code == 200
        with pytest.raises(EgressFailed, match="refused"):
            await office.type.send(structure(office.type.config, values), MESSAGE, office.tools)
        assert [*office.detour.dialed, *mails] == [("192.168.0.10", 2525)]
