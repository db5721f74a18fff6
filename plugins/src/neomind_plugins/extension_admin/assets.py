"""Dashboard components and the ES modules they are drawn by."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.resources
import mimetypes
from urllib.parse import quote

import attrs

from neomind_sdk import ApiError, DashboardComponent, Logger, Platform

from .jsonable import shown
from .models import Component, SizeConstraints

SCRIPTS = (".js", ".mjs")
DIGEST_CHARS = 16


@attrs.frozen
class Asset:
    """A file of a plugin's package; ``digest`` is of its content."""

    content: bytes
    media_type: str
    digest: str


class Assets:
    """Knows the bundles that running plugins declare. Nothing of a request's path ever reaches the file system."""

    def __init__(self, platform: Platform, log: Logger) -> None:
        self._platform = platform
        self._log = log
        # A package does not change under a running process, so what was read once holds.
        self._read: dict[str, Asset] = {}

    async def components(self, extension_id: str | None = None) -> list[Component]:
        """The components of one plugin; those of all that bring a bundle, without ``extension_id``."""
        found = [
            (plugin, component)
            for plugin, component in self._platform.contributions("dashboard_components")
            if (plugin == extension_id if extension_id is not None else component.bundle is not None)
        ]
        return [view(plugin, component, await self._url(plugin, component)) for plugin, component in found]

    async def find(self, extension_id: str, path: str) -> tuple[Asset, bool]:
        """The file at ``<digest>/<path>`` or ``<path>``, and whether the address is of this content for ever.

        Raises 404 for whatever no component of the plugin declares as its bundle.
        """
        for plugin, component in self._platform.contributions("dashboard_components"):
            file = file_of(component)
            if plugin != extension_id or file is None or not path.endswith(file):
                continue
            asset = await self._asset(component)
            if asset is not None and path in (file, f"{asset.digest}/{file}"):
                return asset, path != file
        raise ApiError("NOT_FOUND", f"Extension '{extension_id}' has no such asset")

    async def _url(self, plugin: str, component: DashboardComponent) -> str | None:
        asset, file = await self._asset(component), file_of(component)
        return f"/api/extensions/{plugin}/assets/{asset.digest}/{quote(file)}" if asset and file else None

    async def _asset(self, component: DashboardComponent) -> Asset | None:
        if component.bundle is None:
            return None
        if component.bundle not in self._read:
            try:
                self._read[component.bundle] = await asyncio.to_thread(load, component.bundle)
            except (OSError, ImportError, ValueError) as error:
                self._log.warning("bundle_unreadable", component=component.type, reason=str(error))
                return None
        return self._read[component.bundle]


def load(bundle: str) -> Asset:
    package, _, path = bundle.partition(":")
    content = importlib.resources.files(package).joinpath(path).read_bytes()
    return Asset(content, media_type(path), hashlib.sha256(content).hexdigest()[:DIGEST_CHARS])


def media_type(path: str) -> str:
    """Browsers refuse modules of any other type than JavaScript's."""
    if path.endswith(SCRIPTS):
        return "text/javascript; charset=utf-8"
    return mimetypes.guess_type(path)[0] or "application/octet-stream"


def file_of(component: DashboardComponent) -> str | None:
    """The path of the bundle inside its package."""
    return component.bundle.partition(":")[2] if component.bundle else None


def view(plugin: str, component: DashboardComponent, bundle_url: str | None) -> Component:
    return Component(
        type=component.type,
        name=component.name,
        description=component.description,
        category=component.category,
        icon=component.icon,
        bundle_url=bundle_url,
        export_name=component.export_name,
        global_name=component.global_name,
        size_constraints=SizeConstraints(**attrs.asdict(component.size)),
        has_data_source=component.has_data_source,
        max_data_sources=component.max_data_sources,
        has_display_config=component.has_display_config,
        has_actions=component.has_actions,
        has_device_binding=component.has_device_binding,
        config_schema=shown(component.config_schema),
        default_config=shown(component.default_config),
        extension_id=plugin,
        extension_name=plugin,
    )
