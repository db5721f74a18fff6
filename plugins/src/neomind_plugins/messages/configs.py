"""Configurations of channels: checked by the class of their type, secrets encrypted, and shown without them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import attrs
import orjson

from neomind_sdk import ADMIN_TARGET, ApiError, ChannelType, Egress, ValidationFailed
from neomind_sdk.schema import secret_fields, structure, unstructure
from neomind_sdk.vault import CannotUnseal, Vault

from .kinds import Kinds, Unusable
from .records import Channel

MASK = "***"
RECIPIENTS = "recipients"


class ChannelVault(Vault):
    """The vault as this plugin has it: services are keyed by class, and each plugin has one of its own."""


@attrs.frozen(kw_only=True)
class Accepted:
    """A configuration as it is kept."""

    plugin: str
    config: Mapping[str, Any]
    sealed: Mapping[str, str]


@attrs.frozen
class Ready:
    """What a channel sends with."""

    kind: ChannelType
    config: Any
    secrets: tuple[str, ...] = attrs.field(repr=False)


class Configs:
    """From what was given to what is kept, to what is used, to what is shown."""

    def __init__(self, kinds: Kinds, vault: Vault, egress: Egress) -> None:
        self._kinds = kinds
        self._vault = vault
        self._egress = egress

    # ---- keeping ----

    async def accept(
        self, name: str, channel_type: str, given: Mapping[str, Any], old: Mapping[str, Any], where: str = "config."
    ) -> Accepted:
        """Check a configuration. ``old`` are the secrets that an absent one or the mask stands for.

        ``where`` stands before the fields' names in errors. Raises ``ValidationFailed``, ``EgressBlocked``, and
        ``ChannelTypeNotFound``.
        """
        plugin, kind = self._kinds.get(channel_type)
        names = secret_fields(kind.config)
        known = {field.name for field in attrs.fields(kind.config) if field.init}
        values = {key: value for key, value in given.items() if key in known}
        values |= {key: unmasked(values.get(key, MASK), old[key]) for key in names & old.keys()}
        refuse_masks(where, {key: values[key] for key in names & values.keys()})
        await self._check_targets(kind, structured(kind, values, where), where)
        return Accepted(
            plugin=plugin,
            config={key: value for key, value in values.items() if key not in names},
            sealed={key: self._seal(name, key, values[key]) for key in sorted(names & values.keys())},
        )

    async def _check_targets(self, kind: ChannelType, config: Any, where: str) -> None:
        """A type may say, by a method ``targets(config)``, which URLs it will send to."""
        targets = getattr(kind, "targets", None)
        if targets is None:
            return
        try:
            urls = [str(url) for url in targets(config)]
        except Exception as error:  # it is somebody else's code, and looks at what somebody else typed
            raise ValidationFailed((where.rstrip(".") or "body", "has a target that cannot be read")) from error
        for url in urls:
            await self._egress.check(url, trust=ADMIN_TARGET)

    def _seal(self, name: str, key: str, value: Any) -> str:
        return self._vault.seal(orjson.dumps(value).decode(), purpose(name, key))

    # ---- using ----

    def secrets(self, channel: Channel) -> dict[str, Any]:
        """The secrets of a channel; raises ``Unusable`` when they cannot be decrypted."""
        try:
            return {key: self._unseal(channel.name, key, sealed) for key, sealed in channel.sealed.items()}
        except CannotUnseal as error:
            raise Unusable(f"its secrets cannot be decrypted ({error}); give them again") from error

    def ready(self, channel: Channel) -> Ready:
        """What the channel sends with; raises ``Unusable`` with the reason why it cannot."""
        kind = self._kinds.of_channel(channel)
        secrets = self.secrets(channel)
        try:
            config = structured(kind, {**channel.config, **secrets}, "")
        except ValidationFailed as error:
            raise Unusable(f"its configuration does not fit its type any more: {error.message}") from error
        return Ready(kind, config, tuple(texts_of(secrets.values())))

    def _unseal(self, name: str, key: str, sealed: str) -> Any:
        return orjson.loads(self._vault.unseal(sealed, purpose(name, key)))

    # ---- showing ----

    def shown(self, channel: Channel) -> dict[str, Any]:
        """All fields of the configuration, defaults included, with masks for secrets."""
        try:
            ready = self.ready(channel)
        except Unusable:
            return {**channel.config, **dict.fromkeys(channel.sealed, MASK)}
        names = secret_fields(ready.kind.config)
        values = unstructure(ready.config)
        return {key: masked(value) if key in names else value for key, value in values.items()}

    def has_recipients(self, channel_type: str) -> bool:
        kind = self._kinds.find(channel_type)
        return kind is not None and any(field.name == RECIPIENTS for field in attrs.fields(kind[1].config))


def structured(kind: ChannelType, values: Mapping[str, Any], where: str) -> Any:
    """An instance of a type's configuration. Raises ``ValidationFailed`` that shows no secret."""
    try:
        return structure(kind.config, dict(values))
    except ValidationFailed as error:
        hidden = list(texts_of(values[key] for key in secret_fields(kind.config) & values.keys()))
        problems = [(where + row["field"], scrubbed(row["message"], hidden)) for row in error.details]
        raise ValidationFailed(*problems) from None
    except ApiError:
        raise
    except Exception as error:  # the class is somebody else's
        raise Unusable(f"the configuration class of '{kind.name}' cannot be used: {type(error).__name__}") from error


def purpose(name: str, key: str) -> str:
    return f"messages.channel:{name}:{key}"


def unmasked(value: Any, old: Any) -> Any:
    """``value`` with the old secrets in place of masks."""
    if value == MASK:
        return old
    if isinstance(value, Mapping) and isinstance(old, Mapping):
        return {key: old.get(key, MASK) if item == MASK else item for key, item in value.items()}
    return value


def refuse_masks(where: str, secrets: Mapping[str, Any]) -> None:
    """A mask that stands for nothing must not become the secret."""
    masks = [key for key, value in secrets.items() if MASK in texts_of([value])]
    if masks:
        raise ValidationFailed(
            *((where + key, "is the mask, and there is no secret that it stands for") for key in masks)
        )


def masked(value: Any) -> Any:
    """Every text and number in a secret, hidden; nothing stays nothing."""
    if isinstance(value, Mapping):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    return MASK if value not in (None, "") else value


def texts_of(values: Iterable[Any]) -> Iterable[str]:
    """All texts in secrets."""
    for value in values:
        if isinstance(value, Mapping):
            yield from texts_of(value.values())
        elif isinstance(value, list | tuple):
            yield from texts_of(value)
        elif value not in (None, ""):
            yield str(value)


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """``text`` with the mask for every secret in it, as it is and as it stands in an address."""
    for secret in sorted(secrets, key=len, reverse=True):
        for form in {secret, quote(secret), quote(secret, safe="")}:
            text = text.replace(form, MASK)
    return text
