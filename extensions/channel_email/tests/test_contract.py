"""The contract of channels, held against a real SMTP server whose answers are those of the suite."""

from __future__ import annotations

from contextlib import AsyncExitStack
from email import message_from_bytes, policy

import pytest

from neomind_channel_email.hooks import EmailChannel
from neomind_sdk import EgressFailed
from neomind_sdk.testing import FakeEgress
from neomind_sdk.testing.suites import ChannelContract


class Relay:
    """Hands each mail to the egress of the suite, and says in SMTP what that answers in HTTP."""

    def __init__(self, suite):
        self.suite = suite

    async def handle_DATA(self, server, _session, envelope):
        try:
            answer = await self.suite.current.request("POST", "smtp://server", content=envelope.content)
        except EgressFailed:
            server.transport.abort()
            return "451 never seen"
        said = answer.body.decode("ascii", "replace").replace("\ufffd", "?")
        code = 250 if answer.status < 300 else 451 if answer.status >= 500 or answer.status == 429 else 550
        return f"{code} {' '.join(said.split())[:400]}"


class TestEmail(ChannelContract):
    config = {
        "smtp_server": "127.0.0.1",
        "smtp_port": 1,
        "from_address": "NeoMind <neomind@example.com>",
        "recipients": ["ops@example.com", "Anna Müller <anna@example.com>"],
        "use_tls": False,
        "password": "only-known-to-us",
    }

    def make(self):
        return EmailChannel()

    @pytest.fixture(autouse=True)
    async def server(self, smtp):
        async with AsyncExitStack() as stack:
            self.mailbox = relay = Relay(self)
            await stack.enter_async_context(smtp(relay))
            type(self).config = {**self.config, "smtp_port": relay.port}
            yield

    def make_egress(self):
        self.current = FakeEgress()
        return self.current

    def carries(self, egress, text):
        mails = [message_from_bytes(sent.body, policy=policy.default) for sent in egress.requests]
        return any(text in str(mail["subject"]) or text in part.get_content() for mail in mails for part in parts(mail))

    async def test_gone_is_said(self, subject, egress):
        """SMTP has no word for it: a refusal for good is one."""
        egress.answer(410)
        delivery = await self.attempt(subject, egress)
        assert (delivery.ok, delivery.retry, delivery.gone) == (False, False, False)

    async def test_too_many_requests_says_how_long_to_wait(self, subject, egress):
        """SMTP does not say how long: later, then."""
        egress.answer(429, body="4.7.0 slow down")
        delivery = await self.attempt(subject, egress)
        assert (delivery.ok, delivery.retry, delivery.retry_after) == (False, True, None)
        assert delivery.detail == "the server said 451 4.7.0 slow down"


def parts(mail):
    return [part for part in mail.walk() if not part.is_multipart()]
