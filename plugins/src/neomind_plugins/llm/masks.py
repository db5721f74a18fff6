"""Secrets in configurations: told apart, kept when a mask comes back, and never shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from neomind_sdk import ValidationFailed

MASK = "***"


def merged(
    names: Collection[str], config: Mapping[str, Any], secrets: Mapping[str, Any], given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """``(configuration without secrets, secrets)`` after a change; ``names`` are the fields that are secrets.

    ``None`` puts a field back to what its type takes for it. A secret that is blank, ``None``, absent or the mask
    stays. Raises ``ValidationFailed`` for a mask that stands for nothing.
    """
    plain = {**config, **{key: value for key, value in given.items() if key not in names}}
    hidden = {
        key: unmasked(value, secrets.get(key)) for key, value in given.items() if key in names and not blank(value)
    }
    refuse_masks(hidden)
    return {key: value for key, value in plain.items() if value is not None}, {**secrets, **hidden}


def blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def unmasked(value: Any, old: Any) -> Any:
    """``value`` with the old secrets in place of masks."""
    if isinstance(value, str) and value.strip() == MASK:
        return MASK if old is None else old
    if isinstance(value, Mapping):
        known = old if isinstance(old, Mapping) else {}
        return {key: unmasked(item, known.get(key)) for key, item in value.items()}
    return value


def refuse_masks(secrets: Mapping[str, Any]) -> None:
    """A mask that stands for nothing must not become the secret."""
    masks = [key for key, value in secrets.items() if MASK in set(texts_of([value]))]
    if masks:
        raise ValidationFailed(*((key, "is the mask, and there is no secret that it stands for") for key in masks))


def masked(value: Any) -> Any:
    """Every text and number in a secret, hidden; nothing stays nothing."""
    if isinstance(value, Mapping):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    return value if value in (None, "") else MASK


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
        for form in {secret, secret.strip(), quote(secret), quote(secret, safe="")} - {""}:
            text = text.replace(form, MASK)
    return text
