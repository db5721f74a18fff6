"""What the routes of compat take and answer."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import fields

NAME_MAX = 256


@attrs.frozen(kw_only=True)
class CommandBody:
    """A command of an extension; ``args`` and ``params`` are two spellings of its arguments."""

    command: str = fields.text(min=1, max=NAME_MAX)
    args: dict[str, Any] | None = None
    params: dict[str, Any] | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        return (self.params if self.args is None else self.args) or {}


@attrs.frozen(kw_only=True)
class InvokeAnswer:
    """``timestamp`` in epoch seconds."""

    extension_id: str
    command: str
    result: Any
    timestamp: int


@attrs.frozen(kw_only=True)
class DeviceCommandBody:
    """The parameters of a device command by name."""

    params: dict[str, Any] | None = None


@attrs.frozen(kw_only=True)
class DeviceCommandAnswer:
    """What became of a command so far; ``sent`` is false while it waits for the device's transport."""

    device_id: str
    command: str
    command_id: str
    sent: bool
    state: str
    detail: str | None


@attrs.frozen(kw_only=True)
class TypeCheck:
    """Whether a device type could be registered; ``errors`` say why not."""

    valid: bool
    errors: list[str] = attrs.field(factory=list)
    warnings: list[str] = attrs.field(factory=list)
    message: str


@attrs.frozen(kw_only=True)
class StepDone:
    completed: bool


@attrs.frozen(kw_only=True)
class SystemStatus:
    """Zero and false for whoever is not logged in."""

    has_llm_backend: bool
    has_devices: bool
    device_count: int


@attrs.frozen(kw_only=True)
class OnboardingAnswer:
    """Which first steps were taken."""

    dismissed: bool
    system_status: SystemStatus
    steps: dict[str, StepDone]


@attrs.frozen(kw_only=True)
class Dismissed:
    success: bool = True
    dismissed: bool


@attrs.frozen(kw_only=True)
class SkillsQuery:
    """``page`` counts from 1."""

    page: int = fields.number(ge=1, default=1)
    page_size: int = fields.number(ge=1, le=1000, default=20)


@attrs.frozen(kw_only=True)
class SessionsQuery:
    """``page`` counts from 1."""

    page: int = fields.number(ge=1, default=1)
    page_size: int = fields.number(ge=1, le=100, default=20)
