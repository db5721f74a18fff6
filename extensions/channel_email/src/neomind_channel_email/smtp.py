"""One conversation with an SMTP server: its address is checked and connected to, and the mail is handed over."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any, Literal

import aiosmtplib
import attrs

from neomind_sdk import ADMIN_TARGET, Delivery, Egress, EgressFailed

from .place import as_url

CONNECT_S = 10.0
TOTAL_S = 30.0
QUIT_S = 2.0
Refusals = Mapping[str, tuple[int, str]]


@attrs.frozen(kw_only=True)
class Server:
    """Where mail is handed in; ``username`` and ``password`` may be empty."""

    host: str
    port: int
    mode: Literal["starttls", "implicit", "none"]
    username: str = attrs.field(default="", repr=False)
    password: str = attrs.field(default="", repr=False)


async def attempt(server: Server, mail: EmailMessage, egress: Egress) -> Delivery:
    """Send ``mail`` and say what came of it. Raises ``EgressBlocked`` and ``EgressFailed``."""
    try:
        async with asyncio.timeout(TOTAL_S):
            delivery = taken(await _hand_over(server, mail, egress), len(mail["To"].addresses))
    except aiosmtplib.SMTPRecipientsRefused as error:
        answers = {one.recipient: (one.code, one.message) for one in error.recipients}
        delivery = taken(answers, len(answers))
    except aiosmtplib.SMTPResponseException as error:
        delivery = Delivery(ok=False, retry=_passing(error.code), detail=_said(error.code, error.message))
    except TimeoutError:
        delivery = Delivery(ok=False, detail=f"{server.host} did not answer in time")
    except OSError as error:  # broken off, or its certificate is not to be trusted
        delivery = Delivery(ok=False, detail=f"{server.host}: {error.__cause__ or error}")
    except (aiosmtplib.SMTPException, ValueError) as error:  # something that is asked for is not supported there
        delivery = Delivery(ok=False, retry=False, detail=f"{server.host}: {error}")
    return attrs.evolve(delivery, detail=_discreet(delivery.detail, server.password))


def taken(refused: Refusals, recipients: int) -> Delivery:
    """What it means that some recipients were refused.

    A refusal for now (4xx) has the mail sent again, to the others too, who can tell it by its ``Message-ID``. A
    refusal for good (5xx) fails only when nobody is left.
    """
    if not refused:
        return Delivery(ok=True, detail="The server took it")
    address, (code, text) = next(iter(refused.items()))
    detail = f"{len(refused)} of {recipients} recipients refused; {address}: {_said(code, text)}"
    later = any(_passing(code) for code, _ in refused.values())
    return Delivery(ok=len(refused) < recipients and not later, retry=later, detail=detail)


async def _hand_over(server: Server, mail: EmailMessage, egress: Egress) -> Refusals:
    client = await _client(server, egress)
    try:
        await client.connect(timeout=CONNECT_S)
        refused, _ = await client.send_message(mail)
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):  # it is taken, whatever comes of the good-bye
            await client.quit(timeout=QUIT_S)
    finally:
        client.close()
    return {address: (answer.code, answer.message) for address, answer in refused.items()}


async def _client(server: Server, egress: Egress) -> aiosmtplib.SMTP:
    context = None if server.mode == "none" else await asyncio.to_thread(ssl.create_default_context)
    sock = await _connected(server, egress)
    return aiosmtplib.SMTP(
        hostname=server.host,
        sock=sock,
        local_hostname=_own_name(sock),
        use_tls=server.mode == "implicit",
        start_tls=server.mode == "starttls",
        tls_context=context,
        username=server.username or None,
        password=server.password if server.username else None,
        timeout=TOTAL_S,
    )


async def _connected(server: Server, egress: Egress) -> socket.socket:
    """A socket to the first address that answers. All are checked first, and the checked ones are connected to."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise EgressFailed(f"{server.host} has no address") from error
    for *_, address in found:
        await egress.check(as_url(str(address[0]), server.port), trust=ADMIN_TARGET)
    problem = "no connection"
    for family, *_, address in found:
        try:
            return await _dial(family, address)
        except OSError as error:
            problem = os.strerror(error.errno) if error.errno else "it did not answer in time"
    raise EgressFailed(f"{server.host} cannot be connected to: {problem}")


async def _dial(family: int, address: Any) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        async with asyncio.timeout(CONNECT_S):
            await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _own_name(sock: socket.socket) -> str:
    """How we introduce ourselves (RFC 5321): by a full name, or by address; nothing is looked up, for that may take."""
    name, address = socket.gethostname(), sock.getsockname()[0]
    if "." in name and name.isascii():
        return name
    return f"[IPv6:{address}]" if sock.family == socket.AF_INET6 else f"[{address}]"


def _passing(code: int) -> bool:
    """Whether an answer of the server is one for now; the others are for good."""
    return code < 500


def _said(code: int, text: str) -> str:
    return f"the server said {code} {text}"


def _discreet(detail: str, password: str) -> str:
    detail = " ".join(detail.split())
    return (detail.replace(password, "***") if password else detail)[:300]
