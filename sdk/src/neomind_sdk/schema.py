"""Attrs classes of other plugins' making: configuration from JSON, back to JSON, and described by a JSON Schema.

``structure(cls, values)`` makes an instance and raises ``ValidationFailed`` naming every field at fault;
``unstructure(value)`` is a dictionary with all fields; ``json_schema(cls)`` describes the class as input;
``secret_fields(cls)`` names what is never shown.
"""

from __future__ import annotations

from typing import Any

import attrs

from neomind_core.contracts.fields import META
from neomind_core.host.http.schema import json_schema
from neomind_core.host.http.structure import structure, unstructure

__all__ = ["json_schema", "secret_fields", "structure", "unstructure"]


def secret_fields(cls: type[Any]) -> frozenset[str]:
    """The names of the fields of an attrs class that are secrets (``fields.secret()``)."""
    return frozenset(field.name for field in attrs.fields(cls) if field.metadata.get(META, {}).get("secret"))
