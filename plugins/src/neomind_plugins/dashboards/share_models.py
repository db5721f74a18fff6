"""What the routes of share links take and answer, those of the owners and those of the viewers."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import fields

from .models import DashboardView

HOURS_MAX = 87_600
"""Ten years."""
POINTS_MAX = 5000
SOURCES_MAX = 500
AGGREGATES = ("avg", "min", "max", "sum", "count", "last")
NUMBER = {"type": "number"}
HOURS_SCHEMA = {"exclusiveMinimum": 0, "maximum": HOURS_MAX}


@attrs.frozen(kw_only=True)
class Permissions:
    """``allow_interactive``: viewers may give the commands that the dashboard has controls for."""

    allow_interactive: bool = False


@attrs.frozen(kw_only=True)
class NewShare:
    """Without ``expires_in_hours`` (fractions are allowed) the link never expires."""

    permissions: Permissions | None = None
    expires_in_hours: float | None = fields.field(default=None, schema=HOURS_SCHEMA)


@attrs.frozen(kw_only=True)
class ShareLink:
    """A new link. ``token`` is shown this once; ``share_url`` is the page that shows the dashboard."""

    id: str
    token: str
    token_preview: str
    dashboard_id: str
    permissions: Permissions
    created_at: int
    expires_at: int | None
    share_url: str


@attrs.frozen(kw_only=True)
class ShareItem:
    """A link that was made before. Its token is kept as a hash: ``token`` has what revokes it, which is its id."""

    id: str
    token: str
    token_preview: str
    dashboard_id: str
    permissions: Permissions
    created_at: int
    expires_at: int | None
    share_url: None = None


@attrs.frozen(kw_only=True)
class RevokedAnswer:
    """The link opens nothing any more; ``token`` is what it was named by."""

    token: str
    ok: bool = True


@attrs.frozen(kw_only=True)
class SharedDashboard:
    """What a share link shows."""

    dashboard: DashboardView
    permissions: Permissions
    expires_at: int | None


@attrs.frozen(kw_only=True)
class DataQuery:
    """``source`` may come several times. Without it: everything the dashboard shows.

    Without ``time_range``, ``start`` and ``end``: each over the time that its component shows. ``start`` and ``end``
    are epoch seconds, ``time_range`` is a length of time such as ``24h``.
    """

    source: list[str] = attrs.field(factory=list)
    time_range: str | None = None
    start: str | None = fields.field(schema=NUMBER, default=None)
    end: str | None = fields.field(schema=NUMBER, default=None)
    limit: int | None = fields.number(ge=1, le=POINTS_MAX, default=None)
    aggregate: str | None = fields.one_of(AGGREGATES, default=None)


@attrs.frozen(kw_only=True)
class DataBody:
    """As the query; ``sources`` are ids as they are answered."""

    sources: list[str] = attrs.field(factory=list)
    time_range: str | None = None
    start: float | None = None
    end: float | None = None
    limit: int | None = fields.number(ge=1, le=POINTS_MAX, default=None)
    aggregate: str | None = fields.one_of(AGGREGATES, default=None)


@attrs.frozen(kw_only=True)
class DataPoint:
    """A stored value; with ``count`` when it stands for many. ``timestamp`` in epoch seconds."""

    timestamp: float
    value: Any
    count: int | None = None


@attrs.frozen(kw_only=True)
class SourceData:
    """What there is of one source, ascending where it is a history. ``value`` is the newest, ``None`` when none is.

    ``component_id`` says which component shows it, ``None`` when sources were asked for by id.
    """

    component_id: str | None
    source: str
    kind: str
    mode: str
    value: Any
    timestamp: float | None
    start: float | None = None
    end: float | None = None
    aggregate: str | None = None
    data: list[DataPoint] | None = None


@attrs.frozen(kw_only=True)
class DataAnswer:
    """``timestamp`` is when this was read, in epoch seconds."""

    dashboard_id: str
    timestamp: float
    sources: list[SourceData]
    count: int


@attrs.frozen(kw_only=True)
class CommandBody:
    """``source`` is the id of a command that the dashboard has a control for; ``params`` what it does not fix."""

    source: str = fields.text(min=1, max=1000)
    params: dict[str, Any] | None = None


@attrs.frozen(kw_only=True)
class CommandAnswer:
    """What became of the command so far; ``result`` is that of an extension's command."""

    source: str
    sent: bool
    command_id: str | None = None
    state: str | None = None
    detail: str | None = None
    result: Any = None
