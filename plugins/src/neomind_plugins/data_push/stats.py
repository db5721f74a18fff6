"""The numbers of all targets, and what is tidied up."""

from __future__ import annotations

import attrs

from neomind_sdk.units import DAY_MS

from . import tables
from .engine import Engine
from .models import PushStats
from .service import Targets
from .writer import Writer

ENDS_KEPT_MS = 30 * DAY_MS


@attrs.frozen(kw_only=True)
class Numbers:
    targets: Targets
    engine: Engine
    writer: Writer

    async def stats(self) -> PushStats:
        targets, counts = await self.targets.all(), await self.writer.database.read(tables.counts)
        return PushStats(
            total_targets=len(targets),
            active_targets=sum(one.enabled for one in targets),
            total_deliveries=counts.queued,
            successful_deliveries=counts.delivered,
            failed_deliveries=counts.failed,
            hop_limited=counts.hops,
            dropped=counts.dropped,
            missed_events=self.engine.missed,
        )

    async def tidy(self) -> None:
        """Forget how deliveries ended that nobody will tell us of again."""
        before_ms = self.writer.clock.now_ms() - ENDS_KEPT_MS
        await self.writer.database.write(lambda: tables.forget_ends(before_ms))
