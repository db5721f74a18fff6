"""A host with the console, and as many routes as make a document."""

from __future__ import annotations

from typing import Any

import pytest

from neomind_sdk import AUTHENTICATED, PUBLIC, Plugin, Request, Route, hookimpl
from neomind_sdk.testing import make_host
from neomind_web_console import plugin as console


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives a real browser; run by the tox environment of the same name")


async def ping(_request: Request) -> dict[str, Any]:
    return {"answer": "pong"}


async def whoami(request: Request) -> dict[str, Any]:
    return {"name": request.principal.name}


class Hooks:
    @hookimpl
    def neomind_routes(self, ctx: Any) -> list[Route]:
        return [
            Route(method="GET", path="/ping", handler=ping, scope=PUBLIC, summary="Answer"),
            Route(method="GET", path="/whoami", handler=whoami, scope=AUTHENTICATED, summary="Say who calls"),
        ]


@pytest.fixture
async def host():
    async with make_host(console, Plugin(name="sample", summary="Routes to look at.", hooks=Hooks())) as host:
        yield host
