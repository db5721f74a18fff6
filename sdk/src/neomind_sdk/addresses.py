"""Under which address others reach this platform, and which addresses it may reach."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from typing import NamedTuple

from neomind_core.contracts import ADMIN_TARGET, Egress

ANY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 - what is compared with, not bound to
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


class ServerUrl(NamedTuple):
    """``url`` without a slash at the end; ``source`` is ``env``, ``proxy_header`` or ``fallback``."""

    url: str
    source: str


def server_url(headers: Mapping[str, str], bound: tuple[str, int]) -> ServerUrl:
    """The address for devices and people, from the first of: ``NEOMIND_SERVER_URL``, a proxy's headers, the network.

    ``headers`` have lower-case names; ``bound`` is where the server listens. A bare ``Host`` header is never believed:
    whoever sends a request chooses it.
    """
    configured = os.environ.get("NEOMIND_SERVER_URL", "").strip().rstrip("/")
    if configured:
        return ServerUrl(configured, "env")
    proto = first(headers.get("x-forwarded-proto", ""))
    host = first(headers.get("x-forwarded-host", ""))
    if proto or host:
        proto, host = proto or "http", host or headers.get("host", "")
        if proto in ("http", "https") and _HOST.fullmatch(host):
            return ServerUrl(f"{proto}://{host}", "proxy_header")
    return ServerUrl(f"http://{public_host(bound[0])}:{bound[1]}", "fallback")


def first(header: str) -> str:
    """The first of the values of a header: what the outermost proxy said."""
    return header.partition(",")[0].strip()


def public_host(bound: str) -> str:
    """``NEOMIND_PUBLIC_HOST``, else the address that is listened on, else that of this machine on its network."""
    configured = os.environ.get("NEOMIND_PUBLIC_HOST", "").strip()
    host = configured or (lan_address() if bound in ANY_ADDRESS else bound)
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def lan_address() -> str:
    """The address that packets to other networks would leave from; loopback where there is no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a datagram socket sends nothing; 192.0.2.1 is reserved for documentation (RFC 5737).
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address


async def require_reachable(egress: Egress, host: str, port: int) -> None:
    """Raises ``EgressBlocked`` for an address where nobody, an administrator neither, may have us connect to.

    For connections that ``Egress`` does not make, MQTT's for one. ``host`` is a literal address, e.g. ``::1``: who
    connects must do so to exactly what was asked for here.
    """
    await egress.check(as_url(host.partition("%")[0], port), trust=ADMIN_TARGET)


def as_url(host: str, port: int) -> str:
    """A host, by name or literal address, and a port in the form that ``Egress.check`` takes."""
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
