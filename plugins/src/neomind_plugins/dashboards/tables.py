"""The tables of dashboards and the queries on them; called inside ``await db.read(…)``, ``await db.write(…)`` only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import orjson
from peewee import BigIntegerField, BooleanField, IntegerField, TextField, fn

from neomind_sdk.tables import Model

from .records import Dashboard, Share

JSON_COLUMNS = ("layout", "components")


class DashboardRow(Model):
    """A dashboard; ``layout`` and ``components`` are JSON texts."""

    id = TextField(primary_key=True)
    name = TextField()
    layout = TextField()
    components = TextField()
    created_ms = BigIntegerField()
    updated_ms = BigIntegerField()
    is_default = BooleanField(null=True)
    sort_order = IntegerField(null=True, index=True)

    class Meta:
        table_name = "dashboards_dashboards"


class ShareRow(Model):
    """A share link."""

    id = TextField(primary_key=True)
    token_hash = TextField(unique=True)
    preview = TextField()
    dashboard_id = TextField(index=True)
    allow_interactive = BooleanField()
    created_ms = BigIntegerField()
    expires_ms = BigIntegerField(null=True)

    class Meta:
        table_name = "dashboards_shares"


MODELS = (DashboardRow, ShareRow)
ORDER = (DashboardRow.sort_order.is_null(), DashboardRow.sort_order, DashboardRow.created_ms, DashboardRow.id)
DASHBOARD_COLUMNS = tuple(field.name for field in attrs.fields(Dashboard))
SHARE_COLUMNS = tuple(field.name for field in attrs.fields(Share))


# ---- dashboards ----


def page(limit: int, offset: int) -> tuple[list[Dashboard], int]:
    """The dashboards of a page in their order, and how many there are in all."""
    rows = DashboardRow.select().order_by(*ORDER).limit(limit).offset(offset)
    return [dashboard_of(row) for row in rows], DashboardRow.select().count()


def ordered_ids() -> list[str]:
    rows: Iterable[Any] = DashboardRow.select(DashboardRow.id).order_by(*ORDER)
    return [row.id for row in rows]


def get(dashboard_id: str) -> Dashboard | None:
    row = DashboardRow.get_or_none(DashboardRow.id == dashboard_id)
    return None if row is None else dashboard_of(row)


def insert_last(dashboard: Dashboard) -> Dashboard:
    """Keep a new dashboard behind all others; returns it with its place."""
    highest: Any = DashboardRow.select(fn.MAX(DashboardRow.sort_order)).scalar()
    placed = attrs.evolve(dashboard, sort_order=0 if highest is None else highest + 1)
    DashboardRow.insert(columns(placed)).execute()
    return placed


def update(dashboard: Dashboard) -> None:
    """Everything but its place and whether it is the default."""
    row = columns(dashboard)
    changes = {name: row[name] for name in ("name", "layout", "components", "updated_ms")}
    DashboardRow.update(changes).where(DashboardRow.id == dashboard.id).execute()


def delete(dashboard_id: str) -> list[Share]:
    """Delete a dashboard; returns its share links, which are gone too."""
    shares = [share_of(row) for row in ShareRow.select().where(ShareRow.dashboard_id == dashboard_id)]
    ShareRow.delete().where(ShareRow.dashboard_id == dashboard_id).execute()
    DashboardRow.delete().where(DashboardRow.id == dashboard_id).execute()
    return shares


def place(dashboard_ids: Sequence[str]) -> None:
    """Number the dashboards in this order."""
    for order, dashboard_id in enumerate(dashboard_ids):
        DashboardRow.update(sort_order=order).where(DashboardRow.id == dashboard_id).execute()


def set_default(dashboard_id: str) -> None:
    """This one is the default, every other is not."""
    DashboardRow.update(is_default=DashboardRow.id == dashboard_id).execute()


def columns(dashboard: Dashboard) -> dict[str, Any]:
    row = attrs.asdict(dashboard, recurse=False)
    return {**row, **{name: orjson.dumps(row[name]).decode() for name in JSON_COLUMNS}}


def dashboard_of(row: Any) -> Dashboard:
    values: dict[str, Any] = {name: getattr(row, name) for name in DASHBOARD_COLUMNS}
    return Dashboard(**{**values, **{name: orjson.loads(values[name]) for name in JSON_COLUMNS}})


# ---- share links ----


def insert_share(share: Share) -> None:
    ShareRow.insert(attrs.asdict(share)).execute()


def forget_shares(before_ms: int) -> None:
    """Links that expired before then are as if they had never been."""
    ShareRow.delete().where(ShareRow.expires_ms < before_ms).execute()


def live_shares(dashboard_id: str, now_ms: int) -> list[Share]:
    """The links of a dashboard that are not expired, the oldest first."""
    live = ShareRow.expires_ms.is_null() | (ShareRow.expires_ms > now_ms)
    rows = ShareRow.select().where((ShareRow.dashboard_id == dashboard_id) & live)
    return [share_of(row) for row in rows.order_by(ShareRow.created_ms, ShareRow.id)]


def opened(token_hash: str) -> tuple[Share, Dashboard | None] | None:
    """The link of a token, and its dashboard."""
    row = ShareRow.get_or_none(ShareRow.token_hash == token_hash)
    return None if row is None else (share_of(row), get(row.dashboard_id))


def take_share(dashboard_id: str, share_id: str, token_hash: str) -> Share | None:
    """Delete the link of a dashboard that has this id or this token; returns what is gone."""
    named = (ShareRow.id == share_id) | (ShareRow.token_hash == token_hash)
    row = ShareRow.get_or_none((ShareRow.dashboard_id == dashboard_id) & named)
    if row is None:
        return None
    ShareRow.delete().where(ShareRow.id == row.id).execute()
    return share_of(row)


def share_of(row: Any) -> Share:
    values: Mapping[str, Any] = {name: getattr(row, name) for name in SHARE_COLUMNS}
    return Share(**values)
