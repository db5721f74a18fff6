"""Dashboards: kept in the database, changed in transactions there; every change is told."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import attrs
import orjson

from neomind_sdk import (
    BadRequest,
    Clock,
    DashboardUpdated,
    Database,
    Event,
    EventBus,
    NotFound,
    SessionEnded,
    ValidationFailed,
)
from neomind_sdk.turns import Turns

from . import forms, placing, tables, templates
from .errors import InvalidComponents, TooLarge
from .models import DEFAULT_LAYOUT, NAME_MAX, DashboardChange, NewDashboard
from .records import Dashboard, Json

T = TypeVar("T")
COPY = " (copy)"
ID_PREFIX = "dashboard_"
COMPONENTS_BYTES = 10 * 1024 * 1024
EVERY = "*"
"""Stands for all dashboards in the event of a new order."""


class Dashboards:
    """The dashboards of the platform.

    Nothing is held in memory. A change that was begun is finished and told even when who asked for it is gone.
    """

    def __init__(self, database: Database, bus: EventBus, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._turns = Turns()

    async def close(self) -> None:
        """Finish the changes that were begun."""
        await self._turns.close()

    # ---- looking up ----

    async def page(self, limit: int, offset: int) -> tuple[list[Dashboard], int]:
        """The dashboards of a page in their order, and how many there are in all."""
        return await self._database.read(partial(tables.page, limit, offset))

    async def get(self, dashboard_id: str) -> Dashboard:
        """A dashboard, be it one that is only a template; raises ``NotFound``."""
        template = templates.dashboard(dashboard_id, self._clock.now_ms())
        return await self._database.read(partial(require, dashboard_id)) if template is None else template

    # ---- changing ----

    async def create(self, body: NewDashboard) -> Dashboard:
        """A new dashboard, behind all others; raises ``ValidationFailed`` naming what is wrong with its components."""
        components = body.components or []
        found = forms.problems(components, ids=False)
        if found:
            raise ValidationFailed(*found[:100])
        layout = (body.layout or DEFAULT_LAYOUT).plain()
        fresh = self._new(name=body.name, layout=layout, components=sized(forms.numbered(components)))
        return await self._run(partial(tables.insert_last, fresh), self._told(fresh.id, "create"))

    async def update(self, dashboard_id: str, change: DashboardChange) -> Dashboard:
        """Change what is given; raises ``NotFound`` and ``InvalidComponents``."""
        changes: Json = {} if change.name is None else {"name": change.name}
        if change.layout is not None:
            changes["layout"] = change.layout.plain()
        if change.components is not None:
            changes["components"] = checked(change.components)

        def work() -> Dashboard:
            return self._replace(require(dashboard_id), changes)

        return await self._run(work, self._told(dashboard_id, "update"))

    async def delete(self, dashboard_id: str) -> None:
        """Delete a dashboard and its share links; raises ``NotFound``."""

        def work() -> list[Event]:
            require(dashboard_id)
            shares = tables.delete(dashboard_id)
            return [SessionEnded(principal_id=share.id, reason="dashboard deleted") for share in shares]

        await self._run(work, self._told(dashboard_id, "delete"), lambda ended: ended)

    async def add_components(self, dashboard_id: str, components: list[Any]) -> Dashboard:
        """Append components; raises ``NotFound`` and ``InvalidComponents``."""
        added = checked(components)

        def work() -> Dashboard:
            found = require(dashboard_id)
            return self._replace(found, {"components": sized(checked([*found.components, *added]))})

        return await self._run(work, self._told(dashboard_id, "add_components"))

    async def place_component(self, dashboard_id: str, component: Json, size: tuple[int, int], **why: Any) -> Json:
        """Append a component below all others; returns it with its id and position. Raises as ``add_components``.

        ``why``: the ``cause`` and ``hops`` of the event.
        """
        placed: Json = {"id": f"component_{uuid.uuid4().hex[:12]}", **component}

        def work() -> Json:
            found = require(dashboard_id)
            whole = {**placed, "position": placing.below(found.components, *size)}
            self._replace(found, {"components": sized(checked([*found.components, whole]))})
            return whole

        return await self._run(work, self._told(dashboard_id, "add_components", **why))

    async def remove_components(self, dashboard_id: str, ids: Sequence[str]) -> tuple[int, int]:
        """How many components were removed, and how many remain; raises ``NotFound``."""
        unwanted = set(ids)

        def work() -> tuple[int, int]:
            found = require(dashboard_id)
            kept = [component for component in found.components if component.get("id") not in unwanted]
            self._replace(found, {"components": kept})
            return len(found.components) - len(kept), len(kept)

        return await self._run(work, self._told(dashboard_id, "remove_components"))

    async def reorder(self, dashboard_ids: Sequence[str]) -> None:
        """These first, in this order; raises ``BadRequest`` for an unknown one, and then nothing has changed."""
        wanted = dict.fromkeys(dashboard_ids)
        if not wanted or len(wanted) < len(dashboard_ids):
            raise BadRequest("dashboard_ids: must have at least one entry, and none of them twice")

        def work() -> None:
            present = tables.ordered_ids()
            unknown = [ident for ident in wanted if ident not in set(present)]
            if unknown:
                raise BadRequest(f"dashboard_ids: there is no dashboard with id '{unknown[0]}'")
            tables.place([*wanted, *(ident for ident in present if ident not in wanted)])

        await self._run(work, self._told(EVERY, "reorder"))

    async def set_default(self, dashboard_id: str) -> None:
        """Make this one the default and every other not; raises ``NotFound``."""

        def work() -> None:
            require(dashboard_id)
            tables.set_default(dashboard_id)

        await self._run(work)

    async def duplicate(self, dashboard_id: str) -> Dashboard:
        """A copy behind all others, with the same components under the same ids; raises ``NotFound``."""
        fresh = self._new(name="", layout={}, components=[])

        def work() -> Dashboard:
            found = require(dashboard_id)
            name = found.name[: NAME_MAX - len(COPY)] + COPY
            return tables.insert_last(attrs.evolve(fresh, name=name, layout=found.layout, components=found.components))

        return await self._run(work, self._told(fresh.id, "create"))

    # ---- help ----

    def _new(self, **values: Any) -> Dashboard:
        now_ms = self._clock.now_ms()
        return Dashboard(id=f"{ID_PREFIX}{uuid.uuid4()}", created_ms=now_ms, updated_ms=now_ms, **values)

    def _replace(self, found: Dashboard, changes: Json) -> Dashboard:
        changed = attrs.evolve(found, **changes, updated_ms=self._clock.now_ms())
        tables.update(changed)
        return changed

    def _told(self, dashboard_id: str, action: str, **why: Any) -> Event:
        return DashboardUpdated(dashboard_id=dashboard_id, action=action, **why)

    async def _run(
        self,
        work: Callable[[], T],
        event: Event | None = None,
        more: Callable[[T], Sequence[Event]] = lambda result: (),
    ) -> T:
        """Write, then tell."""

        async def change() -> T:
            result = await self._database.write(work)
            for told in ([event] if event else []) + [*more(result)]:
                self._bus.publish(told)
            return result

        return await self._turns.run(change)


def require(dashboard_id: str) -> Dashboard:
    """A dashboard that is kept; raises ``NotFound``. In a database call only."""
    found = tables.get(dashboard_id)
    if found is None:
        raise NotFound("DASHBOARD", dashboard_id)
    return found


def checked(components: list[Any]) -> list[Json]:
    """Components that each have an id; raises ``InvalidComponents``."""
    found = forms.problems(components, ids=True)
    if found:
        raise InvalidComponents(found[:100])
    return components


def sized(components: list[Json]) -> list[Json]:
    """Components that are not too much to keep; raises ``TooLarge``."""
    if len(orjson.dumps(components)) > COMPONENTS_BYTES:
        raise TooLarge(COMPONENTS_BYTES)
    return components
