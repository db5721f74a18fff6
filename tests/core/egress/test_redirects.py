"""Redirects are followed by hand, checked again, and carry no credentials to another origin."""

from __future__ import annotations

import pytest

from neomind_core.contracts import ADMIN_TARGET, EgressBlocked, EgressFailed

PUBLIC, ALSO_PUBLIC = "93.184.216.34", "1.1.1.1"


@pytest.fixture
def egress(make_egress, names, detour, server, other):
    names.table |= {"first.example": [PUBLIC], "second.example": [ALSO_PUBLIC], "inside.example": ["192.168.0.10"]}
    detour.to |= {PUBLIC: server.port, ALSO_PUBLIC: other.port, "192.168.0.10": other.port, "127.0.0.1": other.port}
    return make_egress()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_get_follows(egress, server, other, status):
    server.answer(status, location="http://second.example/there?x=1")
    other.answer(200, b"arrived")
    assert (await egress.request("GET", "http://first.example/")).body == b"arrived"
    assert other.received[0].path == "/there?x=1"
    assert other.received[0].headers["host"] == "second.example"


async def test_relative_locations_stay_on_the_host(egress, server):
    async def handle(request, writer):
        at_start = request.path == "/a/b"
        head = b"HTTP/1.1 302 X\r\nlocation: ../c\r\n" if at_start else b"HTTP/1.1 200 X\r\n"
        writer.write(head + b"content-length: 0\r\n\r\n")

    server.handle = handle
    await egress.request("GET", "http://first.example/a/b", headers={"Authorization": "Bearer t"})
    assert [request.path for request in server.received] == ["/a/b", "/c"]
    assert server.received[1].headers["authorization"] == "Bearer t"


@pytest.mark.parametrize("status", [307, 308])
async def test_method_and_body_survive_where_the_status_says_so(egress, server, other, status):
    server.answer(status, location="http://second.example/")
    await egress.request("PUT", "http://first.example/", json={"a": 1})
    assert (other.received[0].method, other.received[0].body) == ("PUT", b'{"a":1}')
    assert other.received[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_a_post_is_not_turned_into_a_get(egress, server, other, status):
    server.answer(status, location="http://second.example/")
    answer = await egress.request("POST", "http://first.example/", json={"a": 1})
    assert answer.status == status
    assert other.connections == 0


async def test_credentials_do_not_travel_to_another_origin(egress, server, other):
    server.answer(307, location="http://second.example/")
    secrets = {"Authorization": "Bearer t", "Cookie": "s=1", "X-Api-Key": "k", "Proxy-Authorization": "p"}
    await egress.request("POST", "http://first.example/", headers=secrets | {"Accept": "text/plain"}, content=b"x")
    arrived = other.received[0].headers
    assert arrived["accept"] == "text/plain"
    assert not {name.lower() for name in secrets} & set(arrived)


async def test_another_port_is_another_origin(egress, server):
    async def handle(_request, writer):
        moved = b"location: http://first.example:8080/\r\n" if len(server.received) == 1 else b""
        status = b"302" if moved else b"200"
        writer.write(b"HTTP/1.1 " + status + b" X\r\n" + moved + b"content-length: 0\r\n\r\n")

    server.handle = handle
    await egress.request("GET", "http://first.example/", headers={"Authorization": "Bearer t"})
    assert server.received[1].headers["host"] == "first.example:8080"
    assert "authorization" not in server.received[1].headers


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/",
        "//169.254.169.254/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://0xa9fea9fe/",
        "http://[fe80::1]/",
        "http://0.0.0.0/",
        "http://127.0.0.1/",
        "http://192.168.0.10/",
        "http://inside.example/",
        "http://127.0.0.1:9375/api/devices/x/webhook",
        "file:///etc/passwd",
        "ftp://second.example/",
        "http://user:password@second.example/",
        "http://second.example:70000/",
    ],
)
@pytest.mark.parametrize("trust", [ADMIN_TARGET, "untrusted"])
async def test_forbidden_redirects(egress, server, other, detour, location, trust):
    server.answer(302, location=location)
    with pytest.raises(EgressBlocked):
        await egress.request("GET", "http://first.example/", trust=trust)
    assert other.connections == 0
    assert {address for address, _ in detour.dialed} == {PUBLIC}


async def test_a_host_of_the_lan_may_redirect_an_administrators_request_within_the_lan(egress, names, detour, server):
    names.table["box.example"] = ["192.168.0.20"]
    detour.to["192.168.0.20"] = server.port
    server.answer(302, location="http://inside.example/")
    assert (await egress.request("GET", "http://box.example/", trust=ADMIN_TARGET)).body == b"ok"


async def test_a_redirect_loop_ends(egress, server):
    server.answer(302, location="http://first.example/")
    with pytest.raises(EgressFailed, match=r"first.example redirected more than 5 times"):
        await egress.request("GET", "http://first.example/")
    assert len(server.received) == 6


@pytest.mark.parametrize("location", ["http://[", "http://\x7f/", "http://" + "a" * 70000])
async def test_malformed_locations(egress, server, location):
    server.answer(302, location=location)
    with pytest.raises((EgressFailed, EgressBlocked)):
        await egress.request("GET", "http://first.example/")


async def test_a_redirect_without_a_location_is_the_answer(egress, server):
    server.answer(302)
    assert (await egress.request("GET", "http://first.example/")).status == 302
