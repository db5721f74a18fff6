"""Channels: made, changed and deleted by administrators."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import attrs

from neomind_sdk import BadRequest, Clock, Database, Delivery, Egress, Logger, Outbox, OutgoingMessage, SendTools
from neomind_sdk.attempts import attempt
from neomind_sdk.kinds import Accepted, Unusable
from neomind_sdk.turns import Turns

from . import tables
from .configs import RECIPIENTS, Configs
from .errors import ChannelNotFound, ChannelUnavailable, RecipientNotFound
from .kinds import Kinds
from .records import Channel, Filter, lane_of

DISABLED = "the channel is disabled"
DELETED = "the channel was deleted"
TAKEN = (".", "..", "types", "stats")
TEST_TITLE = "NeoMind test message"
TEST_TEXT = "This is a test message from NeoMind. The channel '{}' works."


@attrs.frozen(kw_only=True)
class Parts:
    """What channels work with."""

    database: Database
    outbox: Outbox
    clock: Clock
    log: Logger
    egress: Egress
    kinds: Kinds
    configs: Configs
    test_timeout_s: Callable[[], float]


@attrs.frozen(kw_only=True)
class Change:
    """What is to change of a channel. ``config`` is the whole configuration, ``keys`` are some of its keys."""

    enabled: bool | None = None
    config: Mapping[str, Any] | None = None
    keys: Mapping[str, Any] = attrs.field(factory=dict)
    chosen: Filter | None = None


class Channels:
    """The channels of the platform. Changes are written in one transaction each, one after another.

    ``names`` are those of all channels, for who may not wait for the storage.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._database = parts.database
        self._outbox = parts.outbox
        self._turns = Turns()
        self.names: frozenset[str] = frozenset()

    async def load(self) -> None:
        """Once, at start: what the outbox holds must agree with what is disabled, also after a crash in between."""
        channels, held = await self.all(), await self._outbox.held()
        self.names = frozenset(one.name for one in channels)
        for one in channels:
            if not one.enabled and one.lane not in held:
                await self._outbox.hold(one.lane, one.trouble or DISABLED)
            elif one.enabled and held.get(one.lane) == DISABLED:
                await self._outbox.release(one.lane)

    async def close(self) -> None:
        """Finish the changes that were begun."""
        await self._turns.close()

    # ---- looking up ----

    async def all(self) -> Sequence[Channel]:
        """By name."""
        return await self._database.read(tables.channels)

    async def get(self, name: str) -> Channel:
        """Raises ``ChannelNotFound``."""
        found = await self._database.read(partial(tables.channel, name))
        if found is None:
            raise ChannelNotFound(name)
        return found

    async def held(self) -> Mapping[str, str]:
        """The lanes that the outbox holds, and why."""
        return await self._outbox.held()

    def recipients(self, channel: Channel) -> list[str]:
        return [str(email) for email in channel.config.get(RECIPIENTS) or ()]

    # ---- changing ----

    async def create(self, name: str, channel_type: str, change: Change, where: str) -> Channel:
        """A new channel. Raises ``BadRequest`` for a name that is taken or a type that does not exist."""
        if name in TAKEN or name != name.strip():
            raise BadRequest(f"'{name}' cannot be the name of a channel")
        if self._parts.kinds.find(channel_type) is None:
            known = self._parts.kinds.known()
            raise BadRequest(f"There is no channel type '{channel_type[:100]}'; installed are: {known}")
        given = change.keys if change.config is None else change.config
        accepted = await self._accept(name, channel_type, given, {}, where)
        now_ms = self._parts.clock.now_ms()
        channel = Channel(
            name=name,
            channel_type=channel_type,
            enabled=change.enabled is not False,
            chosen=change.chosen or Filter(),
            created_ms=now_ms,
            updated_ms=now_ms,
            **attrs.asdict(accepted),
        )
        return await self._turns.run(partial(self._create, channel))

    async def update(self, name: str, change: Change, where: str) -> Channel:
        """The channel as it is now. Raises ``ChannelNotFound``, ``ChannelUnavailable``."""
        return await self._turns.run(partial(self._update, name, change, where))

    async def delete(self, name: str) -> None:
        """What waits for it is given up. Raises ``ChannelNotFound``."""
        await self._turns.run(partial(self._delete, name))

    async def add_recipient(self, name: str, email: str) -> Channel:
        """Raises ``BadRequest`` for an address that is there or is none."""
        return await self._turns.run(partial(self._recipients, name, add=email.strip()))

    async def remove_recipient(self, name: str, email: str) -> Channel:
        """Raises ``RecipientNotFound``."""
        return await self._turns.run(partial(self._recipients, name, remove=email.strip()))

    async def disable_gone(self, tried: Channel, reason: str) -> bool:
        """The receiver of an attempt said that it is gone for ever; whether the channel was disabled for it.

        ``tried`` is the channel as it was when the attempt began: what a former receiver says is nothing to a channel
        that has another one by now. Called while the outbox makes an attempt, so it must not wait for a change that
        waits for the outbox.
        """
        disabled = await self._database.write(partial(self._close, tried, reason))
        if disabled:
            self._parts.log.warning("channel_disabled", channel=tried.name, reason=reason)
        return disabled

    # ---- testing ----

    async def test(self, name: str) -> tuple[Delivery, int]:
        """One attempt right now, and the milliseconds it took; neither the filter nor being disabled matters."""
        channel = await self.get(name)
        try:
            ready = self._parts.configs.ready(channel)
        except Unusable as error:
            raise ChannelUnavailable(name, str(error)) from error
        clock, ident = self._parts.clock, str(uuid.uuid4())
        message = OutgoingMessage(
            id=ident,
            title=TEST_TITLE,
            message=TEST_TEXT.format(name),
            category="system",
            source="neomind",
            ts_ms=clock.now_ms(),
            test=True,
        )
        tools = SendTools(egress=self._parts.egress, clock=clock, delivery_id=f"test_{ident}")
        begun = clock.monotonic()
        limit_s = self._parts.test_timeout_s()
        delivery = await attempt(ready, lambda: ready.kind.send(ready.config, message, tools), limit_s)
        return delivery, round((clock.monotonic() - begun) * 1000)

    # ---- in turn ----

    async def _create(self, channel: Channel) -> Channel:
        await self._database.read(partial(check_free, channel.name))  # else the lane is that of somebody else
        await self._forget_lane(channel.lane)  # of a channel of this name that was deleted while the platform died
        await self._database.write(partial(insert, channel))
        self.names |= {channel.name}
        if not channel.enabled:
            await self._outbox.hold(channel.lane, DISABLED)
        self._parts.log.info("channel_created", channel=channel.name, channel_type=channel.channel_type)
        return channel

    async def _update(self, name: str, change: Change, where: str) -> Channel:
        before = await self.get(name)
        changes: dict[str, Any] = await self._accepted(before, change, where)
        if change.chosen is not None:
            changes["chosen"] = change.chosen
        if change.enabled is not None:
            changes |= {"enabled": change.enabled, "trouble": None}
        return await self._save(before, changes)

    async def _accepted(self, channel: Channel, change: Change, where: str) -> dict[str, Any]:
        if change.config is None and not change.keys:
            return {}
        try:
            self._parts.kinds.of(channel.channel_type, channel.plugin)
        except Unusable as error:
            raise ChannelUnavailable(channel.name, str(error)) from error
        given = {**channel.config, **change.keys} if change.config is None else change.config
        old = self._parts.configs.known(channel)
        return attrs.asdict(await self._accept(channel.name, channel.channel_type, given, old, where))

    async def _accept(
        self, name: str, channel_type: str, given: Mapping[str, Any], old: Mapping[str, Any], where: str
    ) -> Accepted:
        try:
            return await self._parts.configs.accept(name, channel_type, given, old, where)
        except Unusable as error:
            raise ChannelUnavailable(name, str(error)) from error

    async def _save(self, before: Channel, changes: Mapping[str, Any]) -> Channel:
        changes = {**changes, "updated_ms": self._parts.clock.now_ms()}
        after = await self._database.write(partial(evolve, before.name, changes))
        switched = "enabled" in changes
        if switched and not after.enabled:
            await self._outbox.hold(after.lane, DISABLED)
        elif switched or ("config" in changes and after.lane not in await self._outbox.held()):
            await self._outbox.release(after.lane)  # what waits is tried now, not after its pause
        return after

    async def _delete(self, name: str) -> None:
        await self.get(name)
        await self._database.write(partial(self._erase, name))
        self.names -= {name}
        await self._forget_lane(lane_of(name))
        self._parts.log.info("channel_deleted", channel=name)

    async def _forget_lane(self, lane: str) -> None:
        await self._outbox.drop_lane(lane)
        if lane in await self._outbox.held():
            await self._outbox.release(lane)

    async def _recipients(self, name: str, *, add: str | None = None, remove: str | None = None) -> Channel:
        channel = await self.get(name)
        if not self._parts.configs.has_recipients(channel.channel_type):
            raise BadRequest(f"Channels of the type '{channel.channel_type}' have no recipients")
        emails = self.recipients(channel)
        known = {email.casefold() for email in emails}
        if add is not None:
            check_new(add, known)
            emails.append(add)
        elif remove is not None:
            if remove.casefold() not in known:
                raise RecipientNotFound(remove)
            emails = [email for email in emails if email.casefold() != remove.casefold()]
        accepted = await self._accepted(channel, Change(keys={RECIPIENTS: emails}), "")
        return await self._save(channel, accepted)

    # ---- in the storage ----

    @staticmethod
    def _erase(name: str) -> None:
        tables.delete_channel(name)
        tables.give_up(name, DELETED)

    @staticmethod
    def _close(tried: Channel, reason: str) -> bool:
        now = tables.channel(tried.name)
        if now is None or not now.enabled or now.address != tried.address:
            return False
        tables.disable(tried.name, reason)
        return True


def check_free(name: str) -> None:
    if tables.channel(name) is not None:
        raise BadRequest(f"There is a channel '{name}' already")


def insert(channel: Channel) -> None:
    check_free(channel.name)
    tables.save_channel(channel)


def evolve(name: str, changes: Mapping[str, Any]) -> Channel:
    """Change what is named of a channel as it is now."""
    channel = tables.channel(name)
    if channel is None:
        raise ChannelNotFound(name)
    channel = attrs.evolve(channel, **changes)
    tables.save_channel(channel)
    return channel


def check_new(email: str, known: set[str]) -> None:
    before, at, behind = email.rpartition("@")
    if not (at and before and behind) or any(char.isspace() or not char.isprintable() for char in email):
        raise BadRequest(f"'{email[:100]}' is not an e-mail address")
    if email.casefold() in known:
        raise BadRequest(f"'{email}' is among the recipients already")
