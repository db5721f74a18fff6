"""Routes of extensions."""

from __future__ import annotations

from typing import Any

from neomind_sdk import PUBLIC, Platform, Raw, Reply, Request, Route

from . import catalog, service
from .assets import Asset, Assets
from .models import (
    Command,
    Component,
    DiscoverAnswer,
    Extension,
    ExtensionsQuery,
    ExtensionType,
    HealthAnswer,
)

FOREVER = "public, max-age=31536000, immutable"


def listing(rows: list[Any]) -> Reply:
    return Reply(data=rows, meta={"count": len(rows)})


async def list_extensions(request: Request) -> Reply:
    return listing(catalog.extensions(request.services[Platform], request.query))


async def list_types(_request: Request) -> Reply:
    return listing(list(catalog.TYPES))


async def discover(request: Request) -> DiscoverAnswer:
    return await request.services[service.Discovery].run()


async def show_extension(request: Request) -> Extension:
    return catalog.detail(request.services[Platform], request.params["extension_id"])


async def show_health(request: Request) -> HealthAnswer:
    return await service.health(request.services[Platform], request.params["extension_id"])


async def list_commands(request: Request) -> Reply:
    platform, extension_id = request.services[Platform], request.params["extension_id"]
    catalog.find(platform, extension_id)
    return listing([catalog.command_view(one) for one in catalog.commands_of(platform, extension_id)])


async def list_components(request: Request) -> Reply:
    extension_id = request.params["extension_id"]
    catalog.find(request.services[Platform], extension_id)
    return listing(await request.services[Assets].components(extension_id))


async def list_all_components(request: Request) -> Reply:
    return listing(await request.services[Assets].components())


async def show_asset(request: Request) -> Raw:
    asset, for_ever = await request.services[Assets].find(request.params["extension_id"], request.params["path"])
    headers = {"ETag": f'"{asset.digest}"', "Cache-Control": FOREVER if for_ever else "no-cache"}
    if known(request, asset):
        return Raw(content=b"", media_type=asset.media_type, status=304, headers=headers)
    return Raw(content=asset.content, media_type=asset.media_type, headers=headers)


def known(request: Request, asset: Asset) -> bool:
    """Whether the client says that it has this content already (RFC 9110, 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return "*" in tags or f'"{asset.digest}"' in tags


def routes() -> list[Route]:
    return [*public_routes(), *component_routes(), *guarded_routes()]


def public_routes() -> list[Route]:
    common: dict[str, Any] = {"method": "GET", "scope": PUBLIC}
    return [
        Route(
            **common,
            path="/extensions",
            handler=list_extensions,
            summary="List all plugins with their status",
            description="Those that are blocked or failed too: `status` and `reason` say how far each came.",
            query=ExtensionsQuery,
            response=list[Extension],
        ),
        Route(
            **common,
            path="/extensions/types",
            handler=list_types,
            summary="List types of extensions",
            response=list[ExtensionType],
        ),
    ]


def component_routes() -> list[Route]:
    """Public: browsers load them by tags, which send no credentials."""
    common: dict[str, Any] = {"method": "GET", "scope": PUBLIC}
    return [
        Route(
            **common,
            path="/extensions/dashboard-components",
            handler=list_all_components,
            summary="List the dashboard components that running plugins bring code for",
            response=list[Component],
        ),
        Route(
            **common,
            path="/extensions/{extension_id}/components",
            handler=list_components,
            summary="List the dashboard components of a plugin",
            description="`bundle_url` is the address of the ES module, null for what the web client itself brings.",
            response=list[Component],
            errors=("EXTENSION_NOT_FOUND",),
        ),
        Route(
            **common,
            path="/extensions/{extension_id}/assets/{path:path}",
            handler=show_asset,
            summary="The ES module of a dashboard component",
            description=(
                "`path` is the bundle's path in its package, and may have the digest of its content before it, as in "
                "`bundle_url`: such an address never changes its content."
            ),
            produces="text/javascript",
            errors=("NOT_FOUND",),
        ),
    ]


def guarded_routes() -> list[Route]:
    common: dict[str, Any] = {"method": "GET", "scope": "extensions:read", "errors": ("EXTENSION_NOT_FOUND",)}
    return [
        Route(
            method="POST",
            path="/extensions/discover",
            handler=discover,
            scope="extensions:write",
            summary="Look for new plugins and start them",
            description="Among installed distributions and in the extensions directory; what failed is tried again.",
            response=DiscoverAnswer,
        ),
        Route(
            **common,
            path="/extensions/{extension_id}",
            handler=show_extension,
            summary="Show a plugin",
            response=Extension,
        ),
        Route(
            **common,
            path="/extensions/{extension_id}/health",
            handler=show_health,
            summary="Ask a plugin whether it is well",
            description="`healthy`: it runs and all its checks are well, each of which has 2 s.",
            response=HealthAnswer,
        ),
        Route(
            **common,
            path="/extensions/{extension_id}/commands",
            handler=list_commands,
            summary="List the commands of a plugin",
            response=list[Command],
        ),
    ]
