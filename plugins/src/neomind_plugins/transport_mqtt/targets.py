"""Where to connect: addresses that are allowed, and what TLS needs."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import ssl
import tempfile
from pathlib import Path

from neomind_sdk import BrokerState, Egress, EgressBlocked, EmbeddedBroker
from neomind_sdk.addresses import lan_address, require_reachable

from .errors import Down, TargetForbidden
from .packets import Login
from .records import Broker
from .seam import Target


def embedded_target(broker: EmbeddedBroker | None, keep_alive_s: int) -> Target:
    """The broker that comes along; raises ``Down`` while it does not run."""
    access = broker.access() if broker is not None else None
    if access is None:
        raise Down("the embedded broker does not run")
    login = Login(
        client_id=access.client_id, username=access.username, password=access.password, keep_alive_s=keep_alive_s
    )
    return Target(host=access.host, port=access.port, login=login)


async def external_target(broker: Broker, own: BrokerState | None, login: Login, egress: Egress) -> Target:
    """An external broker, its name resolved; raises ``ConnectionError`` and ``ValueError``."""
    host = await resolved(broker.broker, broker.port, own, egress)
    tls = await asyncio.to_thread(tls_context, broker) if broker.tls else None
    return Target(host=host, port=broker.port, login=login, tls=tls, name=broker.broker)


def login_of(broker: Broker, keep_alive_s: int) -> Login:
    return Login(
        client_id=broker.client_id or broker.session_id,
        username=broker.username,
        password=broker.password if broker.username is not None else None,
        keep_alive_s=keep_alive_s,
    )


async def resolved(host: str, port: int, own: BrokerState | None, egress: Egress) -> str:
    """The first address of ``host`` that may be connected to; raises ``TargetForbidden`` when there is none.

    An administrator's target may be in the LAN or on this machine, but not where cloud machines keep their secrets,
    and not the platform's own broker, whose messages come in already.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConnectionError(f"'{host}' is not known: {error.strerror or error}") from error
    reason = ""
    for *_, address in found:
        text = str(address[0])
        reason = await _forbidden(text, port, own, egress)
        if not reason:
            return text
    raise TargetForbidden(f"'{host}' port {port} may not be connected to: {reason}")


def tls_context(broker: Broker) -> ssl.SSLContext:
    """Blocks on the disk; raises ``ValueError`` in words for certificates that cannot be used."""
    try:
        context = ssl.create_default_context(cadata=broker.ca_cert or None)
        if broker.client_cert and broker.client_key:
            _load_client(context, broker.client_cert, broker.client_key)
    except (ssl.SSLError, ValueError) as error:
        raise ValueError(f"the certificates of the broker cannot be used: {error}") from error
    return context


def _load_client(context: ssl.SSLContext, cert: str, key: str) -> None:
    """The library reads files only; this one is gone at once, and nobody else may read it."""
    with tempfile.TemporaryDirectory(prefix="neomind-mqtt-") as folder:
        path = Path(folder) / "client.pem"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{key.strip()}\n{cert.strip()}\n")
        context.load_cert_chain(path)


async def _forbidden(text: str, port: int, own: BrokerState | None, egress: Egress) -> str:
    """Why an address may not be connected to; empty when it may."""
    if own is not None and _is_own(text, port, own):
        return "it is the platform's own broker"
    try:
        await require_reachable(egress, text, port)
    except EgressBlocked as blocked:
        return blocked.message
    return ""


def _is_own(text: str, port: int, own: BrokerState) -> bool:
    local = ipaddress.ip_address(text.partition("%")[0]).is_loopback or text in (lan_address(), own.listen)
    return own.running and port == own.port and local
