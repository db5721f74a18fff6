"""Looking for new extensions, and asking one whether it is well."""

from __future__ import annotations

from collections.abc import Mapping

from neomind_sdk import HealthCheck, Logger, Platform, PluginInfo, Status
from neomind_sdk.foreign import ask
from neomind_sdk.turns import Turns

from . import catalog
from .models import CheckResult, DiscoverAnswer, FoundExtension, HealthAnswer

Key = tuple[str, str]


class Discovery:
    """One look around at a time; one that began goes on to its end, whoever asked for it."""

    def __init__(self, platform: Platform, log: Logger) -> None:
        self._platform = platform
        self._log = log
        self._turns = Turns()

    async def run(self) -> DiscoverAnswer:
        """Start what is new. What fails is in the answer with its status and reason; nothing of it is raised."""
        return await self._turns.run(self._run)

    async def close(self) -> None:
        await self._turns.close()

    async def _run(self) -> DiscoverAnswer:
        before = {key(info): info.status for info in self._platform.plugins()}
        try:
            await self._platform.discover()
        except Exception as error:  # in strict mode the first plugin that fails
            self._log.error("discovery_failed", exc_info=error)
        return summary(before, list(self._platform.plugins()))


def summary(before: Mapping[Key, Status], after: list[PluginInfo]) -> DiscoverAnswer:
    """What is new, or has another status than before."""
    changed = [info for info in after if before.get(key(info)) is not info.status]
    running = sum(info.status is Status.ENABLED for info in changed)
    return DiscoverAnswer(
        message=f"{len(after)} plugins looked at, {len(changed)} new or changed, {running} of them running",
        discovered=len(changed),
        scanned=len(after),
        installed=running,
        skipped=len(after) - len(changed),
        extensions=[found(info) for info in changed],
    )


def key(info: PluginInfo) -> Key:
    """One name may come from two distributions."""
    return info.name, info.distribution


def found(info: PluginInfo) -> FoundExtension:
    return FoundExtension(
        id=info.name,
        name=info.name,
        version=info.version,
        distribution=info.distribution,
        state=catalog.state(info),
        status=info.status.value,
        reason=info.reason,
    )


async def health(platform: Platform, extension_id: str) -> HealthAnswer:
    """Whether a plugin runs and all its checks are well; raises ``NotFound``."""
    info = catalog.find(platform, extension_id)
    checks: list[HealthCheck] = [item for owner, item in platform.contributions("health") if owner == extension_id]
    answers = await ask(checks)
    running = info.status is Status.ENABLED
    return HealthAnswer(
        extension_id=extension_id,
        healthy=running and all(one.ok for one in answers),
        status=info.status.value,
        reason=info.reason,
        checks={
            check.name: CheckResult(ok=one.ok, detail=one.detail) for check, one in zip(checks, answers, strict=True)
        },
    )
