"""What was checked is what is connected to, whatever names say the next time."""

from __future__ import annotations

import pytest

from neomind_core.contracts import ADMIN_TARGET, UNTRUSTED, EgressBlocked

PUBLIC = "93.184.216.34"


class Rebinding:
    """A name server that answers differently each time."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host, port):
        self.asked += 1
        return self.answers.pop(0)


@pytest.fixture
def rebind(make_egress):
    def make(*answers):
        egress = make_egress()
        egress._resolve = Rebinding(*answers)
        return egress

    return make


async def test_a_name_is_asked_once_per_request(rebind, detour, server):
    detour.to |= {PUBLIC: server.port}
    egress = rebind([PUBLIC], ["127.0.0.1"])
    await egress.request("GET", "http://rebind.example/")
    assert detour.dialed == [(PUBLIC, 80)]
    assert egress._resolve.asked == 1


async def test_the_next_request_is_checked_again(rebind, detour, server):
    detour.to |= {PUBLIC: server.port, "127.0.0.1": server.port}
    egress = rebind([PUBLIC], ["127.0.0.1"])
    await egress.request("GET", "http://rebind.example/")
    with pytest.raises(EgressBlocked):
        await egress.request("GET", "http://rebind.example/")
    assert detour.dialed == [(PUBLIC, 80)]


async def test_a_kept_connection_serves_only_the_address_that_was_checked(rebind, detour, server, other):
    detour.to |= {PUBLIC: server.port, "1.1.1.1": other.port}
    other.answer(200, b"other")
    egress = rebind([PUBLIC], ["1.1.1.1"], [PUBLIC])
    bodies = [(await egress.request("GET", "http://rebind.example/")).body for _ in range(3)]
    assert bodies == [b"ok", b"other", b"ok"]
    assert (server.connections, other.connections) == (1, 1)


async def test_a_connection_an_administrator_opened_does_not_serve_others(make_egress, names, detour, server):
    names.table["box.example"] = ["192.168.0.20"]
    detour.to["192.168.0.20"] = server.port
    egress = make_egress()
    await egress.request("GET", "http://box.example/", trust=ADMIN_TARGET)
    with pytest.raises(EgressBlocked):
        await egress.request("GET", "http://box.example/", trust=UNTRUSTED)
    assert len(server.received) == 1


async def test_a_kept_connection_to_ourselves_does_not_open_the_webhook(rebind, detour, server):
    detour.to["127.0.0.1"] = server.port
    egress = rebind(["127.0.0.1"], ["127.0.0.1"], ["192.168.0.20"])
    await egress.request("GET", "http://me.example:9375/api/health", trust=ADMIN_TARGET)
    with pytest.raises(EgressBlocked, match="feed itself"):
        await egress.request("POST", "http://me.example:9375/api/devices/x/webhook", trust=ADMIN_TARGET)
    with pytest.raises(Exception, match="cannot be connected to"):
        await egress.request("POST", "http://me.example:9375/api/devices/x/webhook", trust=ADMIN_TARGET)
    assert [request.path for request in server.received] == ["/api/health"]


async def test_connections_are_kept(make_egress, names, detour, server):
    names.table["one.example"] = [PUBLIC]
    detour.to[PUBLIC] = server.port
    egress = make_egress()
    for _ in range(3):
        await egress.request("GET", "http://one.example/")
    assert (server.connections, len(server.received)) == (1, 3)


async def test_the_second_address_is_tried_when_the_first_refuses(make_egress, names, detour, server):
    names.table["two.example"] = ["2606:2800:220:1::1", PUBLIC]
    detour.to[PUBLIC] = server.port
    assert (await make_egress().request("GET", "http://two.example/")).body == b"ok"
    assert detour.dialed == [("2606:2800:220:1::1", 80), (PUBLIC, 80)]
