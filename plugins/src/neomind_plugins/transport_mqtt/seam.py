"""What the rest of the transport knows of a client library: this, and nothing else.

Measured as a subscriber beside one broker on one machine, a callback per message is what costs (``tests/bench/mqtt.py``
has the figures), so what crosses the seam is a batch: all messages of a socket buffer at once.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import attrs

from .packets import Login, Message

Received = Callable[[list[Message]], None]


@attrs.frozen(kw_only=True)
class Target:
    """A broker to connect to. ``name`` is what its certificate must be for, where there is TLS."""

    host: str
    port: int
    login: Login
    tls: ssl.SSLContext | None = attrs.field(default=None, repr=False)
    name: str | None = None


class Connection(Protocol):
    """A connection that the broker accepted. All methods but ``ack`` raise ``ConnectionError``."""

    session_present: bool
    """Whether the broker knew the client, and kept its subscriptions and messages."""

    async def closed(self) -> str:
        """Until the connection is gone; returns why."""
        ...

    async def subscribe(self, filters: Sequence[tuple[str, int]]) -> list[bool]:
        """Which of them the broker granted."""
        ...

    async def unsubscribe(self, filters: Sequence[str]) -> None: ...

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """At QoS 1; returns when the broker has it."""
        ...

    def ack(self, packet_ids: list[int]) -> None:
        """Tell the broker that these are done with, in the order they came; nothing when the connection is gone."""
        ...

    def pause(self) -> None:
        """Read no more; what the broker sends stays with it."""
        ...

    def resume(self) -> None: ...

    async def close(self) -> None: ...


Connect = Callable[[Target, Received], Awaitable[Connection]]
"""Connects; ``ConnectionError`` or ``OSError`` says why not. Messages may come before it returns."""
