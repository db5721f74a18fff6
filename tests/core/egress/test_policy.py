"""Verdicts on addresses do not depend on how an address is wrapped."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_core.contracts import ADMIN_TARGET, UNTRUSTED
from neomind_core.host.egress_policy import EgressConfig, Policy, is_own, is_own_ingest, is_public, judged

POLICY = Policy(EgressConfig())


def wrapped(inner):
    low = int(inner)
    yield ipaddress.IPv6Address((0xFFFF << 32) | low)
    yield ipaddress.IPv6Address((0xFFFF << 48) | low)
    yield ipaddress.IPv6Address((0x64FF9B << 96) | low)
    yield ipaddress.IPv6Address((0x2002 << 112) | (low << 80))
    yield ipaddress.IPv6Address((0x20010000 << 96) | (low ^ 0xFFFFFFFF))


@given(st.ip_addresses(v=4), st.sampled_from([ADMIN_TARGET, UNTRUSTED]))
def test_a_wrapped_address_is_judged_like_the_address_itself(inner, trust):
    plain = POLICY.address(inner, "x.example", trust)
    for outer in wrapped(inner):
        assert judged(outer) == inner
        assert (POLICY.address(outer, "x.example", trust) is None) == (plain is None)


@given(st.ip_addresses())
def test_public_implies_what_the_interpreter_knows(address):
    if is_public(address):
        assert not judged(address).is_private
        assert not judged(address).is_multicast
        assert not judged(address).is_reserved


@pytest.mark.parametrize("text", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"])
def test_public_addresses(text):
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    ("text", "own"), [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("192.0.2.77", False)]
)
def test_own_addresses(text, own):
    assert is_own(ipaddress.ip_address(text)) is own


@pytest.mark.parametrize(
    ("path", "ingest"),
    [
        ("/api/devices/x/webhook", True),
        ("/api/devices/x/webhook?token=t", True),
        ("/api/devices/%2577/%2577ebhook", True),
        ("/api\\devices\\x\\webhook", True),
        ("/api/devices/x/webhook-url", False),
        ("/api/devices/x?next=/devices/y/webhook", False),
        ("/api/data-push", False),
    ],
)
def test_own_ingest(path, ingest):
    assert is_own_ingest(path) is ingest
