"""Under which address others reach this platform."""

from __future__ import annotations

import ipaddress

import pytest

from neomind_sdk.addresses import lan_address, server_url

BOUND = ("192.0.2.7", 9375)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEOMIND_SERVER_URL", raising=False)
    monkeypatch.delenv("NEOMIND_PUBLIC_HOST", raising=False)


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEOMIND_SERVER_URL", "https://hub.example/ ")
    assert server_url({"x-forwarded-host": "other.example"}, BOUND) == ("https://hub.example", "env")


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        ({"x-forwarded-proto": "https", "x-forwarded-host": "hub.example, inner"}, "https://hub.example"),
        ({"x-forwarded-proto": "https", "host": "hub.example:8443"}, "https://hub.example:8443"),
        ({"x-forwarded-host": "[2001:db8::1]:80"}, "http://[2001:db8::1]:80"),
    ],
)
def test_a_proxy_is_believed(headers: dict[str, str], url: str) -> None:
    assert server_url(headers, BOUND) == (url, "proxy_header")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "evil.example"},
        {"x-forwarded-host": "evil.example/path"},
        {"x-forwarded-host": 'evil"><script>'},
        {"x-forwarded-proto": "javascript", "host": "hub.example"},
        {"x-forwarded-proto": "https"},
    ],
)
def test_anything_else_is_not(headers: dict[str, str]) -> None:
    assert server_url(headers, BOUND) == ("http://192.0.2.7:9375", "fallback")


def test_the_host_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEOMIND_PUBLIC_HOST", "2001:db8::7")
    assert server_url({}, BOUND) == ("http://[2001:db8::7]:9375", "fallback")


def test_listening_everywhere_gives_an_address_of_this_machine() -> None:
    assert ipaddress.ip_address(lan_address())
    assert server_url({}, ("0.0.0.0", 80)).url == f"http://{lan_address()}:80"
