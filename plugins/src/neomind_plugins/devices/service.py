"""The directory of devices and types: read from memory, changed through the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

import attrs

from neomind_sdk import (
    Clock,
    Conflict,
    Database,
    Device,
    DeviceOffline,
    DeviceOnline,
    DeviceRegistered,
    DeviceType,
    DeviceTypeRegistered,
    DeviceTypeUnregistered,
    DeviceUnregistered,
    DeviceUpdated,
    EventBus,
    Logger,
    NotFound,
)

from . import tables
from .configs import check_id, check_timeout, matches, sealed
from .models import KEEP, DeviceChange, DeviceSettings
from .presence import Presence
from .standing import Standing

T = TypeVar("T")


class Directory:
    """The ``DeviceDirectory`` of the platform.

    Changes run one after another: written first, then made in memory, then published. A change that was begun is
    finished even when its caller goes away, so memory and database never disagree.
    """

    def __init__(
        self, database: Database, bus: EventBus, clock: Clock, log: Logger, settings: Callable[[], DeviceSettings]
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self._types: dict[str, DeviceType] = {}
        self._devices: dict[str, Device] = {}
        self._token_hashes: dict[str, str] = {}
        self._sorted: tuple[Device, ...] | None = ()
        self._lock = asyncio.Lock()
        self._changing: set[asyncio.Task[Any]] = set()
        self.presence = Presence(database, clock, log, self.effective_timeout, self._tell)

    async def load(self) -> None:
        """Read everything; called once, at start."""
        loaded = await self._database.read(tables.load)
        self._types = {item.device_type: item for item in loaded.types}
        for device, token_hash in loaded.devices:
            self._keep(device, token_hash)
        self.presence.start(loaded.seen, loaded.standings)

    async def close(self) -> None:
        """Finish the changes that were begun, and save when devices were seen."""
        await asyncio.gather(*self._changing, return_exceptions=True)
        await self.presence.save()

    # ---- looking up ----

    def get(self, device_id: str) -> Device | None:
        return self._devices.get(device_id)

    def require(self, device_id: str) -> Device:
        """The device; raises ``NotFound``."""
        device = self._devices.get(device_id)
        if device is None:
            raise NotFound("DEVICE", device_id)
        return device

    def type_of(self, device_id: str) -> DeviceType | None:
        device = self._devices.get(device_id)
        return None if device is None else self._types.get(device.device_type)

    def get_type(self, device_type: str) -> DeviceType | None:
        return self._types.get(device_type)

    def require_type(self, device_type: str) -> DeviceType:
        """The type; raises ``NotFound``."""
        found = self._types.get(device_type)
        if found is None:
            raise NotFound("DEVICE_TYPE", device_type)
        return found

    def devices(self) -> Sequence[Device]:
        if self._sorted is None:
            self._sorted = tuple(sorted(self._devices.values(), key=lambda item: (item.name, item.device_id)))
        return self._sorted

    def types(self) -> Sequence[DeviceType]:
        return sorted(self._types.values(), key=lambda item: item.device_type)

    # ---- signs of life ----

    def seen(self, device_id: str, at_ms: int) -> None:
        if device_id in self._devices:
            self.presence.hear(device_id, at_ms)

    def last_seen(self, device_id: str) -> int | None:
        return self.presence.last_seen(device_id)

    def status(self, device_id: str) -> str:
        return self.presence.status(device_id)

    def effective_timeout(self, device_id: str) -> int:
        device = self._devices.get(device_id)
        if device is not None and device.offline_timeout_secs is not None:
            return device.offline_timeout_secs
        device_type = self.type_of(device_id)
        if device_type is not None and device_type.default_offline_timeout_secs is not None:
            return device_type.default_offline_timeout_secs
        return self._settings().default_offline_timeout_secs

    def timeouts_changed(self, device_type: str | None = None) -> None:
        """The time-out of a type may be another now, or the setting that holds for all others."""
        self.presence.review([d.device_id for d in self._devices.values() if device_type in (None, d.device_type)])

    def webhook_token_ok(self, device_id: str, token: str | None) -> bool:
        token_hash = self._token_hashes.get(device_id)
        return token_hash is None or matches(token, token_hash)

    # ---- changing ----

    async def register(self, device: Device) -> Device:
        return await self._change(partial(self._register, device))

    async def update(self, device_id: str, change: DeviceChange) -> Device:
        """The device after the change; raises ``NotFound``, ``BadRequest`` and ``InvalidDeviceConfig``."""
        return await self._change(partial(self._update, device_id, change))

    async def remove(self, device_id: str) -> None:
        await self._change(partial(self._remove, device_id))

    async def register_type(self, device_type: DeviceType) -> None:
        await self._change(partial(self._put_type, device_type))

    async def replace_type(self, device_type: DeviceType) -> None:
        """Store a type in place of the one of the same id; raises ``NotFound`` when there is none."""
        await self._change(partial(self._put_type, device_type, known=True))

    async def remove_type(self, device_type: str) -> None:
        """Raises ``NotFound``, and ``Conflict`` when there are devices of the type."""
        await self._change(partial(self._remove_type, device_type))

    async def _register(self, device: Device) -> Device:
        check_id(device.device_id)
        check_timeout(device.offline_timeout_secs)
        config, token_hash = sealed(device.connection_config)
        self.require_type(device.device_type)
        if device.device_id in self._devices:
            raise Conflict(f"A device with id '{device.device_id}' exists already")
        created_ms = device.created_ms or self._clock.now_ms()
        made = attrs.evolve(device, connection_config=config, created_ms=created_ms)
        await self._database.write(partial(tables.insert_device, made, token_hash))
        self._keep(made, token_hash)
        self._bus.publish(DeviceRegistered(device_id=made.device_id, device_type=made.device_type))
        return made

    async def _update(self, device_id: str, change: DeviceChange) -> Device:
        device, token_hash = self.require(device_id), self._token_hashes.get(device_id)
        if change.offline_timeout_secs is not KEEP:
            check_timeout(change.offline_timeout_secs)
            device = attrs.evolve(device, offline_timeout_secs=change.offline_timeout_secs)
        if change.connection_config is not None:
            config, token_hash = sealed(change.connection_config, token_hash)
            device = attrs.evolve(device, connection_config=config)
        given = {name: getattr(change, name) for name in ("name", "adapter_type", "adapter_id")}
        device = attrs.evolve(device, **{name: value for name, value in given.items() if value is not None})
        await self._database.write(partial(tables.update_device, device, token_hash))
        self._keep(device, token_hash)
        self.presence.review([device_id])
        self._bus.publish(DeviceUpdated(device_id=device_id))
        return device

    async def _remove(self, device_id: str) -> None:
        device = self.require(device_id)
        await self._database.write(partial(tables.delete_device, device_id))
        del self._devices[device_id]
        self._token_hashes.pop(device_id, None)
        self._sorted = None
        self.presence.forget(device_id)
        self._bus.publish(DeviceUnregistered(device_id=device_id, device_type=device.device_type))

    async def _put_type(self, device_type: DeviceType, *, known: bool = False) -> None:
        if known:
            self.require_type(device_type.device_type)
        await self._database.write(partial(tables.put_type, device_type))
        self._types[device_type.device_type] = device_type
        self.timeouts_changed(device_type.device_type)
        self._bus.publish(DeviceTypeRegistered(device_type=device_type.device_type))

    async def _remove_type(self, name: str) -> None:
        self.require_type(name)
        using = sum(device.device_type == name for device in self._devices.values())
        if using:
            raise Conflict(f"The device type '{name}' is in use by {using} device{'s' if using > 1 else ''}")
        await self._database.write(partial(tables.delete_type, name))
        del self._types[name]
        self._bus.publish(DeviceTypeUnregistered(device_type=name))

    async def _change(self, change: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a change when its turn comes, to its end whatever becomes of the caller."""

        async def alone() -> T:
            async with self._lock:
                return await change()

        task = asyncio.create_task(alone())
        self._changing.add(task)
        task.add_done_callback(self._changing.discard)
        return await asyncio.shield(task)

    def _tell(self, device_id: str, standing: Standing) -> None:
        device = self._devices.get(device_id)
        if device is not None and standing.online:
            self._bus.publish(DeviceOnline(device_id=device_id, device_type=device.device_type))
        elif device is not None:
            self._bus.publish(DeviceOffline(device_id=device_id, reason=standing.reason))

    def _keep(self, device: Device, token_hash: str | None) -> None:
        self._devices[device.device_id] = device
        self._sorted = None
        if token_hash is None:
            self._token_hashes.pop(device.device_id, None)
        else:
            self._token_hashes[device.device_id] = token_hash
