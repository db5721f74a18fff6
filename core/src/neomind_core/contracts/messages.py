"""Messages for people: how a plugin raises one."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import attrs


@attrs.frozen(kw_only=True)
class NewMessage:
    """A message to raise.

    ``severity``     one of ``SEVERITIES``
    ``source_type``  ``system``, ``rule``, ``device``, ``agent``, or a word of its own; ``source`` is the id of it
    ``metadata``     any JSON; ``rule_id`` and ``device_id`` in it say of which rule and device the message speaks
    ``channels``     names of the channels that get it, whatever their filters say; ``None``: all whose filter lets
                     it pass
    ``variant``      tells the messages of one rule apart: only those of the same rule, device, severity and variant
                     are taken for repetitions of each other
    ``cause`` and ``hops`` as in events
    """

    title: str
    message: str
    severity: str = "info"
    category: str = "alert"
    source: str = ""
    source_type: str = "system"
    metadata: Any = None
    tags: tuple[str, ...] = ()
    channels: tuple[str, ...] | None = None
    variant: str = ""
    cause: str | None = None
    hops: int = 0


@runtime_checkable
class MessageBoard(Protocol):
    """Where messages are raised; the plugin ``messages`` provides it."""

    async def raise_message(self, message: NewMessage) -> str:
        """Keep the message and what its channels are to send, in one transaction; returns its id.

        Waits for no channel. A repetition within the window is kept and linked to the first, and sent to nobody.
        Raises ``ValidationFailed`` and the storage's errors.
        """
        ...
