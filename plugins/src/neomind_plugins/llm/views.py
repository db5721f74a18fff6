"""Backends and their types as they are answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from neomind_sdk import LLMBackendType
from neomind_sdk.schema import secret_fields

from . import talents
from .configs import KEY, OWN, SHARED, Configs
from .kinds import Kinds
from .models import EFFORTS, Stats, TypeView, UsageView
from .records import Backend, Used
from .service import Backends

SAME = ("id", "name", "backend_type", "temperature", "top_p", "top_k", "thinking_enabled", "thinking_effort")
ORDER = ("name", "backend_type", "endpoint", "model", "api_key", "temperature", "top_p", "top_k")
DISPLAY = {
    "name": "Name",
    "backend_type": "Type",
    "endpoint": "Endpoint",
    "model": "Model",
    "api_key": "API key",
    "temperature": "Temperature",
    "top_p": "Top P",
    "top_k": "Top K",
    "thinking_enabled": "Thinking",
    "thinking_effort": "Thinking effort",
}


@attrs.frozen
class BackendViews:
    """Shows backends, never their secrets."""

    backends: Backends
    configs: Configs

    def view(self, backend: Backend) -> dict[str, Any]:
        """In the shape of ``BackendView``; of the capabilities what there is not is absent."""
        trouble = self.configs.trouble(backend)
        return {
            **{name: getattr(backend, name) for name in SAME},
            "endpoint": backend.config.get("endpoint"),
            "model": backend.model,
            "api_key_configured": KEY in backend.sealed,
            "is_active": backend.id == self.backends.active_id,
            "available": trouble is None,
            "reason": trouble,
            "max_tokens": None,
            "capabilities": talents.shown(backend),
            "config": self.configs.further(backend),
            "usage": usage_view(self.backends.used(backend.id)),
            "healthy": self.backends.healthy(backend.id),
            "created_at": backend.created_ms // 1000,
            "updated_at": backend.updated_ms // 1000,
        }


def usage_view(used: Used) -> UsageView:
    values = attrs.asdict(used)
    last_ms = values.pop("last_used_ms")
    return UsageView(**values, last_used_at=None if last_ms is None else last_ms // 1000)


def stats(backends: Backends, kinds: Kinds) -> Stats:
    by_type = {kind.name: 0 for _, kind in kinds.all()}
    for one in backends.all():
        by_type[one.backend_type] = by_type.get(one.backend_type, 0) + 1
    return Stats(
        total=len(backends.all()),
        active_id=backends.active_id,
        by_type=by_type,
        usage=usage_view(backends.used()),
        usage_by_backend={one.id: usage_view(backends.used(one.id)) for one in backends.all()},
    )


# ---- types ----


def type_view(kind: LLMBackendType, schema: Mapping[str, Any]) -> TypeView:
    label = kind.label
    return TypeView(
        id=kind.name,
        name=label.name,
        name_zh=label.name_zh or label.name,
        description=label.description,
        description_zh=label.description_zh or label.description,
        icon=label.icon,
        default_model=kind.default_model,
        default_endpoint=kind.default_endpoint,
        requires_api_key=kind.requires_api_key,
        supports_streaming=bool(getattr(kind, "supports_streaming", True)),
        supports_thinking=bool(getattr(kind, "supports_thinking", False)),
        supports_multimodal=bool(getattr(kind, "supports_multimodal", False)),
        config_schema=config_schema(kind, schema),
    )


def config_schema(kind: LLMBackendType, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema of the body that makes a backend of a type: ours, and the fields of its configuration."""
    own_fields = {key: dict(value) for key, value in schema.get("properties", {}).items() if key not in SHARED}
    properties = {**common(kind), **own_fields}
    properties["endpoint"] |= {"type": "string", "format": "uri", "default": kind.default_endpoint}
    properties["model"] |= {"type": "string", "default": kind.default_model}
    for key in secret_fields(kind.config) & properties.keys():
        properties[key] |= {"x_secret": True, "writeOnly": True}
    own = [key for key in schema.get("required", ()) if key not in OWN | SHARED]
    credential = [KEY] if kind.requires_api_key and KEY in properties else []
    further = {name: schema[name] for name in ("$defs",) if name in schema}
    order = [*(name for name in ORDER if name in properties), *(name for name in properties if name not in ORDER)]
    return {
        "type": "object",
        "properties": properties,
        "required": ["name", *credential, *own],
        **further,
        "ui_hints": {
            "field_order": [name for name in order if name != "id"],
            "display_names": {name: DISPLAY[name] for name in order if name in DISPLAY},
            "placeholders": {"endpoint": kind.default_endpoint, "model": kind.default_model},
        },
    }


def common(kind: LLMBackendType) -> dict[str, dict[str, Any]]:
    """What every backend has, whatever its type; the defaults are those of ``Backend``."""
    defaults = {field.name: field.default for field in attrs.fields(Backend)}
    return {
        "id": {"type": "string", "readOnly": True},
        "name": {"type": "string", "minLength": 1},
        "backend_type": {"type": "string", "enum": [kind.name], "default": kind.name},
        "temperature": {"type": "number", "minimum": 0, "maximum": 2, "default": defaults["temperature"]},
        "top_p": {"type": "number", "minimum": 0, "maximum": 1, "default": defaults["top_p"]},
        "top_k": {"type": "integer", "minimum": 0, "default": defaults["top_k"]},
        "thinking_enabled": {"type": "boolean", "default": defaults["thinking_enabled"]},
        "thinking_effort": {"type": ["string", "null"], "enum": [*EFFORTS, None], "default": None},
    }
