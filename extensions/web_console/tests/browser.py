"""Headless Chromium by its DevTools protocol: enough of it to open a page, look, type and click."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = (
    *("--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-port=0"),
)
SOON_S = 30.0


class Page:
    """One tab. ``requests`` are the addresses it asked for, ``problems`` what it complained of."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.requests: list[str] = []
        self.problems: list[str] = []

    async def call(self, method: str, **params: Any) -> Any:
        number = len(self._answers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        message = await asyncio.wait_for(answer, SOON_S)
        assert "error" not in message, (method, params, message["error"])
        return message["result"]

    async def read(self) -> None:
        """Take what the browser says until it is gone."""
        async for text in self._socket:
            message = json.loads(text)
            if "id" in message:
                self._answers[message["id"]].set_result(message)
            else:
                self._note(message["method"], message["params"])

    def _note(self, method: str, params: Any) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(str(params["exceptionDetails"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("warning", "error"):
            self.problems.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")

    async def run(self, script: str) -> Any:
        """The value of a script, which may be a promise."""
        done = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    async def until(self, condition: str) -> Any:
        """Wait until a script is true and give its value."""
        watch = f"""new Promise((done) => {{
            const look = () => {{
                const value = {condition};
                if (value) return done(value instanceof Node || value);
                setTimeout(look, 50);
            }};
            look();
        }})"""
        return await asyncio.wait_for(self.run(watch), SOON_S)

    async def click(self, selector: str) -> None:
        """Click as a person does: on what is there, and once the page does not change any more."""
        await self.until(f"document.querySelector('{selector}')")
        quiet = """new Promise((done) => {
            const still = () => { watcher.disconnect(); done(true); };
            let timer = setTimeout(still, 500);
            const watcher = new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(still, 500); });
            watcher.observe(document, {subtree: true, childList: true, attributes: true});
        })"""
        await asyncio.wait_for(self.run(quiet), SOON_S)
        await self.run(f"document.querySelector('{selector}').click()")

    async def open(self, address: str) -> None:
        await self.call("Page.navigate", url=address)


@asynccontextmanager
async def browser(profile: Path) -> AsyncIterator[Page]:
    """Start Chromium with a fresh profile and give its tab; it is gone when the block ends."""
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    command = (str(PROGRAM), *OPTIONS, *sandbox, f"--user-data-dir={profile}", "about:blank")
    null = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=null, stderr=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(SOON_S):
            address = await _address(process)
        async with connect(await _tab(address), max_size=None) as socket:
            page = Page(socket)
            reading = asyncio.create_task(page.read())
            for domain in ("Page", "Network", "Runtime", "Log"):
                await page.call(f"{domain}.enable")
            yield page
            reading.cancel()
    finally:
        process.kill()
        await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    """Where the browser listens; it says so on its standard error."""
    assert process.stderr is not None
    said = []
    async for line in process.stderr:
        said.append(line.decode(errors="replace"))
        if "DevTools listening on " in said[-1]:
            return said[-1].partition("listening on ")[2].strip()
    raise AssertionError("".join(said))


async def _tab(browser_address: str) -> str:
    """The address of the tab that is open."""
    async with connect(browser_address) as socket:
        await socket.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
        targets = json.loads(await socket.recv())["result"]["targetInfos"]
    (tab,) = [target["targetId"] for target in targets if target["type"] == "page"]
    return browser_address.partition("/devtools/")[0] + f"/devtools/page/{tab}"
