"""Secrets in configurations: sealed where they are kept, masked where they are shown, and in no text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import attrs
import orjson

from neomind_core.contracts import ApiError, ValidationFailed

from .kinds import Kind, Unusable
from .schema import structure
from .vault import CannotUnseal, Vault

MASK = "***"
STANDS_FOR_NOTHING = "is the mask, and there is no secret that it stands for"


@attrs.frozen
class Sealed:
    """Secrets of the things of one sort, e.g. ``messages.channel``: each unseals for its own thing and key only."""

    vault: Vault
    sort: str

    def seal(self, ident: str, secrets: Mapping[str, Any]) -> dict[str, str]:
        """Secrets, any JSON values, as they are kept."""
        return {key: self._sealed(ident, key, value) for key, value in secrets.items()}

    def unseal(self, ident: str, sealed: Mapping[str, str]) -> dict[str, Any]:
        """The secrets; raises ``Unusable`` when they cannot be decrypted."""
        try:
            return {key: self._unsealed(ident, key, text) for key, text in sealed.items()}
        except CannotUnseal as error:
            raise Unusable(f"its secrets cannot be decrypted ({error}); give them again") from error

    def known(self, ident: str, sealed: Mapping[str, str]) -> dict[str, Any]:
        """The secrets before a change; none when they cannot be decrypted."""
        try:
            return self.unseal(ident, sealed)
        except Unusable:  # they must be given again, and this may be just that
            return {}

    def _sealed(self, ident: str, key: str, value: Any) -> str:
        return self.vault.seal(orjson.dumps(value).decode(), self._purpose(ident, key))

    def _unsealed(self, ident: str, key: str, text: str) -> Any:
        return orjson.loads(self.vault.unseal(text, self._purpose(ident, key)))

    def _purpose(self, ident: str, key: str) -> str:
        return f"{self.sort}:{ident}:{key}"


def structured(kind: Kind, values: Mapping[str, Any], secrets: Iterable[Any], where: str = "") -> Any:
    """An instance of a type's configuration.

    Raises ``ValidationFailed`` with ``where`` before the fields' names, which shows nothing of ``secrets``, and
    ``Unusable`` when the class fails otherwise. ``secrets`` are looked at only then, so they may be a generator.
    """
    try:
        return structure(kind.config, dict(values))
    except ValidationFailed as error:
        hidden = list(texts_of(secrets))
        problems = [(where + row["field"], scrubbed(row["message"], hidden)) for row in error.details]
        raise ValidationFailed(*problems) from None
    except ApiError:
        raise
    except Exception as error:  # the class is somebody else's
        raise Unusable(f"the configuration class of '{kind.name}' cannot be used: {type(error).__name__}") from error


def masked(value: Any) -> Any:
    """Every text and number in a secret, hidden; nothing stays nothing."""
    if isinstance(value, Mapping):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    return value if value in (None, "") else MASK


def has_mask(value: Any) -> bool:
    """Whether a secret is the mask, or holds it."""
    return MASK in texts_of([value])


def refuse_masks(secrets: Mapping[str, Any], where: str = "") -> None:
    """A mask that stands for nothing must not become the secret: raises ``ValidationFailed``."""
    problems = [(where + key, STANDS_FOR_NOTHING) for key, value in secrets.items() if has_mask(value)]
    if problems:
        raise ValidationFailed(*problems)


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
    """``text`` with the mask for every secret in it, as it is, without blanks around, and as it is in an address."""
    for secret in sorted(secrets, key=len, reverse=True):
        for form in {secret, secret.strip(), quote(secret), quote(secret, safe="")} - {""}:
            text = text.replace(form, MASK)
    return text
