"""The socket that the platform listens on."""

from __future__ import annotations

import errno
import socket

from .config import ServerConfig

BACKLOG = 2048
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what to open when it listens everywhere


class CannotListen(Exception):
    """The address cannot be had; one sentence with the port and the reason."""


def listen(server: ServerConfig) -> socket.socket:
    """A listening TCP socket; raises ``CannotListen``.

    It listens at once, so that the port is ours for certain: of two sockets that are only bound, both succeed. Who
    connects before the loop runs waits for the fraction of a second until then.
    """
    try:
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        both = family is socket.AF_INET6 and server.host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(address, family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except OSError as error:
        raise CannotListen(_sentence(server, error)) from error


def _sentence(server: ServerConfig, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {server.port} on {server.host} is in use by another program; choose another with --port"
    reason = (error.strerror or str(error)).partition(" (while")[0]
    return f"cannot listen on {server.host}, port {server.port}: {reason}"


def url(bound: tuple[str, int]) -> str:
    """What to open in a browser on this machine."""
    host, port = bound
    host = WILDCARDS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
