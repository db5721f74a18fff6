"""Finding out what models can do, from those who serve them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import attrs

from neomind_sdk import Capabilities, Clock, Logger
from neomind_sdk.foreign import ForeignError
from neomind_sdk.kinds import Unusable
from neomind_sdk.waiting import TooSlow, within

from .configs import Configs
from .failures import failure
from .kinds import Kinds
from .records import Backend
from .registry import Registry
from .talents import DEFAULT, RUNTIME, sound


@attrs.define(eq=False)
class Prober:
    """Asks backends about their models. That may fail: what is supposed by the name holds until it succeeds."""

    registry: Registry
    configs: Configs
    kinds: Kinds
    clock: Clock
    log: Logger
    timeout_s: Callable[[], float]

    async def probe(self, backend_id: str) -> None:
        """Ask one backend, if it is there."""
        backend = self.registry.find(backend_id)
        found = await self._found(backend) if backend is not None else None
        if backend is not None and found is not None:
            await self.registry.learn(backend, found)

    async def probe_again(self) -> None:
        """Ask those whose servers know, and those that could not be asked yet; a name tells the same every hour."""
        due = [one.id for one in self.registry.all() if not one.probed or one.detected.source == RUNTIME]
        await asyncio.gather(*map(self.probe, due))

    async def _found(self, backend: Backend) -> Capabilities | None:
        secrets: tuple[str, ...] = ()
        try:
            opened = self.configs.opened(backend)
            secrets = opened.secrets
            found = sound(await within(self.clock, self.timeout_s(), opened.backend.probe))
        except (Unusable, TooSlow, ForeignError, TypeError) as error:
            reason = str(failure(error, secrets))
            self.log.info("llm_backend_not_probed", backend_id=backend.id, reason=reason)
            return None
        known = found.source != DEFAULT
        return found if known else self.kinds.guess(backend.backend_type, backend.model)
