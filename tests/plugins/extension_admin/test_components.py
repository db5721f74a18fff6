"""Dashboard components and the code they are drawn by."""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.extension_admin import plugin as extension_admin
from neomind_sdk import DashboardComponent, Size, Status
from neomind_sdk.testing import make_host

from .conftest import code, data, extension

SOURCE = b"export default function Clock() { return null }\n"
STYLE = b".clock { color: red }\n"
PACKAGE = "clock_face_of_a_test"
DIGEST = hashlib.sha256(SOURCE).hexdigest()[:16]
FOREVER = "public, max-age=31536000, immutable"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with a bundle, and something beside it that is nobody's business."""
    root = tmp_path / PACKAGE
    (root / "web").mkdir(parents=True)
    (root / "__init__.py").write_text("SECRET = 1\n")
    (root / "web" / "clock face.js").write_bytes(SOURCE)
    (root / "web" / "style.css").write_bytes(STYLE)
    (root / "private.txt").write_text("secret")
    (tmp_path / "outside.js").write_text("outside")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield root
    sys.modules.pop(PACKAGE, None)


def component(kind: str, bundle: str | None, **more: Any) -> DashboardComponent:
    return DashboardComponent(type=kind, name=kind.title(), bundle=bundle and f"{PACKAGE}:{bundle}", **more)


@pytest.fixture
async def host(package: Path) -> AsyncIterator[Any]:
    clock = component(
        "clock-face",
        "web/clock face.js",
        size=Size(min_w=2, default_w=3),
        config_schema={"type": "object"},
        default_config={"hands": 2, "odd": object()},
        global_name="Clock",
    )
    plain = component("plain", None, has_data_source=False, max_data_sources=None)
    other = extension("other", components=[component("styled", "web/style.css")])
    async with make_host(extension_admin, extension("clock", components=[clock, plain]), other, storage=False) as host:
        yield host


async def test_the_components_of_a_plugin(host: Any) -> None:
    answer = await host.client(None).get("/api/extensions/clock/components")
    clock, plain = data(answer)
    assert answer.json()["meta"]["count"] == 2
    assert clock == {
        "type": "clock-face",
        "name": "Clock-Face",
        "description": "",
        "category": "custom",
        "icon": "Box",
        "bundle_url": f"/api/extensions/clock/assets/{DIGEST}/web/clock%20face.js",
        "export_name": "default",
        "global_name": "Clock",
        "size_constraints": {"min_w": 2, "min_h": 1, "default_w": 3, "default_h": 2, "max_w": 12, "max_h": 12},
        "has_data_source": True,
        "max_data_sources": 1,
        "has_display_config": True,
        "has_actions": False,
        "has_device_binding": False,
        "config_schema": {"type": "object"},
        "default_config": {},
        "extension_id": "clock",
        "extension_name": "clock",
        "variants": [],
    }
    assert (plain["bundle_url"], plain["has_data_source"], plain["max_data_sources"]) == (None, False, None)


async def test_all_components_that_bring_code(host: Any) -> None:
    rows = data(await host.client(None).get("/api/extensions/dashboard-components"))
    assert [(row["extension_id"], row["type"]) for row in rows] == [("clock", "clock-face"), ("other", "styled")]


async def test_a_plugin_without_components_has_none(host: Any) -> None:
    assert data(await host.client(None).get("/api/extensions/extension_admin/components")) == []


async def test_what_does_not_run_has_none(host: Any) -> None:
    host.host.board.move(host.host.board.get("clock"), Status.FAILED_AT_RUN, "it stopped")
    client = host.client(None)
    assert data(await client.get("/api/extensions/clock/components")) == []
    assert [row["type"] for row in data(await client.get("/api/extensions/dashboard-components"))] == ["styled"]
    assert code(await client.get(f"/api/extensions/clock/assets/{DIGEST}/web/clock face.js")) == (404, "NOT_FOUND")


async def test_the_address_of_a_bundle_holds_for_ever(host: Any) -> None:
    client = host.client(None)
    row = data(await client.get("/api/extensions/clock/components"))[0]
    answer = await client.get(row["bundle_url"])
    assert (answer.status_code, answer.content) == (200, SOURCE)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == FOREVER
    assert answer.headers["etag"] == f'"{DIGEST}"'
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_address_without_digest_is_asked_again(host: Any) -> None:
    answer = await host.client(None).get("/api/extensions/clock/assets/web/clock%20face.js")
    assert (answer.status_code, answer.content) == (200, SOURCE)
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("tag", "expected"),
    [(f'"{DIGEST}"', 304), (f'"x", W/"{DIGEST}"', 304), ("*", 304), ('"other"', 200), (DIGEST, 200)],
)
async def test_what_the_client_has_is_not_sent_again(host: Any, tag: str, expected: int) -> None:
    headers = {"if-none-match": tag}
    answer = await host.client(None).get("/api/extensions/clock/assets/web/clock face.js", headers=headers)
    assert answer.status_code == expected
    assert answer.content == (SOURCE if expected == 200 else b"")
    assert answer.headers["etag"] == f'"{DIGEST}"'


async def test_other_files_have_their_own_type(host: Any) -> None:
    answer = await host.client(None).get("/api/extensions/other/assets/web/style.css")
    assert (answer.content, answer.headers["content-type"]) == (STYLE, "text/css")


async def test_head_has_no_body(host: Any) -> None:
    answer = await host.client(None).head("/api/extensions/clock/assets/web/clock face.js")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", str(len(SOURCE)))


@pytest.mark.parametrize(
    "path",
    [
        "private.txt",
        "web/style.css",  # of the other plugin
        "__init__.py",
        "web/../private.txt",
        "..%2Foutside.js",
        "../outside.js",
        "%2e%2e/outside.js",
        "web/%2e%2e/web/clock face.js",
        "/web/clock face.js",
        "%2Fweb/clock face.js",
        "web//clock face.js",
        "web/clock face.js/",
        "web%5Cclock face.js",
        "web/clock face.js%00",
        f"{'0' * 16}/web/clock face.js",
        f"{DIGEST}/{DIGEST}/web/clock face.js",
        f"x{DIGEST}/web/clock face.js",
        f"{DIGEST}/",
        "clock face.js",
        "js",
        "",
        "etc/passwd",
    ],
)
async def test_nothing_else_is_served(host: Any, path: str) -> None:
    answer = await host.client(None).get(f"/api/extensions/clock/assets/{path}")
    assert answer.status_code == 404, answer.text
    assert answer.json()["success"] is False


async def test_assets_of_nobody(host: Any) -> None:
    assert code(await host.client(None).get("/api/extensions/nobody/assets/web/x.js")) == (404, "NOT_FOUND")


async def test_a_bundle_that_went_away_is_not_found(host: Any, package: Path) -> None:
    (package / "web" / "clock face.js").unlink()
    client = host.client(None)
    rows = data(await client.get("/api/extensions/clock/components"))
    assert rows[0]["bundle_url"] is None
    assert code(await client.get("/api/extensions/clock/assets/web/clock face.js")) == (404, "NOT_FOUND")


async def test_a_plugin_in_a_folder_of_the_extensions_directory_brings_its_bundle(tmp_path: Path) -> None:
    folder = tmp_path / "extensions" / "sundial"
    folder.mkdir(parents=True)
    (folder / "dial.js").write_bytes(SOURCE)
    (folder / "__init__.py").write_text(
        'from neomind_sdk import Plugin\nplugin = Plugin(name="sundial", summary="x")\n'
    )
    (folder / "hooks.py").write_text(
        "from neomind_sdk import DashboardComponent, hookimpl\n\n\n@hookimpl\n"
        "def neomind_dashboard_components(ctx):\n"
        '    return [DashboardComponent(type="sun-dial", name="Dial", bundle="neomind_extension_sundial:dial.js")]\n'
    )
    async with make_host(extension_admin, storage=False, extensions=True, data_dir=tmp_path) as host:
        client = host.client(None)
        [row] = data(await client.get("/api/extensions/dashboard-components"))
        answer = await client.get(row["bundle_url"])
    assert (row["extension_id"], answer.content) == ("sundial", SOURCE)
