"""Share links: made, listed and revoked by owners, opened by whoever has the token."""

from __future__ import annotations

import math
import uuid
from functools import partial

import attrs

from neomind_sdk import BadRequest, Clock, Conflict, Database, EventBus, Logger, NotFound, SessionEnded
from neomind_sdk.turns import Turns
from neomind_sdk.units import DAY_MS, HOUR_MS

from . import tables, tokens
from .errors import ShareExpired, ShareNotFound
from .records import Opened, Share
from .service import require
from .share_models import HOURS_MAX

LINKS_MAX = 500
FORGOTTEN_MS = 90 * DAY_MS
"""How long an expired link is known to have been one."""


@attrs.frozen
class Issued:
    """A new link, and its token, which is nowhere else."""

    share: Share
    token: str


class Shares:
    """The share links of all dashboards."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock, log: Logger) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._log = log
        self._turns = Turns()

    async def close(self) -> None:
        """Finish the changes that were begun."""
        await self._turns.close()

    async def create(self, dashboard_id: str, *, allow_interactive: bool, hours: float | None) -> Issued:
        """A new link; raises ``NotFound``, ``BadRequest`` for a lifetime that cannot be, ``Conflict`` for too many."""
        token, now_ms = tokens.make(), self._clock.now_ms()
        share = Share(
            id=f"share_{uuid.uuid4().hex}",
            token_hash=tokens.digest(token),
            preview=tokens.preview(token),
            dashboard_id=dashboard_id,
            allow_interactive=allow_interactive,
            created_ms=now_ms,
            expires_ms=None if hours is None else now_ms + lifetime_ms(hours),
        )

        def work() -> None:
            require(dashboard_id)
            tables.forget_shares(now_ms - FORGOTTEN_MS)
            if len(tables.live_shares(dashboard_id, now_ms)) >= LINKS_MAX:
                raise Conflict(f"The dashboard has {LINKS_MAX} share links; revoke some")
            tables.insert_share(share)

        await self._turns.run(partial(self._database.write, work))
        self._log.info("share_created", share_id=share.id, dashboard_id=dashboard_id)
        return Issued(share, token)

    async def live(self, dashboard_id: str) -> list[Share]:
        """The links of a dashboard that open it; none when there is no such dashboard."""
        return await self._database.read(partial(tables.live_shares, dashboard_id, self._clock.now_ms()))

    async def revoke(self, dashboard_id: str, text: str) -> None:
        """Make a link that never was of one that has this id or token; raises ``ShareNotFound``."""
        await self._turns.run(partial(self._revoke, dashboard_id, text))

    async def open(self, token: str) -> Opened:
        """What a token opens; raises ``ShareNotFound``, ``NotFound`` for its dashboard, then ``ShareExpired``."""
        found = await self._database.read(partial(tables.opened, tokens.digest(token)))
        if found is None:
            raise ShareNotFound
        share, dashboard = found
        if dashboard is None:
            raise NotFound("DASHBOARD", share.dashboard_id)
        if share.expired(self._clock.now_ms()):
            raise ShareExpired
        return Opened(share=share, dashboard=dashboard)

    async def _revoke(self, dashboard_id: str, text: str) -> None:
        take = partial(tables.take_share, dashboard_id, text, tokens.digest(text))
        share = await self._database.write(take)
        if share is None:
            raise ShareNotFound
        self._bus.publish(SessionEnded(principal_id=share.id, reason="share link revoked"))
        self._log.info("share_revoked", share_id=share.id, dashboard_id=dashboard_id)


def lifetime_ms(hours: float) -> int:
    """Raises ``BadRequest`` for a lifetime that is none, or longer than anybody means."""
    if not 0 < hours <= HOURS_MAX:
        raise BadRequest(f"expires_in_hours: must be more than 0 and at most {HOURS_MAX}")
    return math.ceil(hours * HOUR_MS)
