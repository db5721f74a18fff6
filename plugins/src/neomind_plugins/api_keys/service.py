"""API keys: looked up in memory, changed through the database."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence, Set
from functools import partial

import attrs

from neomind_sdk import (
    EVERYTHING,
    Clock,
    Database,
    EventBus,
    Logger,
    Principal,
    Rejection,
    SessionEnded,
)
from neomind_sdk.turns import Turns

from . import rules, tables, texts
from .errors import KeyNotFound, OutlivesCreator
from .models import Draft, Issued, Key, KeyCreateBody
from .uses import Uses

DEFAULT_NAME = "Default API Key"
ID_PREFIX = "apikey:"
LOOK_EVERY_S = 10.0
EXPIRED = Rejection("API_KEY_EXPIRED", "The API key has expired")


@attrs.frozen
class _Live:
    """A key and who its bearer is."""

    key: Key
    principal: Principal


class ApiKeys:
    """The keys of the platform.

    Every request with a key asks ``identify``, so keys are held in memory, by their hashes. Changes run one after
    another: written first, then made in memory, then published. ``areas`` gives the areas that permissions may name
    besides those that are always known.
    """

    def __init__(
        self, database: Database, bus: EventBus, clock: Clock, log: Logger, areas: Callable[[], Set[str]]
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._log = log
        self._areas = areas
        self._turns = Turns()
        self._uses = Uses(database)
        self._by_id: dict[str, _Live] = {}
        self._by_hash: dict[str, _Live] = {}
        self._looked_ms = clock.now_ms()

    async def load(self, default: str | None = None) -> None:
        """Read everything; called once, at start. ``default`` is the key from the environment.

        Without one, a default key of an earlier start stays: ``neomind key`` runs in other environments than the
        platform. To be rid of it, take the variable away and delete the key.
        """
        for values in await self._database.read(tables.load):
            self._keep(Key(**{**values, "permissions": tuple(values["permissions"].split())}))
        used = {key_id: live.key.last_used_ms for key_id, live in self._by_id.items()}
        self._uses.start({key_id: at_ms for key_id, at_ms in used.items() if at_ms is not None})
        if default is not None:
            await self._turns.run(partial(self._seed, default))

    async def close(self) -> None:
        """Finish the changes that were begun, and write when keys were last used."""
        await self._turns.close()
        await self._uses.save()

    # ---- looking up ----

    def identify(self, text: str) -> Principal | Rejection | None:
        """Whose key this is; ``None`` when there is no such key."""
        live = self._by_hash.get(texts.digest(text))
        if live is None:
            return None
        now_ms = self._clock.now_ms()
        if live.key.expired(now_ms):
            return EXPIRED
        self._uses.note(live.key.id, now_ms)
        return live.principal

    def all(self) -> Sequence[Key]:
        """All keys, the oldest first."""
        found = [attrs.evolve(live.key, last_used_ms=self._uses.last(key_id)) for key_id, live in self._by_id.items()]
        return sorted(found, key=lambda key: (key.created_ms, key.name, key.id))

    def count(self) -> int:
        """How many keys there are."""
        return len(self._by_id)

    def has_default(self) -> bool:
        """Whether one of them came from the environment."""
        return any(live.key.is_default for live in self._by_id.values())

    # ---- changing ----

    async def create(self, body: KeyCreateBody, creator: Principal | None = None) -> Issued:
        """A new key. ``creator`` is ``None`` for who works on the data directory, and may grant everything.

        Raises ``ValidationFailed``, ``GrantRefused``, ``OutlivesCreator``.
        """
        draft = rules.read(body, self._areas(), self._clock.now_ms())
        if creator is not None:
            rules.check_grant(creator, draft.permissions)
            self._check_expiry(creator, draft.expires_ms)
        text = texts.make()
        key = self._key(text, draft)
        await self._turns.run(partial(self._add, key))
        self._log.info("api_key_created", key_id=key.id, by=creator.id if creator else None)
        return Issued(key=key, text=text)

    async def delete(self, key_id: str) -> Key:
        """The key that was deleted; its streams end. Raises ``KeyNotFound``."""
        return await self._turns.run(partial(self._delete, key_id))

    async def keep_up(self) -> None:
        """Again and again: end the streams of expired keys, and write when keys were last used."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            self.end_expired()
            try:
                await self._uses.save()
            except Exception as error:  # whatever it is: keys hold all the same, and the next time may be better
                self._log.warning("last_use_of_keys_not_saved", exc_info=error)

    def end_expired(self) -> None:
        """Say of each key that expired since the last time that its streams must close."""
        since_ms, self._looked_ms = self._looked_ms, self._clock.now_ms()
        for live in self._by_id.values():
            expires_ms = live.key.expires_ms
            if expires_ms is not None and since_ms < expires_ms <= self._looked_ms:
                self._end(live, "expired")

    # ---- in turn ----

    async def _add(self, key: Key) -> None:
        await self._database.write(partial(tables.insert, _row(key)))
        self._keep(key)

    async def _delete(self, key_id: str) -> Key:
        live = self._by_id.get(key_id)
        if live is None:
            raise KeyNotFound(key_id)
        await self._database.write(partial(tables.delete, key_id))
        self._drop(live)
        self._end(live, "API key deleted")
        self._log.info("api_key_deleted", key_id=key_id)
        return live.key

    async def _seed(self, text: str) -> None:
        """Make the key from the environment the default key, unless it is already.

        A key of ours that is given there may everything from then on: who sets the variable owns the machine.
        """
        same = self._by_hash.get(texts.digest(text))
        if same is not None and same.key.is_default:
            return
        key = attrs.evolve(self._key(text, Draft(name=DEFAULT_NAME)), is_default=True)
        await self._database.write(partial(tables.replace_default, _row(key)))
        for live in [live for live in self._by_id.values() if live.key.is_default or live is same]:
            self._drop(live)
        self._keep(key)
        self._log.info("default_api_key_taken_from_environment", key_id=key.id)

    # ---- help ----

    def _key(self, text: str, draft: Draft) -> Key:
        return Key(
            id=str(uuid.uuid4()),
            name=draft.name,
            key_hash=texts.digest(text),
            preview=texts.preview(text),
            permissions=draft.permissions,
            created_ms=self._clock.now_ms(),
            expires_ms=draft.expires_ms,
        )

    def _check_expiry(self, creator: Principal, expires_ms: int | None) -> None:
        live = self._by_id.get(creator.id.removeprefix(ID_PREFIX)) if creator.kind == "api_key" else None
        limit_ms = live.key.expires_ms if live else None
        if limit_ms is not None and (expires_ms is None or expires_ms > limit_ms):
            raise OutlivesCreator

    def _keep(self, key: Key) -> None:
        self._by_id[key.id] = self._by_hash[key.key_hash] = _Live(key, _principal(key))

    def _drop(self, live: _Live) -> None:
        del self._by_id[live.key.id], self._by_hash[live.key.key_hash]
        self._uses.forget(live.key.id)

    def _end(self, live: _Live, reason: str) -> None:
        self._bus.publish(SessionEnded(principal_id=live.principal.id, reason=reason))


def _principal(key: Key) -> Principal:
    role = "admin" if EVERYTHING in key.permissions else "user"
    scopes = frozenset(key.permissions)
    return Principal(kind="api_key", id=f"{ID_PREFIX}{key.id}", name=key.name, role=role, scopes=scopes)


def _row(key: Key) -> dict[str, object]:
    return {**attrs.asdict(key), "permissions": " ".join(key.permissions)}
