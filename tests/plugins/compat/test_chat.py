"""The chat socket: accepted, held, and closed with 4001 for whoever may not have it."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus

from neomind_plugins.compat import chat
from neomind_plugins.compat import plugin as compat
from neomind_plugins.compat.chat import Chats, answers
from neomind_sdk import (
    Credentials,
    PlatformStopping,
    Plugin,
    Principal,
    Rejection,
    SessionEnded,
    hookimpl,
)
from neomind_sdk.testing import make_host

ANNA = Principal(kind="user", id="u1", name="anna", role="viewer", scopes=frozenset({"read"}), session="s1")
ANNA_ELSEWHERE = Principal(kind="user", id="u1", name="anna", role="viewer", scopes=frozenset({"read"}), session="s2")
KEY = Principal(kind="api_key", id="k1", name="script", scopes=frozenset())
SHARE = Principal(kind="share", id="x1", name="share", scopes=frozenset({"dashboards:read"}))


class Logins:
    """An auth scheme whose tokens a test can take away."""

    name = "fake"
    priority = 5
    openapi = {"type": "http", "scheme": "bearer"}

    def __init__(self):
        self.known = {"anna": ANNA, "anna2": ANNA_ELSEWHERE, "nmk_1": KEY, "ds_1": SHARE}

    async def authenticate(self, credentials: Credentials):
        shown = credentials.bearer or credentials.query.get("token") or credentials.query.get("api_key")
        return self.known.get(shown, Rejection("INVALID_TOKEN", "unknown")) if shown else None

    @hookimpl
    def neomind_auth_schemes(self, ctx):
        return [self]


@pytest.fixture
def logins():
    return Logins()


@pytest.fixture
async def host(logins):
    async with make_host(compat, Plugin(name="logins", summary="Tokens.", hooks=logins)) as host:
        yield host


@pytest.fixture
async def address(host):
    async with host.served() as address:
        yield f"{address}/api/chat"


@pytest.mark.parametrize("query", ["?token=anna", "?api_key=nmk_1"])
async def test_it_is_accepted_and_held(host, address, talk, query):
    client = await talk(address + query)
    first = await client.next()
    assert (first["type"], bool(first["sessionId"])) == ("system", True)
    assert (await client.next())["type"] == "ping"
    assert len(host.services[Chats]) == 1
    await host.clock.advance(chat.BEAT_S)
    assert (await client.next())["type"] == "ping"


async def test_by_header_and_with_a_session_of_its_own(address, talk):
    client = await talk(f"{address}?sessionId=s-7", authorization="Bearer anna")
    assert (await client.next())["sessionId"] == "s-7"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "Authentication required"),
        ("?token=nobody", "Invalid or expired token"),
        ("?token=", "Invalid or expired token"),
        ("?api_key=nobody", "Invalid API key"),
        ("?token=ds_1", "Invalid or expired token"),
    ],
)
async def test_who_may_not_have_it_is_told_to_stop_trying(host, address, talk, query, message):
    client = await talk(address + query)
    assert await client.next() == {"type": "Error", "message": message}
    assert await client.closed() == 4001
    assert len(host.services[Chats]) == 0


async def test_a_message_is_answered_so_that_nobody_waits(address, talk):
    client = await talk(f"{address}?token=anna&sessionId=s-7")
    await client.of("ping")
    for frame in (b"\x00", "no JSON", "[]", {"type": "pong"}, {"message": 7}, {"message": "/help"}):
        await client.say(frame)
    await client.say({"message": "How hot is it?"})
    assert (await client.next())["type"] == "Error"
    assert await client.next() == {"type": "end", "sessionId": "s-7"}
    await client.say({"message": "__CANCEL__"})
    assert (await client.next())["type"] == "cancelled"


def test_no_answer_sounds_like_a_lost_login():
    text = str(answers({"message": "x"}, "s")).lower()
    assert [word for word in ("token", "jwt", "authentication", "unauthorized", "denied") if word in text] == []


@pytest.mark.parametrize(("session", "ended"), [("s1", {"anna"}), (None, {"anna", "anna2"})])
async def test_it_ends_with_its_session(host, address, talk, session, ended):
    clients = {token: await talk(f"{address}?token={token}") for token in ("anna", "anna2")}
    for client in clients.values():
        await client.of("ping")
    host.bus.publish(SessionEnded(principal_id="u1", session=session))
    for token in ended:
        assert await clients[token].closed() == 4001
    await host.settle()
    assert len(host.services[Chats]) == 2 - len(ended)


async def test_it_ends_when_the_login_does_not_hold_any_more(host, logins, address, talk):
    client = await talk(f"{address}?token=anna")
    await client.of("ping")
    del logins.known["anna"]
    await host.clock.advance(chat.BEAT_S)
    assert await client.closed() == 4001


async def test_it_ends_when_the_platform_stops(host, address, talk):
    client = await talk(f"{address}?token=anna")
    await client.of("ping")
    host.bus.publish(PlatformStopping())
    assert await client.closed() == 1001


async def test_a_client_that_goes_is_forgotten(host, address, talk):
    client = await talk(f"{address}?token=anna")
    await client.of("ping")
    await client._socket.close()
    while len(host.services[Chats]):
        await host.settle()


async def test_there_is_an_end_to_it(host, monkeypatch, address, talk):
    monkeypatch.setattr(chat, "MAX_OPEN_OF_ONE", 1)
    first = await talk(f"{address}?token=anna")
    await first.of("ping")
    second = await talk(f"{address}?token=anna2")
    assert (await second.next())["type"] == "Error"
    assert await second.closed() == 1013
    other = await talk(f"{address}?api_key=nmk_1")
    assert (await other.next())["type"] == "system"


async def test_it_is_gone_without_compat(talk):
    async with make_host() as host, host.served() as address:
        with pytest.raises(InvalidStatus, match="404"):
            await talk(f"{address}/api/chat?token=anna")
