"""Configurations of channels: checked by the class of their type, secrets encrypted, and shown without them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from neomind_sdk import ADMIN_TARGET, ChannelType, Egress, ValidationFailed, masks
from neomind_sdk.kinds import Accepted, Ready, Unusable
from neomind_sdk.masks import MASK, Sealed, masked, refuse_masks, texts_of
from neomind_sdk.schema import secret_fields, unstructure
from neomind_sdk.vault import Vault

from .kinds import Kinds
from .records import Channel

RECIPIENTS = "recipients"


class Configs:
    """From what was given to what is kept, to what is used, to what is shown."""

    def __init__(self, kinds: Kinds, vault: Vault, egress: Egress) -> None:
        self._kinds = kinds
        self._sealed = Sealed(vault, "messages.channel")
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
        secrets = {key: values[key] for key in sorted(names & values.keys())}
        refuse_masks(secrets, where)
        await self._check_targets(kind, structured(kind, values, where), where)
        return Accepted(
            plugin=plugin,
            config={key: value for key, value in values.items() if key not in names},
            sealed=self._sealed.seal(name, secrets),
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

    # ---- using ----

    def known(self, channel: Channel) -> dict[str, Any]:
        """The secrets of a channel before a change; none when they cannot be decrypted."""
        return self._sealed.known(channel.name, channel.sealed)

    def ready(self, channel: Channel) -> Ready[ChannelType]:
        """What the channel sends with; raises ``Unusable`` with the reason why it cannot."""
        kind = self._kinds.of(channel.channel_type, channel.plugin)
        secrets = self._sealed.unseal(channel.name, channel.sealed)
        try:
            config = structured(kind, {**channel.config, **secrets}, "")
        except ValidationFailed as error:
            raise Unusable(f"its configuration does not fit its type any more: {error.message}") from error
        return Ready(kind, config, tuple(texts_of(secrets.values())))

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
    """An instance of a type's configuration. Raises ``ValidationFailed`` that shows no secret, and ``Unusable``."""
    names = secret_fields(kind.config) & values.keys()
    return masks.structured(kind, values, (values[key] for key in names), where)


def unmasked(value: Any, old: Any) -> Any:
    """``value`` with the old secrets in place of masks."""
    if value == MASK:
        return old
    if isinstance(value, Mapping) and isinstance(old, Mapping):
        return {key: old.get(key, MASK) if item == MASK else item for key, item in value.items()}
    return value
