"""What the outbox calls to deliver messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import attrs

from neomind_sdk import (
    Database,
    Delivery,
    DeliveryRecord,
    Logger,
    MessageBoard,
    NewMessage,
    Order,
    OrderServer,
    SendTools,
)
from neomind_sdk.attempts import attempt

from . import tables
from .channels import DELETED, DISABLED
from .configs import Configs
from .payloads import outgoing_of
from .records import Channel

ATTEMPT_S = 60.0
GONE = "the receiver says that it is gone for ever (HTTP 410)"


class ChannelServer(OrderServer):
    """Makes one attempt at an order; a channel that cannot send now has its orders wait."""

    def __init__(
        self,
        database: Database,
        configs: Configs,
        board: MessageBoard,
        disable: Callable[[Channel, str], Awaitable[bool]],
        log: Logger,
    ) -> None:
        self._database = database
        self._configs = configs
        self._board = board
        self._disable = disable
        self._log = log

    async def deliver(self, order: Order, tools: SendTools) -> Delivery:
        channel = await self._database.read(partial(tables.channel, order.payload["channel"]))
        if channel is None:
            return Delivery(ok=False, detail=DELETED, retry=False)
        if not channel.enabled:
            raise LookupError(channel.trouble or DISABLED)
        ready, message = self._configs.ready(channel), outgoing_of(order.payload)
        delivery = await attempt(ready, lambda: ready.kind.send(ready.config, message, tools), ATTEMPT_S)
        if delivery.gone and not await self._gone(channel, order):
            return attrs.evolve(delivery, gone=False, retry=True)  # the next attempt is at what the channel is now
        return delivery

    async def settled(self, record: DeliveryRecord) -> None:
        """Note on the message what came of it."""
        work = partial(tables.settle, record.delivery_id, record.state, record.attempts, record.detail)
        await self._database.write(work)
        if record.state == tables.DEAD:
            channel = record.order.payload["channel"]
            self._log.warning("message_not_delivered", channel=channel, attempts=record.attempts, reason=record.detail)

    async def _gone(self, channel: Channel, order: Order) -> bool:
        """Disable the channel, and say so in the other ones; whether it was still the one of the attempt."""
        if not await self._disable(channel, GONE):
            return False
        text = f"{GONE[0].upper()}{GONE[1:]}. Give the channel a new target and enable it again."
        await self._board.raise_message(
            NewMessage(
                title=f"Channel '{channel.name}' was disabled",
                message=text,
                severity="warning",
                category="system",
                source="messages",
                metadata={"channel": channel.name},
                cause=f"channel:{channel.name}",
                hops=order.hops + 1,
            )
        )
        return True
