"""What a rule can do when it fires."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import attrs


@attrs.frozen(kw_only=True)
class Firing:
    """Why the action runs. ``values`` are the condition's sources and values; ``hops`` limits rules feeding rules."""

    rule_id: str
    rule_name: str
    fired_ms: int
    values: Mapping[str, Any] = attrs.field(factory=dict)
    variables: Mapping[str, Any] = attrs.field(factory=dict)
    cause: str | None = None
    hops: int = 0
    test: bool = False


@attrs.frozen(kw_only=True)
class ActionOutcome:
    """``summary`` goes into the history: ``NOTIFY: Too hot``."""

    ok: bool
    summary: str
    error: str | None = None


@runtime_checkable
class RuleActionType(Protocol):
    """A kind of action, e.g. ``notify``: the ``type`` of an entry of a rule's ``actions``.

    ``params`` is an attrs class the entry (without ``type``) is structured into. ``check`` returns problems as text
    (unknown targets …) when a rule is saved; ``run`` acts once and never raises for what can be said in the outcome.
    """

    name: str
    summary: str
    params: type[Any]

    def check(self, params: Any) -> list[str]: ...

    async def run(self, params: Any, firing: Firing) -> ActionOutcome: ...
