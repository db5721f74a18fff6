"""The page as a person sees it, in a real browser."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("web_console_browser", Path(__file__).with_name("browser.py"))
chromium = importlib.util.module_from_spec(spec)
spec.loader.exec_module(chromium)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.PROGRAM is None, reason="Chromium is not installed (Debian: chromium)"),
]
OPERATIONS = "document.querySelectorAll('.opblock-tag').length"


@pytest.fixture
async def page(tmp_path):
    async with chromium.browser(tmp_path / "profile") as page:
        yield page


@pytest.fixture
async def server(host):
    async with host.served() as address:
        yield address


@pytest.fixture
async def below_a_prefix(host):
    """The address of the platform behind a proxy that gives it a path of its own, and no other."""
    api = host.host.api

    async def proxy(scope, receive, send):
        inner = scope["raw_path"].removeprefix(b"/edge")
        assert inner != scope["raw_path"], scope["path"]
        await api({**scope, "raw_path": inner, "path": inner.decode()}, receive, send)

    host.host.api = proxy
    async with host.served() as address:
        yield f"{address}/edge"
    host.host.api = api


async def test_every_operation_is_shown_and_nothing_is_fetched_from_elsewhere(page, server):
    await page.open(f"{server}/api/docs")
    await page.until(f"{OPERATIONS} === 2")
    tags = await page.run("[...document.querySelectorAll('.opblock-tag')].map((tag) => tag.dataset.tag)")
    assert tags == ["sample", "web_console"]
    wrong = [address for address in page.requests if not address.startswith((f"{server}/api/", "data:", "about:"))]
    assert wrong == []
    assert page.problems == []


async def answer_of(page, path):
    """Open an operation, execute it, and read the answer as it is shown."""
    block = f"#operations-sample-get_{path}"
    await page.click("[data-tag=sample] button")
    await page.click(f"{block} .opblock-summary-control")
    await page.click(f"{block} .execute")
    return await page.until(f"document.querySelector('{block} .live-responses-table .response pre')?.innerText")


async def test_an_operation_is_tried(page, server):
    await page.open(f"{server}/api/docs")
    await page.until(f"{OPERATIONS} === 2")
    assert '"pong"' in await answer_of(page, "ping")
    assert page.problems == []


async def test_with_a_credential_and_only_until_the_page_is_loaded_again(page, host, server):
    name = host.principal("viewer")
    await page.open(f"{server}/api/docs")
    await page.until(f"{OPERATIONS} === 2")
    await page.click(".auth-wrapper .authorize")
    await page.until("document.querySelector('.auth-container input')")
    await page.run("document.querySelector('.auth-container input').focus()")
    await page.call("Input.insertText", text=name)
    await page.click(".auth-container .authorize")
    await page.until("document.querySelector('.auth-container')?.innerText.includes('Authorized')")
    await page.click(".auth-btn-wrapper .btn-done")
    assert f'"{name}"' in await answer_of(page, "whoami")
    assert await page.run("JSON.stringify({...localStorage, ...sessionStorage})") == "{}"
    assert page.problems == []
    await page.open(f"{server}/api/docs?again")
    await page.until(f"{OPERATIONS} === 2")
    assert "UNAUTHORIZED" in await answer_of(page, "whoami")


async def test_below_the_prefix_of_a_proxy(page, below_a_prefix):
    await page.open(f"{below_a_prefix}/api/docs")
    await page.until(f"{OPERATIONS} === 2")
    assert '"pong"' in await answer_of(page, "ping")
    assert page.problems == []


async def test_no_document(page, host, server):
    """Negative control: what goes wrong is told, and noticed here."""
    host.host.api._document = b"not JSON"
    await page.open(f"{server}/api/docs")
    note = "document.querySelector('.console-note')?.innerText"
    await page.until(f"{note}?.includes('could not be loaded')")
