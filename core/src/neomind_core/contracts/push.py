"""Targets for pushing data on."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import attrs

from .channels import Delivery, SendTools
from .labels import Label


@attrs.frozen(kw_only=True)
class PushPayload:
    """A rendered body and where it came from; ``hops`` counts the platforms it passed."""

    body: bytes
    media_type: str = "application/json"
    sources: tuple[str, ...] = ()
    hops: int = 0


@runtime_checkable
class PushTargetType(Protocol):
    """A kind of push target, e.g. ``webhook``; the rules of ``ChannelType`` for ``config`` and ``deliver`` hold."""

    name: str
    label: Label
    config: type[Any]

    async def deliver(self, config: Any, payload: PushPayload, tools: SendTools) -> Delivery: ...
