"""What a model can do: what was found out, what was said of it, and what it is pinned to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from neomind_sdk import Capabilities
from neomind_sdk.llm_names import DEFAULT_CONTEXT

from .models import CapabilitiesBody
from .records import Backend

RUNTIME, OVERRIDE, DEFAULT = "runtime_api", "user_override", "default"
SOURCES = (RUNTIME, "registry", "heuristic", DEFAULT)
FLAGS = ("streaming", "multimodal", "thinking", "tools")
MEMBERS: Mapping[str, str] = {**{f"supports_{name}": name for name in FLAGS}, "max_context": "max_context"}


def sound(found: Any) -> Capabilities:
    """What a backend says of its model, with nothing in it but what belongs there; raises ``TypeError``."""
    if not isinstance(found, Capabilities):
        raise TypeError(f"returned a {type(found).__name__} instead of Capabilities")
    context = found.max_context
    sized = isinstance(context, int) and not isinstance(context, bool) and 0 < context < 2**63
    return Capabilities(
        **{name: bool(getattr(found, name)) for name in FLAGS},
        max_context=context if sized else None,
        source=found.source if found.source in SOURCES else DEFAULT,
        efforts=tuple(str(effort)[:40] for effort in found.efforts)[:20],
    )


def declared(body: CapabilitiesBody | None, before: Backend | None) -> dict[str, Any]:
    """What a body says of a model, by field of ``Capabilities``; what was answered and comes back says nothing."""
    said = {member: getattr(body, name, None) for name, member in MEMBERS.items()}
    known: dict[str, Any] = {}
    if before is not None:
        holds = effective(before)
        known = {member: getattr(holds, member) for member in said} | {
            "max_context": holds.max_context or DEFAULT_CONTEXT
        }
    return {key: value for key, value in said.items() if value is not None and value != known.get(key)}


def effective(backend: Backend) -> Capabilities:
    """What holds: the pin before what the server says, that before what was said, that before what is supposed."""
    found = backend.detected
    if found.source != RUNTIME:
        found = attrs.evolve(found, **backend.declared)
    if backend.multimodal is None:
        return found
    return attrs.evolve(found, multimodal=backend.multimodal, source=OVERRIDE)


def source(backend: Backend) -> str:
    """How we know whether the model sees images."""
    if backend.multimodal is None and "multimodal" in backend.declared and backend.detected.source != RUNTIME:
        return DEFAULT
    return effective(backend).source


def shown(backend: Backend) -> dict[str, Any]:
    """Capabilities as they are answered; what there is not is absent."""
    found = effective(backend)
    values: dict[str, Any] = {name: getattr(found, member) for name, member in MEMBERS.items()}
    values |= {"max_context": found.max_context or DEFAULT_CONTEXT, "multimodal_source": source(backend)}
    if backend.multimodal is not None:
        values["multimodal_user_override"] = backend.multimodal
    if found.thinking:
        control = "effort" if found.efforts else "boolean"
        values["reasoning"] = {"supported_efforts": list(found.efforts), "mandatory": False, "control": control}
    return values
