"""Exactly what one dashboard shows, and therefore exactly what a viewer may read.

Whatever a viewer asks for is looked up here by equality. Nothing of a request is ever completed, decoded or passed on:
an id that is spelt in another way is another id, and not shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from . import sources
from .errors import NotShown
from .records import Dashboard
from .sources import Source


@attrs.frozen
class Shown:
    """The sources of a dashboard, by the component that shows them and by their ids."""

    by_component: Sequence[tuple[str, Source]]
    by_id: Mapping[str, Source]

    def require(self, source_id: str) -> Source:
        """The source of this id; raises ``NotShown``."""
        found = self.by_id.get(source_id)
        if found is None:
            raise NotShown(f"'{source_id[:200]}'")
        return found

    def of_device(self, device_id: str, kind: str = "") -> list[Source]:
        """What is shown of a device."""
        return [one for one in self.by_id.values() if one.device_id == device_id and kind in ("", one.kind)]

    def commands(self, source_id: str) -> list[Source]:
        """The controls for one command, which may fix different parameters; raises ``NotShown``."""
        kinds = (sources.COMMAND, sources.EXTENSION_COMMAND)
        found = [one for _, one in self.by_component if one.id == source_id and one.kind in kinds]
        if not found:
            raise NotShown(f"'{source_id[:200]}'")
        return found

    def metrics_of(self, device_id: str) -> list[str]:
        return [one.field for one in self.of_device(device_id, sources.SERIES)]

    def of_kind(self, kind: str) -> Iterator[Source]:
        return (one for one in self.by_id.values() if one.kind == kind)


def shown(dashboard: Dashboard) -> Shown:
    """Read the data sources of all components."""
    found = [
        (str(component.get("id", "")), source)
        for component in dashboard.components
        for source in sources.of_component(component)
    ]
    return Shown(found, {source.id: source for _, source in found})
