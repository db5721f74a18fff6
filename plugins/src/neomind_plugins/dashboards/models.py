"""What the routes of dashboards take and answer."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import fields

LIMIT_MAX = 1000
NAME_MAX = 200
UINT_MAX = 2**32 - 1
COMPONENTS_MAX = 1000
UINT = {"type": "integer", "minimum": 0, "maximum": UINT_MAX}
MAYBE_UINT = {"anyOf": [UINT, {"type": "null"}]}
COMPONENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "`data_source`, `display`, `config` and `actions` are kept exactly as they are sent",
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": NAME_MAX},
        "type": {"type": "string", "minLength": 1, "maxLength": NAME_MAX},
        "position": {
            "type": "object",
            "properties": {
                **dict.fromkeys(("x", "y", "w", "h"), UINT),
                **dict.fromkeys(("min_w", "min_h", "max_w", "max_h"), MAYBE_UINT),
            },
            "required": ["x", "y", "w", "h"],
        },
        "title": {"type": ["string", "null"]},
        "data_source": {},
        "display": {},
        "config": {},
        "actions": {},
    },
    "required": ["type", "position"],
}
COMPONENTS_SCHEMA = {"items": COMPONENT_SCHEMA, "maxItems": COMPONENTS_MAX}


# ---- dashboards ----


@attrs.frozen(kw_only=True)
class Breakpoints:
    """Widths in pixels from which on a layout holds."""

    lg: int = fields.number(ge=0, le=UINT_MAX)
    md: int = fields.number(ge=0, le=UINT_MAX)
    sm: int = fields.number(ge=0, le=UINT_MAX)
    xs: int = fields.number(ge=0, le=UINT_MAX)


def rows_problem(rows: str | int) -> str | None:
    good = rows == "auto" if isinstance(rows, str) else 0 <= rows <= UINT_MAX
    return None if good else "must be 'auto' or a number of rows"


@attrs.frozen(kw_only=True)
class Layout:
    """The grid of a dashboard; ``rows`` is ``auto`` or a number."""

    columns: int = fields.number(ge=0, le=UINT_MAX)
    rows: str | int = fields.field(
        rows_problem, schema={"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 0, "maximum": UINT_MAX}]}
    )
    breakpoints: Breakpoints

    def plain(self) -> dict[str, Any]:
        return attrs.asdict(self)


DEFAULT_LAYOUT = Layout(columns=12, rows="auto", breakpoints=Breakpoints(lg=1200, md=996, sm=768, xs=480))


@attrs.frozen(kw_only=True)
class PageQuery:
    """Which part of the list."""

    limit: int = fields.number(ge=1, le=LIMIT_MAX, default=100)
    offset: int = fields.number(ge=0, le=UINT_MAX, default=0)


@attrs.frozen(kw_only=True)
class NewDashboard:
    """Components without an ``id`` are numbered."""

    name: str = fields.text(min=1, max=NAME_MAX)
    layout: Layout | None = None
    components: list[Any] | None = fields.field(default=None, schema=COMPONENTS_SCHEMA)


@attrs.frozen(kw_only=True)
class DashboardChange:
    """What is absent stays; ``components`` replaces all of them."""

    name: str | None = fields.text(min=1, max=NAME_MAX, default=None)
    layout: Layout | None = None
    components: list[Any] | None = fields.field(default=None, schema=COMPONENTS_SCHEMA)


@attrs.frozen(kw_only=True)
class Position:
    """Where a component lies, in units of the grid."""

    x: int
    y: int
    w: int
    h: int
    min_w: int | None = None
    min_h: int | None = None
    max_w: int | None = None
    max_h: int | None = None


@attrs.frozen(kw_only=True)
class ComponentView:
    """A component as it was sent."""

    id: str
    type: str
    position: Position
    title: str | None = None
    data_source: Any = None
    display: Any = None
    config: Any = None
    actions: Any = None


@attrs.frozen(kw_only=True)
class DashboardView:
    """A dashboard; times are in epoch seconds."""

    id: str
    name: str
    layout: Layout
    components: list[ComponentView]
    created_at: int
    updated_at: int
    is_default: bool | None = None
    sort_order: int | None = None


@attrs.frozen(kw_only=True)
class DashboardPage:
    """``count`` is of this page, ``total`` of all."""

    dashboards: list[DashboardView]
    count: int
    total: int
    limit: int
    offset: int


@attrs.frozen(kw_only=True)
class DeletedAnswer:
    """The dashboard and its share links are gone."""

    id: str
    ok: bool = True


@attrs.frozen(kw_only=True)
class AddedComponents:
    """Components to append; each has an ``id``."""

    components: list[Any] = fields.field(schema=COMPONENTS_SCHEMA)


@attrs.frozen(kw_only=True)
class RemovedComponents:
    """Whose ids; those that are not there are passed over."""

    ids: list[str]


@attrs.frozen(kw_only=True)
class RemovedAnswer:
    """How many components are gone, and how many are left."""

    removed: int
    remaining: int
    ok: bool = True


@attrs.frozen(kw_only=True)
class Order:
    """Dashboards that are not named follow in the order they have."""

    dashboard_ids: list[str] = fields.field(schema={"minItems": 1, "uniqueItems": True})


@attrs.frozen(kw_only=True)
class OrderAnswer:
    """How many dashboards were named."""

    count: int
    ok: bool = True


@attrs.frozen(kw_only=True)
class DefaultAnswer:
    """This dashboard is the default, and no other."""

    id: str
    is_default: bool = True


@attrs.frozen(kw_only=True)
class TemplateNeeds:
    """How many of each there should be for the template to be of use."""

    devices: int
    agents: int
    rules: int


@attrs.frozen(kw_only=True)
class Template:
    """Something to begin with."""

    id: str
    name: str
    description: str
    category: str
    icon: str
    layout: Layout
    components: list[ComponentView]
    required_resources: TemplateNeeds
