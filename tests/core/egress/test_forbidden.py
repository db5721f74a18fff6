"""Spellings of targets that are never reached: refused before anything is dialed."""

from __future__ import annotations

import pytest

from neomind_core.contracts import ADMIN_TARGET, UNTRUSTED, EgressBlocked, EgressFailed

# Whoever chose the target.
NEVER = [
    # metadata and link-local, as literals
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254:80/",
    "http://169.254.169.254./",
    "http://169.254.170.2/v2/credentials",
    "http://169.254.0.1/",
    "http://169.254.255.255:8080/",
    "https://169.254.169.254/",
    "HTTP://169.254.169.254/",
    "http://100.100.100.200/latest/meta-data/",
    "http://168.63.129.16/machine",
    "http://192.0.0.192/latest/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[fd00:0ec2:0000:0000:0000:0000:0000:0254]/",
    "http://[fd00:ec2::23]/v1/credentials",
    "http://[fd20:ce::254]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[febf::1]/",
    # as numbers in other bases and lengths
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0xA9FEA9FE/",
    "http://0xa9.0xfe.0xa9.0xfe/",
    "http://0xa9.254.169.254/",
    "http://169.254.43518/",
    "http://169.16689662/",
    "http://025177524776/",
    "http://0251.254.169.0xfe/",
    "http://0xa9fea9fe./",
    "http://1684301000/",
    # wrapped into IPv6
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[0:0:0:0:0:ffff:a9fe:a9fe]/",
    "http://[::169.254.169.254]/",
    "http://[::a9fe:a9fe]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::a9fe:a9fe]/",
    "http://[::ffff:0:169.254.169.254]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2001:0:5ef5:79fb:0:0:5601:5601]/",
    "http://[::ffff:100.100.100.200]/",
    # in other characters
    "http://169。254。169。254/",
    "http://169．254．169．254/",
    "http://169｡254｡169｡254/",
    # unspecified, multicast, broadcast, reserved
    "http://0.0.0.0/",
    "http://0/",
    "http://0x0/",
    "http://00/",
    "http://0.1.2.3/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:0]/",
    "http://[::ffff:0.0.0.0]/",
    "http://224.0.0.1/",
    "http://239.255.255.250:1900/",
    "http://[ff02::1]/",
    "http://[ff0e::1]/",
    "http://255.255.255.255/",
    "http://4294967295/",
    "http://240.0.0.1/",
    "http://[::ffff:224.0.0.1]/",
    # names that have such an address
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://METADATA.google.internal./",
    "http://mixed.example/",
    "http://v6-mapped.example/",
    "http://scoped.example/",
    # not proper targets
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "unix:///var/run/docker.sock",
    "//example.com/",
    "example.com",
    "",
    "http://",
    "http:///path",
    "http:example.com/",
    "http://user@example.com/",
    "http://user:secret@example.com/",
    "http://example.com\\@169.254.169.254/",
    "http://169.254.169.254\\@example.com/",
    "http://example.com:0/",
    "http://example.com:65536/",
    "http://example.com:-80/",
    "http://example.com:80x/",
    "http://%31%36%39.254.169.254/",
    "http://exa mple.com/",
    "http://example.com\r\nHost: x/",
    "http://example.com\t/",
    "http://[::1/",
    "http://[1.2.3.4]/",
    "http://256.256.256.256/",
    "http://①⑥⑨.254.169.254/",
    "http://a..b/",
    "http://-a.example/",
    f"http://{'a' * 300}.example/",
    # our own way in
    "http://127.0.0.1:9375/api/devices/x/webhook",
    "http://localhost:9375/api/devices/x/webhook?token=1",
    "http://[::1]:9375/api/devices/x/webhook",
    "http://[::ffff:127.0.0.1]:9375/api/devices/x/webhook/",
    "http://127.0.0.2:9375/api//devices/x/webhook",
    "http://0x7f.1:9375/api/devices/%78/%77ebhook",
    "http://127.1:9375/api/devices/x%2Fy/webhook",
    "http://127.0.0.1:9375/API/Devices/x/WEBHOOK",
    "http://127.0.0.1:9375/api/devices/webhook",
    "http://127.0.0.1:9375/api/dashboards/../devices/x/webhook",
]  # fmt: skip

# Only for targets that no administrator chose.
NOT_PUBLIC = [
    "http://127.0.0.1/",
    "http://127.0.0.1:8080/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.255.255.254/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0x7f.1/",
    "http://017700000001/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[64:ff9b::7f00:1]/",
    "http://127。0。0。1/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://10.0.0.1/",
    "http://10.255.255.255/",
    "http://167772161/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.0.1/",
    "http://192.168.1/",
    "http://[::ffff:192.168.0.1]/",
    "http://100.64.0.1/",
    "http://198.18.0.1/",
    "http://192.0.2.1/",
    "http://[fc00::1]/",
    "http://[fdff::1]/",
    "http://[fec0::1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[4000::1]/",
    "http://inside.example/",
    "http://half-inside.example/",
    "http://public.example:22/",
    "http://public.example:25/",
    "http://public.example:6379/",
]

TABLE = {
    "localhost": ["::1", "127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "mixed.example": ["93.184.216.34", "169.254.169.254"],
    "v6-mapped.example": ["::ffff:169.254.169.254"],
    "scoped.example": ["fe80::1%2"],
    "inside.example": ["192.168.0.10"],
    "half-inside.example": ["93.184.216.34", "10.0.0.1"],
    "public.example": ["93.184.216.34"],
    "example.com": ["93.184.216.34"],
}


def test_there_are_enough_spellings():
    assert len(set(NEVER)) + len(set(NOT_PUBLIC)) >= 140


@pytest.mark.parametrize("trust", [ADMIN_TARGET, UNTRUSTED])
@pytest.mark.parametrize("url", NEVER)
async def test_never_reached(url, trust, make_egress, names, detour):
    names.table.update(TABLE)
    egress = make_egress(allow=["0.0.0.0/0", "::/0"])
    with pytest.raises(EgressBlocked) as caught:
        await egress.request("POST", url, trust=trust, content=b"{}")
    assert detour.dialed == []
    assert "secret" not in str(caught.value)
    with pytest.raises(EgressBlocked):
        await egress.check(url, trust=trust)


@pytest.mark.parametrize("url", NOT_PUBLIC)
async def test_untrusted_targets_reach_public_addresses_only(url, make_egress, names, detour):
    names.table.update(TABLE)
    egress = make_egress()
    with pytest.raises(EgressBlocked):
        await egress.request("GET", url)
    with pytest.raises(EgressBlocked):
        async with egress.stream("GET", url):
            raise AssertionError("the stream was opened")
    assert detour.dialed == []


@pytest.mark.parametrize("url", [url for url in NOT_PUBLIC if "public.example" not in url])
async def test_administrators_reach_loopback_and_lan(url, make_egress, names, detour):
    names.table.update(TABLE)
    with pytest.raises(EgressFailed):  # nobody answers there in a test
        await make_egress().request("GET", url, trust=ADMIN_TARGET)
    assert detour.dialed


@pytest.mark.parametrize("entry", ["192.168.0.0/24", "192.168.0.10", "inside.example", "INSIDE.example."])
async def test_the_allow_list_opens_networks_and_names(entry, make_egress, names, detour, server):
    names.table.update(TABLE)
    detour.to["192.168.0.10"] = server.port
    answer = await make_egress(allow=[entry]).request("GET", "http://inside.example/")
    assert answer.body == b"ok"


async def test_own_api_besides_the_webhook_is_reachable_for_administrators(make_egress, detour, server):
    detour.to["127.0.0.1"] = server.port
    answer = await make_egress().request("GET", "http://127.0.0.1:9375/api/health", trust=ADMIN_TARGET)
    assert answer.status == 200


async def test_the_webhook_of_another_platform_is_reachable(make_egress, names, detour, server):
    names.table["peer.example"] = ["93.184.216.34"]
    detour.to["93.184.216.34"] = server.port
    answer = await make_egress().request("POST", "http://peer.example:9375/api/devices/x/webhook", json={"a": 1})
    assert answer.status == 200


async def test_a_name_without_an_address_may_be_saved_but_not_reached(make_egress, detour):
    egress = make_egress()
    await egress.check("http://later.example/")
    with pytest.raises(EgressFailed, match="has no address"):
        await egress.request("GET", "http://later.example/")
