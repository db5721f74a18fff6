"""Ports of this machine."""

from __future__ import annotations

import socket
from pathlib import Path

from .errors import PortInUse

LOOPBACK = "127.0.0.1"
ESTABLISHED = "01"
TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))


def check_free(host: str, port: int) -> None:
    """Raises ``PortInUse`` with a sentence when the broker could not listen there."""
    try:
        with socket.socket(_family(host)) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            sock.listen()
    except OSError as error:
        raise PortInUse(host, port, error) from error


def free_port(host: str = LOOPBACK) -> int:
    """A port that nobody uses at the moment."""
    with socket.socket(_family(host)) as sock:
        sock.bind((host, 0))
        return int(sock.getsockname()[1])


def connections(port: int) -> int | None:
    """How many connections others have to ``port`` of this machine; ``None`` where the system does not tell."""
    found = [path.read_text() for path in TABLES if path.exists()]
    if not found:
        return None
    return sum(_is_connection(line.split(), port) for text in found for line in text.splitlines()[1:])


def _is_connection(fields: list[str], port: int) -> bool:
    return fields[3] == ESTABLISHED and int(fields[1].rpartition(":")[2], 16) == port


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
