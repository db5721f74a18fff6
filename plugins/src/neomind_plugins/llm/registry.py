"""The backends of the platform: made, changed, pinned, activated and deleted."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import attrs

from neomind_sdk import Capabilities, Clock, Database, Logger
from neomind_sdk.kinds import Unusable
from neomind_sdk.turns import Turns

from . import tables, talents
from .configs import Configs
from .errors import BackendActive, BackendNotFound, BackendUnusable
from .kinds import Kinds
from .models import CapabilitiesBody
from .records import Backend, same_target


@attrs.frozen(kw_only=True)
class Parts:
    """What the registry works with."""

    database: Database
    clock: Clock
    log: Logger
    kinds: Kinds
    configs: Configs


@attrs.frozen(kw_only=True)
class Change:
    """What is to change.

    ``fields`` are those of ``Backend`` as they are, ``keys`` those of the configuration; ``capabilities`` is what is
    said of the model.
    """

    fields: Mapping[str, Any] = attrs.field(factory=dict)
    keys: Mapping[str, Any] = attrs.field(factory=dict)
    capabilities: CapabilitiesBody | None = None


class Registry:
    """All backends are in memory and in the database; changes take turns."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._turns = Turns()
        self._all: dict[str, Backend] = {}
        self.active_id: str | None = None

    async def load(self) -> None:
        """Once, at start."""
        backends, active = await self._parts.database.read(tables.load)
        self._all = {backend.id: backend for backend in backends}
        self.active_id = active if active in self._all else None

    async def close(self) -> None:
        """Finish the changes that were begun."""
        await self._turns.close()

    # ---- looking ----

    def all(self) -> Sequence[Backend]:
        """By name, then id."""
        return sorted(self._all.values(), key=lambda backend: (backend.name, backend.id))

    def find(self, backend_id: str | None) -> Backend | None:
        return self._all.get(backend_id or "")

    def get(self, backend_id: str) -> Backend:
        """Raises ``BackendNotFound``."""
        found = self.find(backend_id)
        if found is None:
            raise BackendNotFound(backend_id)
        return found

    # ---- changing ----

    async def create(self, backend_type: str, change: Change) -> Backend:
        """A new one, not active. Raises ``UnknownType``, ``ValidationFailed`` and ``EgressBlocked``."""
        return await self._turns.run(partial(self._create, backend_type, change))

    async def update(self, backend_id: str, change: Change) -> tuple[Backend, Backend]:
        """``(before, after)``. Raises as ``create`` does, ``BackendNotFound`` and ``BackendUnusable``."""
        return await self._turns.run(partial(self._update, backend_id, change))

    async def delete(self, backend_id: str) -> Backend:
        """The one that is gone. Raises ``BackendNotFound`` and ``BackendActive``."""
        return await self._turns.run(partial(self._delete, backend_id))

    async def activate(self, backend_id: str) -> Backend:
        """From now on this is the active one, and no other. Raises ``BackendNotFound``."""
        return await self._turns.run(partial(self._activate, backend_id))

    async def pin(self, backend_id: str, multimodal: bool | None) -> Backend:
        """Pin what the model is said to be able to, or unpin it. Raises ``BackendNotFound``."""
        return await self._turns.run(partial(self._pin, backend_id, multimodal))

    async def learn(self, asked: Backend, found: Capabilities) -> None:
        """What ``asked`` said of its model; that is forgotten when it was changed or deleted meanwhile."""
        await self._turns.run(partial(self._learn, asked, found))

    # ---- in turn ----

    async def _create(self, backend_type: str, change: Change) -> Backend:
        plugin, kind = self._parts.kinds.wanted(backend_type)
        ident, now_ms = self._free_id(kind.name), self._parts.clock.now_ms()
        empty = Backend(
            id=ident, name="", backend_type=kind.name, plugin=plugin, config={}, sealed={}, created_ms=now_ms
        )
        backend = await self._configured(empty, change, {})
        await self._save(self._described(backend, change, None))
        self._parts.log.info("llm_backend_created", backend_id=ident, backend_type=kind.name)
        return self._all[ident]

    async def _update(self, backend_id: str, change: Change) -> tuple[Backend, Backend]:
        before = self.get(backend_id)
        after = before
        if change.keys:
            after = await self._configured(before, change, self._known_secrets(before))
        elif change.fields:
            after = attrs.evolve(before, **change.fields)
        await self._save(self._described(after, change, before))
        return before, self._all[backend_id]

    async def _delete(self, backend_id: str) -> Backend:
        backend = self.get(backend_id)
        if backend_id == self.active_id:
            raise BackendActive(backend.name)
        await self._parts.database.write(partial(tables.delete, backend_id))
        self._parts.configs.forget(backend_id)
        self._parts.log.info("llm_backend_deleted", backend_id=backend_id)
        return self._all.pop(backend_id)

    async def _activate(self, backend_id: str) -> Backend:
        backend = self.get(backend_id)
        await self._parts.database.write(partial(tables.activate, backend_id))
        self.active_id = backend_id
        self._parts.log.info("llm_backend_activated", backend_id=backend_id)
        return backend

    async def _pin(self, backend_id: str, multimodal: bool | None) -> Backend:
        backend = self.get(backend_id)
        if multimodal is None and backend.multimodal is not None:
            backend = self._unpinned(backend)
        await self._save(attrs.evolve(backend, multimodal=multimodal))
        return self._all[backend_id]

    def _unpinned(self, backend: Backend) -> Backend:
        """By the name from now on, until the backend is asked the next time: it may be another model by now."""
        guess = self._parts.kinds.guess(backend.backend_type, backend.model)
        detected = attrs.evolve(backend.detected, multimodal=guess.multimodal, source=guess.source)
        said = {key: value for key, value in backend.declared.items() if key != "multimodal"}
        return attrs.evolve(backend, detected=detected, declared=said, probed=False)

    async def _learn(self, asked: Backend, found: Capabilities) -> None:
        now = self.find(asked.id)
        if now is not None and same_target(asked, now):
            await self._store(attrs.evolve(now, detected=found, probed=True))

    # ---- parts of a change ----

    async def _configured(self, backend: Backend, change: Change, secrets: Mapping[str, Any]) -> Backend:
        """With the fields and the keys of a change. Secrets that did not change keep their seal."""
        configs, ident = self._parts.configs, backend.id
        try:
            config, sealed = await configs.accept(ident, backend.backend_type, change.keys, backend.config, secrets)
            after = attrs.evolve(backend, **{**change.fields, "config": config, "sealed": sealed})
            same = secrets == configs.secrets(after)
        except Unusable as error:
            raise BackendUnusable(backend.name or backend.backend_type, str(error)) from error
        return attrs.evolve(after, sealed=backend.sealed) if same else after

    def _known_secrets(self, backend: Backend) -> Mapping[str, Any]:
        """Raises ``BackendUnusable`` when the type is not there, for nothing can be checked then."""
        try:
            self._parts.kinds.of(backend.backend_type, backend.plugin)
        except Unusable as error:
            raise BackendUnusable(backend.name, str(error)) from error
        return self._parts.configs.known(backend)

    def _described(self, backend: Backend, change: Change, before: Backend | None) -> Backend:
        """With what is said of the model; of another model than before only its name is known."""
        said = talents.declared(change.capabilities, before)
        if before is not None and backend.model == before.model:
            return attrs.evolve(backend, declared={**backend.declared, **said})
        guess = self._parts.kinds.guess(backend.backend_type, backend.model)
        return attrs.evolve(backend, detected=guess, probed=False, declared=said)

    async def _save(self, backend: Backend) -> None:
        await self._store(attrs.evolve(backend, updated_ms=self._parts.clock.now_ms()))

    async def _store(self, backend: Backend) -> None:
        await self._parts.database.write(partial(tables.save, backend))
        self._all[backend.id] = backend

    def _free_id(self, backend_type: str) -> str:
        """``<type>_<8 hex digits>``, of nobody yet."""
        while (ident := f"{backend_type}_{secrets.token_hex(4)}") in self._all:
            continue
        return ident
