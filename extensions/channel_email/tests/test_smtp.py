"""Against real SMTP servers: plain, STARTTLS and TLS from the first byte, logins, refusals, and servers that hang."""

from __future__ import annotations

import asyncio

import pytest

from neomind_channel_email import smtp as client
from neomind_channel_email.hooks import EmailChannel, EmailConfig
from neomind_sdk import EgressBlocked, EgressFailed, OutgoingMessage, SendTools
from neomind_sdk.testing import FakeEgress, VirtualClock
from neomind_sdk.testing.sink import real_egress

MESSAGE = OutgoingMessage(
    id="m", title="Boiler too hot", message="81.5 °C", severity="critical", source="rule:1", ts_ms=1_700_000_000_000
)
LOGIN = {"username": "anna", "password": "pässw0rd"}


async def send(port, egress=None, **config):
    base = {"smtp_server": "localhost", "from_address": "neomind@example.com", "recipients": ["ops@example.com"]}
    tools = SendTools(egress=egress or FakeEgress(), clock=VirtualClock(), delivery_id="msg_2Yk3")
    return await EmailChannel().send(EmailConfig(smtp_port=port, **{**base, **config}), MESSAGE, tools)


async def test_plain(smtp):
    async with smtp() as mailbox, real_egress() as egress:
        delivery = await send(str(mailbox.port), egress, use_tls=False)
    assert delivery.ok, delivery.detail
    envelope = mailbox.envelopes[0]
    assert (envelope.mail_from, envelope.rcpt_tos) == ("neomind@example.com", ["ops@example.com"])
    assert mailbox.encrypted == [False]
    assert "81.5 °C" in mailbox.mail().get_body(["plain"]).get_content()


async def test_starttls_with_a_login(smtp, server_tls):
    async with smtp(tls_context=server_tls, require_starttls=True, login=True) as mailbox:
        delivery = await send(mailbox.port, **LOGIN)
    assert delivery.ok, delivery.detail
    assert mailbox.encrypted == [True]
    assert mailbox.logins == [("anna", "pässw0rd")]


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # the server knows of TLS by STARTTLS only
async def test_implicit_tls_with_a_login(smtp, server_tls):
    async with smtp(implicit=server_tls, login=True, auth_require_tls=False) as mailbox:
        delivery = await send(mailbox.port, security="implicit", **LOGIN)
    assert delivery.ok, delivery.detail
    assert mailbox.encrypted == [True]


async def test_starttls_is_never_given_up(smtp):
    async with smtp() as mailbox:
        delivery = await send(mailbox.port, use_tls=True)
    assert (delivery.ok, delivery.retry) == (False, False)
    assert "STARTTLS" in delivery.detail
    assert mailbox.envelopes == []


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
async def test_an_unknown_authority_is_refused(smtp, server_tls, monkeypatch, mode):
    monkeypatch.delenv("SSL_CERT_FILE")
    options = {"implicit": server_tls} if mode == "implicit" else {"tls_context": server_tls}
    async with smtp(**options) as mailbox:
        delivery = await send(mailbox.port, security=mode)
    assert (delivery.ok, delivery.retry) == (False, True)
    assert "certificate" in delivery.detail
    assert mailbox.envelopes == []


async def test_a_certificate_for_another_name_is_refused(smtp, server_tls):
    async with smtp(implicit=server_tls) as mailbox:
        delivery = await send(mailbox.port, security="implicit", smtp_server="127.0.0.1")
    assert not delivery.ok
    assert "127.0.0.1" in delivery.detail
    assert mailbox.envelopes == []


async def test_a_wrong_password(smtp, server_tls):
    async with smtp(tls_context=server_tls, login=True) as mailbox:
        delivery = await send(mailbox.port, username="anna", password="wr0ng")
    assert (delivery.ok, delivery.retry) == (False, False)
    assert "535" in delivery.detail
    assert "wr0ng" not in delivery.detail
    assert mailbox.envelopes == []


async def test_a_server_without_logins(smtp):
    async with smtp() as mailbox:
        delivery = await send(mailbox.port, use_tls=False, **LOGIN)
    assert (delivery.ok, delivery.retry) == (False, False)
    assert "AUTH" in delivery.detail


@pytest.mark.parametrize(
    ("refuse", "ok", "retry"),
    [
        ({"a@x.example": "550 5.1.1 unknown"}, True, None),
        ({"a@x.example": "450 4.2.0 greylisted"}, False, True),
        ({"a@x.example": "550 unknown", "b@x.example": "550 unknown"}, False, False),
        ({"a@x.example": "550 unknown", "b@x.example": "451 later"}, False, True),
        ({"DATA": "552 too large"}, False, False),
        ({"DATA": "452 disk full"}, False, True),
    ],
)
async def test_refusals(smtp, refuse, ok, retry):
    async with smtp() as mailbox:
        mailbox.refuse = refuse
        delivery = await send(mailbox.port, use_tls=False, recipients=["a@x.example", "b@x.example"])
    assert delivery.ok is ok, delivery.detail
    assert ok or delivery.retry is retry
    assert next(iter(refuse.values()))[:3] in delivery.detail


async def test_no_recipients():
    delivery = await send(25, recipients=[])
    assert (delivery.ok, delivery.retry, delivery.detail) == (False, False, "The channel has no recipients")


@pytest.mark.parametrize("greeting", [b"", b"220 hello\r\n"])
async def test_a_server_that_hangs(silent, monkeypatch, greeting):
    monkeypatch.setattr(client, "TOTAL_S", 0.3)
    async with silent(greeting) as port:
        delivery = await send(port, use_tls=False)
    assert (delivery.ok, delivery.retry, delivery.detail) == (False, True, "localhost did not answer in time")


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"554 go away\r\n", b"421 busy\r\n"])
async def test_a_server_that_is_none(silent, greeting):
    async with silent(greeting) as port:
        delivery = await send(port, use_tls=False)
    assert not delivery.ok
    assert delivery.retry is not greeting.startswith(b"554")


async def test_a_server_that_does_not_say_good_bye(smtp, monkeypatch):
    monkeypatch.setattr(client, "QUIT_S", 0.05)

    class Rude:
        async def handle_QUIT(self, *_):
            await asyncio.Event().wait()

        async def handle_DATA(self, *_):
            return "250 taken"

    async with smtp(Rude()) as mailbox:
        assert (await send(mailbox.port, use_tls=False)).ok


async def test_nobody_listens(silent):
    async with silent() as port:
        pass
    with pytest.raises(EgressFailed, match="localhost cannot be connected to: Connection refused"):
        await send(port)


async def test_a_name_without_an_address():
    with pytest.raises(EgressFailed, match="has no address"):
        await send(25, smtp_server="a..b")


@pytest.mark.parametrize("host", ["169.254.169.254", "::ffff:169.254.169.254", "0.0.0.0", "fe80::1"])
async def test_metadata_and_link_local_are_never_reached(host):
    async with real_egress() as egress:
        with pytest.raises(EgressBlocked):
            await send(25, egress, smtp_server=host)


async def test_every_address_is_checked_before_the_first_is_connected_to(smtp, monkeypatch):
    loop = asyncio.get_running_loop()
    found = [(2, 1, 6, "", ("127.0.0.1", 25)), (2, 1, 6, "", ("169.254.1.1", 25))]

    async def resolve(*_args, **_options):
        return found

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    async with real_egress() as egress, smtp() as mailbox:
        found[0] = (2, 1, 6, "", ("127.0.0.1", mailbox.port))
        with pytest.raises(EgressBlocked):
            await send(mailbox.port, egress, use_tls=False)
    assert mailbox.envelopes == []


@pytest.mark.parametrize(
    ("port", "config", "mode"),
    [
        (465, {}, "implicit"),
        ("465", {"use_tls": False}, "implicit"),
        (587, {}, "starttls"),
        (587, {"use_tls": True}, "starttls"),
        (587, {"use_tls": False}, "none"),
        (25, {}, "none"),
        (25, {"use_tls": True}, "starttls"),
        (1025, {}, "starttls"),
        (465, {"security": "none"}, "none"),
        (25, {"security": "implicit", "use_tls": False}, "implicit"),
    ],
)
def test_how_it_is_encrypted(port, config, mode):
    made = EmailConfig(smtp_server="mail", smtp_port=port, from_address="a@b.example", **config)
    assert made.mode() == mode
