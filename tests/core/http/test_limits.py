"""Who asks too often waits; nobody else does."""

from __future__ import annotations

import pytest

from neomind_core.host.config import HostConfig
from neomind_core.host.http import limiting
from neomind_core.host.http.app import HttpConfig
from neomind_core.host.http.limiting import Limiter, network_of
from neomind_sdk import AUTHENTICATED, ApiError, RateLimit
from neomind_sdk.testing import VirtualClock

THREE = RateLimit(hits=3, seconds=60)


async def statuses(client, count, path="/api/trial", **more):
    return [(await client.get(path, **more)).status_code for _ in range(count)]


async def test_by_address(edge, answered):
    async with edge.serving(edge.route(limit=THREE)) as host:
        one, other = host.client(None, address="192.0.2.1"), host.client("admin", address="192.0.2.2")
        assert await statuses(one, 3) == [200] * 3
        await host.clock.advance(10.5)
        answer = await one.get("/api/trial")
        assert answered(answer) == (429, "RATE_LIMITED")
        assert answer.headers["retry-after"] == "50"
        assert await statuses(other, 3) == [200] * 3
        await host.clock.advance(49.5)
        assert await statuses(one, 4) == [200] * 3 + [429]


async def test_who_is_refused_is_not_counted(edge):
    async with edge.serving(edge.route(limit=THREE)) as host:
        client = host.client(None)
        assert await statuses(client, 10) == [200] * 3 + [429] * 7
        await host.clock.advance(60)
        assert await statuses(client, 1) == [200]


async def test_failures_count_too(edge):
    route = edge.route(method="POST", limit=THREE, body_required=True)
    async with edge.serving(route) as host:
        client = host.client(None)
        assert [(await client.post("/api/trial")).status_code for _ in range(4)] == [400] * 3 + [429]


async def test_each_route_has_its_own(edge):
    routes = [edge.route(limit=THREE), edge.route(limit=THREE, path="/other"), edge.route(path="/free")]
    async with edge.serving(*routes) as host:
        client = host.client(None)
        assert await statuses(client, 4) == [200] * 3 + [429]
        assert await statuses(client, 4, "/api/other") == [200] * 3 + [429]
        assert await statuses(client, 9, "/api/free") == [200] * 9


async def test_by_caller(edge):
    limit = RateLimit(hits=2, per="caller")
    async with edge.serving(edge.route(limit=limit, scope=AUTHENTICATED)) as host:
        for address in ("192.0.2.1", "192.0.2.2"):
            assert await statuses(host.client(None, address=address), 3) == [401] * 3
        assert await statuses(host.client("admin", address="192.0.2.1"), 1) == [200]
        assert await statuses(host.client("admin", address="192.0.2.2"), 2) == [200, 429]
        assert await statuses(host.client("viewer", address="192.0.2.1"), 3) == [200, 200, 429]


@pytest.mark.parametrize("identify", [True, False])
async def test_callers_nobody_knows_are_told_apart_by_address(edge, identify):
    limit = RateLimit(hits=2, per="caller")
    async with edge.serving(edge.route(limit=limit, identify=identify)) as host:
        assert await statuses(host.client(None, address="192.0.2.1"), 3) == [200, 200, 429]
        assert await statuses(host.client(None, address="192.0.2.2"), 3) == [200, 200, 429]


async def test_the_ceiling_over_all_routes(edge, answered):
    config = HostConfig(http=HttpConfig(requests_per_minute=4))
    async with edge.serving(edge.route(), edge.route(path="/other"), config=config) as host:
        client = host.client("admin", address="192.0.2.1")
        assert await statuses(client, 2) + await statuses(client, 1, "/api/other") == [200] * 3
        assert await statuses(client, 2, "/api/nothing") == [404, 429]
        assert answered(await client.get("/api/other")) == (429, "RATE_LIMITED")
        assert await statuses(host.client(None, address="192.0.2.2"), 1) == [200]
        await host.clock.advance(60)
        assert await statuses(client, 1) == [200]


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", "unix"),
        ("1.2.3.4.5", "1.2.3.4.5"),
    ],
)
def test_networks(client, network):
    assert network_of(client) == network


async def test_a_household_is_one_client(edge):
    async with edge.serving(edge.route(limit=THREE)) as host:
        for last in range(1, 4):
            assert await statuses(host.client(None, address=f"2001:db8::{last}"), 1) == [200]
        assert await statuses(host.client(None, address="2001:db8::ff"), 1) == [429]
        assert await statuses(host.client(None, address="2001:db8:0:1::1"), 1) == [200]


async def test_a_clock_that_is_set_locks_nobody_out(edge):
    async with edge.serving(edge.route(limit=THREE)) as host:
        client = host.client(None)
        for jump in (-86_400_000, 86_400_000):
            assert await statuses(client, 4) == [200] * 3 + [429]
            host.clock.jump_ms(jump)
            assert await statuses(client, 1) == [429]
            await host.clock.advance(60)


async def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(limiting, "MAX_CLIENTS", 10)
    limiter = Limiter(VirtualClock())
    limiter.hit("r", RateLimit(hits=2), "busy")
    for number in range(100):
        limiter.hit("r", RateLimit(hits=1), str(number))
        if number == 5:
            limiter.hit("r", RateLimit(hits=2), "busy")
    assert len(limiter._windows) == 10
    with pytest.raises(ApiError):
        limiter.hit("r", RateLimit(hits=1), "99")
    limiter.hit("r", RateLimit(hits=1), "0")
