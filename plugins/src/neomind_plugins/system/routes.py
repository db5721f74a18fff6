"""Routes of system."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import PUBLIC, ApiError, Platform, Request, Route

from .models import (
    SERVICE,
    HealthAnswer,
    HealthStatus,
    LiveAnswer,
    NetworkInfo,
    ReadyAnswer,
    ReadyQuery,
    StatsAnswer,
    SystemInfo,
)
from .readiness import Readiness
from .service import Information
from .stats import Stats
from .uptime import Uptime

ALIVE = {"status": "alive"}


async def live(_request: Request) -> dict[str, str]:
    return ALIVE


async def show_status(request: Request) -> HealthStatus:
    version, uptime = request.services[Platform].version, request.services[Uptime].seconds()
    return HealthStatus(status="healthy", service=SERVICE, version=version, uptime=uptime)


async def ready(request: Request) -> ReadyAnswer:
    answer = await request.services[Readiness].check()
    if request.query.strict and not answer.ready:
        text = "Not ready: " + "; ".join(answer.notes)
        raise ApiError("SERVICE_UNAVAILABLE", text, details=attrs.asdict(answer))
    return answer


async def show_info(request: Request) -> SystemInfo:
    return await request.services[Information].system(request.headers)


async def show_network(request: Request) -> NetworkInfo:
    return request.services[Information].network(request.headers)


async def show_stats(request: Request) -> StatsAnswer:
    return await request.services[Stats].show()


def routes(version: str) -> list[Route]:
    return [*health_routes(version), *system_routes()]


def health_routes(version: str) -> list[Route]:
    answer = {"status": "ok", "service": SERVICE, "version": version}

    async def health(_request: Request) -> dict[str, str]:
        return answer

    common: dict[str, Any] = {"method": "GET", "scope": PUBLIC}
    return [
        Route(**common, path="/health", handler=health, summary="Whether it answers", response=HealthAnswer),
        Route(
            **common,
            path="/health/status",
            handler=show_status,
            summary="Whether it answers, and since when it runs",
            response=HealthStatus,
        ),
        Route(**common, path="/health/live", handler=live, summary="Whether it is alive", response=LiveAnswer),
        Route(
            **common,
            path="/health/ready",
            handler=ready,
            summary="Whether everything vital is well",
            description=(
                "Asks the health checks of all plugins, each of which has 2 s. 200 with `ready: false` when something "
                "vital is not well, or 503 with `?strict=1`."
            ),
            query=ReadyQuery,
            response=ReadyAnswer,
            errors=("SERVICE_UNAVAILABLE",),
        ),
    ]


def system_routes() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/system/info",
            handler=show_info,
            scope="system:read",
            summary="Show how devices reach the platform, and what it is made of",
            response=SystemInfo,
        ),
        Route(
            method="GET",
            path="/system/network-info",
            handler=show_network,
            scope=PUBLIC,
            summary="Show the address of the platform",
            response=NetworkInfo,
        ),
        Route(
            method="GET",
            path="/stats/system",
            handler=show_stats,
            scope="system:read",
            summary="Show the numbers of the platform and of its machine",
            description="At most 5 s old.",
            response=StatsAnswer,
        ),
    ]
