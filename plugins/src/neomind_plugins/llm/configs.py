"""Configurations of backends: checked by the class of their type, secrets encrypted, opened, and shown without them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import attrs
import orjson

from neomind_sdk import ADMIN_TARGET, Egress, LLMBackend, LLMBackendType, ValidationFailed, masks
from neomind_sdk.kinds import Unusable
from neomind_sdk.masks import Sealed, masked, scrubbed, texts_of
from neomind_sdk.schema import secret_fields
from neomind_sdk.vault import Vault

from .kinds import Kinds
from .merging import merged
from .records import Backend, same_target

KEY = "api_key"
OWN = frozenset({"endpoint", "model", KEY})
"""The fields that every backend shows by themselves."""
SHARED = frozenset({"temperature", "top_p", "top_k", "thinking", "thinking_enabled", "thinking_effort"})
"""What every backend has whatever its type: requests carry it, so that classes need not know it."""


@attrs.frozen
class Opened:
    """A backend that can be asked, and the secrets that nothing it says may show."""

    backend: LLMBackend
    secrets: tuple[str, ...] = attrs.field(repr=False)


class Configs:
    """From what was given to what is kept, to what is used, to what is shown."""

    def __init__(self, kinds: Kinds, vault: Vault, egress: Egress) -> None:
        self._kinds = kinds
        self._sealed = Sealed(vault, "llm.backend")
        self._egress = egress
        self._opened: dict[str, tuple[Backend, LLMBackendType, Opened]] = {}

    # ---- keeping ----

    async def accept(
        self,
        ident: str,
        backend_type: str,
        given: Mapping[str, Any],
        config: Mapping[str, Any],
        secrets: Mapping[str, Any],
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """``(configuration, sealed secrets)`` after a change; ``config`` and ``secrets`` are those before.

        Raises ``UnknownType``, ``ValidationFailed`` and ``EgressBlocked``.
        """
        _, kind = self._kinds.wanted(backend_type)
        known = {field.name for field in attrs.fields(kind.config) if field.init} - SHARED
        values = {key: value for key, value in given.items() if key in known}
        config, secrets = merged(secret_fields(kind.config), config, secrets, _with_own_endpoint(values))
        _check(kind, config, secrets)
        _check_json({**config, **secrets})
        structured(kind, config, secrets)
        if "endpoint" in config:  # the type's own is as good as the type, and is looked at when it is used
            await self.check_endpoint(config["endpoint"])
        return config, self._sealed.seal(ident, dict(sorted(secrets.items())))

    async def check_endpoint(self, endpoint: Any) -> None:
        """Raises ``ValidationFailed`` for what is no address, ``EgressBlocked`` for one that may not be reached."""
        problem = "must be a text" if not isinstance(endpoint, str) else problem_of_address(endpoint)
        if problem:
            raise ValidationFailed(("endpoint", problem))
        await self._egress.check(endpoint, trust=ADMIN_TARGET)

    # ---- using ----

    def secrets(self, backend: Backend) -> dict[str, Any]:
        """The secrets of a backend; raises ``Unusable`` when they cannot be decrypted."""
        return self._sealed.unseal(backend.id, backend.sealed)

    def known(self, backend: Backend) -> dict[str, Any]:
        """The secrets of a backend before a change; none when they cannot be decrypted."""
        return self._sealed.known(backend.id, backend.sealed)

    def opened(self, backend: Backend) -> Opened:
        """The backend, ready to be asked; raises ``Unusable`` with the reason why it is not.

        It is opened once for each configuration: what it learned when it was probed it may keep.
        """
        kind = self._kinds.of(backend.backend_type, backend.plugin)
        before, its_kind, opened = self._opened.get(backend.id, (None, None, None))
        if before is None or opened is None or its_kind is not kind or not same_target(before, backend):
            opened = self._open(backend, kind)
            self._opened[backend.id] = backend, kind, opened
        return opened

    def forget(self, backend_id: str) -> None:
        """Keep a backend open no longer."""
        self._opened.pop(backend_id, None)

    def _open(self, backend: Backend, kind: LLMBackendType) -> Opened:
        secrets = self.secrets(backend)
        hidden = tuple(texts_of(secrets.values()))
        try:
            return Opened(kind.open(structured(kind, backend.config, secrets), self._egress), hidden)
        except ValidationFailed as error:
            raise Unusable(f"its configuration does not fit its type any more: {error.message}") from error
        except Unusable:
            raise
        except Exception as error:  # it is somebody else's code
            text = scrubbed(f"{type(error).__name__}: {error}", hidden)
            raise Unusable(f"it cannot be opened: {text}") from None

    def trouble(self, backend: Backend) -> str | None:
        """Why the backend cannot be asked, if so."""
        try:
            self.opened(backend)
        except Unusable as error:
            return str(error)
        return None

    # ---- showing ----

    def further(self, backend: Backend) -> dict[str, Any]:
        """The keys of a type's own that were given, with masks for secrets."""
        try:
            secrets = self.secrets(backend)
        except Unusable:
            secrets = dict.fromkeys(backend.sealed, "sealed")
        shown = {**backend.config, **{key: masked(value) for key, value in secrets.items()}}
        return {key: value for key, value in shown.items() if key not in OWN}


def _with_own_endpoint(values: Mapping[str, Any]) -> dict[str, Any]:
    """An empty endpoint is none."""
    endpoint = values.get("endpoint")
    own = isinstance(endpoint, str) and not endpoint.strip()
    return {**values, "endpoint": None} if own else dict(values)


def _check(kind: LLMBackendType, config: Mapping[str, Any], secrets: Mapping[str, Any]) -> None:
    """What the type wants and its class cannot say. A server of one's own may do without a key."""
    own = config.get("endpoint", kind.default_endpoint) == kind.default_endpoint
    if kind.requires_api_key and own and KEY not in secrets:
        raise ValidationFailed((KEY, "is required"))
    if kind.default_model and not str(config.get("model", "")).strip():
        raise ValidationFailed(("model", "must not be blank"))


def _check_json(values: Mapping[str, Any]) -> None:
    """Classes may let through what no storage keeps: half a character."""
    for key, value in values.items():
        try:
            orjson.dumps(value)
        except TypeError:
            raise ValidationFailed((key, "must not hold unpaired surrogates")) from None


def structured(kind: LLMBackendType, config: Mapping[str, Any], secrets: Mapping[str, Any]) -> Any:
    """An instance of a type's configuration. Raises ``ValidationFailed`` that shows no secret, and ``Unusable``."""
    return masks.structured(kind, {"endpoint": kind.default_endpoint, **config, **secrets}, secrets.values())


def problem_of_address(text: str) -> str | None:
    """Why a text is no address of a server."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "must be a URL"
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return "must be a URL that begins with http:// or https://"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user name or password"
    return "must not hold blanks" if text.split() != [text] else None
