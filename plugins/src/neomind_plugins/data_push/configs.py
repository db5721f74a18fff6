"""Configurations of targets: checked by the class of their type, secrets encrypted, and shown without them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from neomind_sdk import (
    ADMIN_TARGET,
    ApiError,
    BadRequest,
    Egress,
    EgressBlocked,
    PushTargetType,
    ValidationFailed,
    masks,
)
from neomind_sdk.kinds import Accepted, Ready, Unusable
from neomind_sdk.masks import MASK, STANDS_FOR_NOTHING, Sealed, has_mask, masked, texts_of
from neomind_sdk.schema import unstructure
from neomind_sdk.vault import Vault

from .errors import SelfLoop
from .hidden import Path, at, copied, is_free, path_of, places, pointer, put, secrets_in, without
from .kinds import Kinds
from .records import Target

OWN_WEBHOOK = "this is the platform's own webhook"


class Configs:
    """From what was given to what is kept, to what is used, to what is shown."""

    def __init__(self, kinds: Kinds, vault: Vault, egress: Egress) -> None:
        self._kinds = kinds
        self._sealed = Sealed(vault, "data_push.target")
        self._egress = egress

    # ---- keeping ----

    async def accept(self, target_id: str, target_type: str, given: Mapping[str, Any], old: Target | None) -> Accepted:
        """Check a configuration. ``old`` is the target before: absent keys stay, and its secrets are what masks mean.

        Raises ``BadRequest`` for what does not fit, is a mask of nothing, or is our own ingest; ``EgressBlocked``.
        """
        plugin, kind = self._kinds.get(target_type)
        values = self._merged(kind.config, given, old)
        refuse_masks(kind.config, values)
        await self._check_targets(kind, structured(kind, values))
        secret = [path for path in places(kind.config, values) if at(values, path) not in (None, "")]
        return Accepted(
            plugin=plugin,
            config=without(values, secret),
            sealed=self._sealed.seal(target_id, {pointer(path): at(values, path) for path in secret}),
        )

    def _merged(self, cls: type[Any], given: Mapping[str, Any], old: Target | None) -> dict[str, Any]:
        """What was given over what was there; null takes a key away."""
        values = copied(given)
        if old is not None:
            values = copied({**old.config, **values})
            for text, secret in self._sealed.known(old.id, old.sealed).items():
                keep(cls, values, given, path_of(text), secret)
        return {key: value for key, value in values.items() if value is not None}

    async def _check_targets(self, kind: PushTargetType, config: Any) -> None:
        """A type may say by ``targets(config)`` where it will send to, and refuse in ``async check(config)``."""
        targets, check = getattr(kind, "targets", None), getattr(kind, "check", None)
        try:
            urls = [] if targets is None else [str(url) for url in targets(config)]
            if check is not None:
                await check(config)
        except ApiError:
            raise
        except Exception as error:  # it is somebody else's code, and looks at what somebody else typed
            raise BadRequest("config: has a target that cannot be read") from error
        for url in urls:
            await self._check_url(url)

    async def _check_url(self, url: str) -> None:
        """Where the way to a host is free and the way to the path is not, the path is that of our own ingest."""
        try:
            await self._egress.check(url, trust=ADMIN_TARGET)
        except EgressBlocked as blocked:
            if not await self._is_free(url):
                raise
            raise SelfLoop(OWN_WEBHOOK) from blocked

    async def _is_free(self, url: str) -> bool:
        """Whether the host of a URL may be reached, wherever on it."""
        try:
            parts = urlsplit(url)
            await self._egress.check(f"{parts.scheme}://{parts.netloc}/", trust=ADMIN_TARGET)
        except (EgressBlocked, ValueError):
            return False
        return True

    # ---- using ----

    def ready(self, target: Target) -> Ready[PushTargetType]:
        """What the target is served with; raises ``Unusable`` with the reason why it cannot be."""
        kind, values = self._kinds.of(target.target_type, target.plugin), copied(target.config)
        secrets = self._sealed.unseal(target.id, target.sealed)
        for place, secret in secrets.items():
            put(values, path_of(place), secret)
        try:
            config = structured(kind, values)
        except ApiError as error:
            raise Unusable(f"its configuration does not fit its type any more: {error.message}") from error
        return Ready(kind, config, tuple(texts_of(secrets.values())))

    # ---- showing ----

    def reason(self, target: Target) -> str | None:
        """Why the target cannot be served; ``None`` when it can."""
        try:
            self.ready(target)
        except Unusable as error:
            return str(error)
        return None

    def shown(self, target: Target) -> dict[str, Any]:
        """All fields of the configuration, defaults included, with masks for secrets."""
        try:
            ready = self.ready(target)
        except Unusable:
            kept = copied(target.config)
            for place in target.sealed:
                put(kept, path_of(place), MASK)
            return kept
        values: dict[str, Any] = unstructure(ready.config)
        for path in places(ready.kind.config, values):
            put(values, path, masked(at(values, path)))
        return values


def keep(cls: type[Any], values: dict[str, Any], given: Mapping[str, Any], path: Path, secret: Any) -> None:
    """Put an old secret where its mask is, or where nothing was given; a free object that was given is all there is."""
    now, top = at(values, path), path[0]
    absent = top not in given or (now is None and given[top] is not None and not is_free(cls, top))
    if now == MASK or absent:
        put(values, path, secret)
    elif isinstance(now, dict) and isinstance(secret, Mapping):
        now.update({key: secret.get(key, MASK) for key, item in now.items() if item == MASK})


def refuse_masks(cls: type[Any], values: Mapping[str, Any]) -> None:
    """A mask that stands for nothing must not become the secret."""
    wrong = [path for path in places(cls, values) if has_mask(at(values, path))]
    if wrong:
        raise BadRequest(f"config.{'.'.join(wrong[0])}: {STANDS_FOR_NOTHING}")


def structured(kind: PushTargetType, values: Mapping[str, Any]) -> Any:
    """An instance of a type's configuration. Raises ``BadRequest`` that shows no secret, and ``Unusable``."""
    try:
        return masks.structured(kind, values, secrets_in(kind.config, values), "config.")
    except ValidationFailed as error:
        raise ApiError("BAD_REQUEST", error.message, details=error.details) from None
