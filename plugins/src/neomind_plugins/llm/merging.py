"""Secrets in configurations: told apart, and kept when a mask comes back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from neomind_sdk.masks import MASK, refuse_masks


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
