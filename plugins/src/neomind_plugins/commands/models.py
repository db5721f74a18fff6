"""The settings of commands, and what their routes take and answer."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import fields

SECTION = "commands"
KEY_MAX = 255
LIMIT_MAX = 1000
BODY_MAX = 256 * 1024


@attrs.frozen(kw_only=True)
class CommandSettings:
    """Times are in seconds.

    ``queue_timeout_s``  how long a command waits for a transport that is away, before it expires
    ``ack_timeout_s``    how long a delivered command waits for the device's acknowledgement
    ``require_ack``      whether a command that nobody acknowledged has expired, instead of succeeded; a device's
                         ``connection_config.require_ack`` says otherwise
    ``send_timeout_s``   how long a transport may take to hand a command over
    ``max_waiting``      how many commands may wait for one device
    """

    queue_timeout_s: float = fields.number(ge=1, le=604_800, default=300.0)
    ack_timeout_s: float = fields.number(ge=1, le=86_400, default=30.0)
    require_ack: bool = False
    send_timeout_s: float = fields.number(ge=0.1, le=60, default=10.0)
    max_waiting: int = fields.number(ge=1, le=10_000, default=100)


@attrs.frozen(kw_only=True)
class ControlBody:
    """A command and its parameters by name; what the device's type does not declare is kept but not sent."""

    command: str = fields.text(min=1, max=100)
    params: dict[str, Any] | None = None


@attrs.frozen(kw_only=True)
class ControlAnswer:
    """What became of a command so far.

    ``sent`` is false while it waits for the device's transport; ``detail`` then says what it waits for.
    """

    device_id: str
    command: str
    command_id: str
    sent: bool
    status: str
    state: str
    detail: str | None


@attrs.frozen(kw_only=True)
class HistoryQuery:
    """At most 100 commands of a device are kept."""

    limit: int = fields.number(ge=1, le=LIMIT_MAX, default=50)


@attrs.frozen(kw_only=True)
class CommandView:
    """A command; times in epoch seconds.

    ``status`` is ``pending``, ``executing``, ``success``, ``failed`` or ``timeout``; ``state`` is finer. A command
    that was handed over is a success as far as anybody knows, unless an acknowledgement is required.
    """

    command_id: str
    command_name: str
    parameters: dict[str, Any]
    status: str
    state: str
    result: str | None
    error: str | None
    source: str
    created_at: int
    sent_at: int | None
    completed_at: int | None


@attrs.frozen(kw_only=True)
class History:
    """The newest commands of a device, newest first."""

    device_id: str
    commands: list[CommandView]
    count: int
