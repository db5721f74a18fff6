"""Whether everything vital is well."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from neomind_sdk import Health, HealthCheck, Platform, Transport, TransportStatus
from neomind_sdk.foreign import HEALTH_S, ForeignError, ask, call
from neomind_sdk.public import public

from .models import ReadyAnswer

ALWAYS = ("llm", "mqtt", "database")
MQTT = "mqtt"


class Readiness:
    """Asks the health checks of all plugins; whoever asks meanwhile gets the same answer."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._running: asyncio.Task[ReadyAnswer] | None = None

    async def check(self) -> ReadyAnswer:
        """Takes as long as the slowest check, 2 s at most."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._check(), name="readiness")
        return await asyncio.shield(self._running)

    async def _check(self) -> ReadyAnswer:
        checks: list[HealthCheck] = [check for _, check in self._platform.contributions("health")]
        found = dict(zip((check.name for check in checks), await ask(checks), strict=True))
        if MQTT not in found:
            found[MQTT] = await mqtt_health(self._platform)
        for name in ALWAYS:
            found.setdefault(name, Health(ok=False, detail="no running plugin reports on it"))
        return ReadyAnswer(
            ready=all(found[check.name].ok for check in checks if check.vital),
            dependencies={name: found[name].ok for name in (*ALWAYS, *sorted(found.keys() - set(ALWAYS)))},
            notes=[f"{name}: {public(health.detail)}" for name, health in sorted(found.items()) if not health.ok],
        )


async def mqtt_health(platform: Platform) -> Health:
    """That of the transports, where no check is called so."""
    statuses = await mqtt_statuses(platform)
    if not statuses:
        return Health(ok=False, detail="no MQTT transport is running")
    return Health(ok=any(status.connected for status in statuses), detail="; ".join(s.detail for s in statuses))


async def mqtt_statuses(platform: Platform) -> Sequence[TransportStatus]:
    """What the transports for MQTT devices say."""
    transports = [one for _, one in platform.contributions("transports") if MQTT in one.adapter_types]
    return await asyncio.gather(*map(status_of, transports))


async def status_of(transport: Transport) -> TransportStatus:
    try:
        status = await call(transport.status, HEALTH_S)
    except ForeignError as error:
        return TransportStatus(connected=False, detail=f"{transport.name}: {error}")
    if isinstance(status, TransportStatus):
        return status
    return TransportStatus(connected=False, detail=f"{transport.name} does not tell its status")
