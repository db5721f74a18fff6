"""SMTP servers on loopback, in the test's own event loop; TLS with certificates of an authority made for the test."""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import asynccontextmanager
from email import message_from_bytes, policy

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Mailbox:
    """A handler that keeps what arrives, and refuses what it is told to: an address or ``DATA`` to the answer."""

    def __init__(self):
        self.envelopes, self.logins, self.encrypted = [], [], []
        self.refuse = {}
        self.port = 0

    def mail(self):
        return message_from_bytes(self.envelopes[-1].content, policy=policy.default)

    def authenticate(self, _server, _session, _envelope, _mechanism, data):
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=self.logins[-1] == ("anna", "pässw0rd"), handled=False)

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.envelopes.append(envelope)
        self.encrypted.append(session.ssl is not None or server.transport.get_extra_info("sslcontext") is not None)
        return self.refuse.get("DATA", "250 taken")


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture
def server_tls(authority, monkeypatch, tmp_path):
    """The server's side of TLS for ``localhost``; the client trusts the authority as it would any other."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@asynccontextmanager
async def running(mailbox, *, implicit=None, **options):
    loop = asyncio.get_running_loop()
    if options.pop("login", False):
        options |= {"authenticator": mailbox.authenticate, "auth_required": True}

    def protocol():
        return SMTP(mailbox, loop=loop, hostname="mail.example", **options)

    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=implicit)
    mailbox.port = server.sockets[0].getsockname()[1]
    async with server:
        yield mailbox


class Silent(asyncio.Protocol):
    """A server that says one thing, and nothing more."""

    def __init__(self, greeting, connections):
        self.greeting, self.connections = greeting, connections

    def connection_made(self, transport):
        self.connections.append(transport)
        transport.write(self.greeting)


@pytest.fixture
def silent():
    """``async with silent(greeting) as port``."""

    @asynccontextmanager
    async def start(greeting=b""):
        connections = []
        server = await asyncio.get_running_loop().create_server(lambda: Silent(greeting, connections), "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]
            for transport in connections:
                transport.abort()

    return start


@pytest.fixture
def smtp(monkeypatch):
    """``async with smtp(…) as mailbox``: options of aiosmtpd's ``SMTP``, and ``implicit``, ``login``."""
    monkeypatch.setattr(logging.getLogger("mail.log"), "disabled", True)  # the server's log is not ours

    def start(mailbox=None, **options):
        return running(mailbox or Mailbox(), **options)

    return start
