"""Components that dashboards are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Size:
    """Grid units of a 12-column grid with rows of 60 px."""

    min_w: int = 1
    min_h: int = 1
    default_w: int = 2
    default_h: int = 2
    max_w: int = 12
    max_h: int = 12


@attrs.frozen(kw_only=True)
class DashboardComponent:
    """A kind of component.

    ``type``    unique, kebab-case: ``value-card``
    ``bundle``  a file inside the plugin's package that holds the ES module, as ``"package.name:path/in/it.js"``;
                ``None`` for components that the web client itself brings
    """

    type: str
    name: str
    description: str = ""
    category: str = "custom"
    icon: str = "Box"
    size: Size = Size()
    has_data_source: bool = True
    max_data_sources: int | None = 1
    has_display_config: bool = True
    has_actions: bool = False
    has_device_binding: bool = False
    config_schema: Mapping[str, Any] = attrs.field(factory=dict)
    default_config: Mapping[str, Any] = attrs.field(factory=dict)
    bundle: str | None = None
    export_name: str = "default"
    global_name: str | None = None

    @property
    def name_key(self) -> str:
        """What must be unique among all components."""
        return self.type
