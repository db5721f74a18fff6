"""Prints what happens, as it happens: ``python watch.py http://127.0.0.1:9375/api <token or API key> [--frames N]``."""

from __future__ import annotations

import argparse
import asyncio
import json

import websockets


async def watch(url: str, credential: str, frames: int | None) -> None:
    """Log in with the first message, then print a line for each event; ``frames`` ends it after so many."""
    kind = "api_key" if credential.startswith("nmk_") else "token"
    async with websockets.connect(f"{url.replace('http', 'ws', 1)}/events?category=device") as socket:
        await socket.send(json.dumps({"type": "Auth", kind: credential}))
        async for text in socket:
            frame = json.loads(text)
            if frame.get("type") == "Authenticated":
                print("watching", flush=True)
            elif frame.get("type") == "ping":
                await socket.send(json.dumps({"type": "pong"}))
            for event in frame.get("events", ()):
                print(event["type"], json.dumps(event["data"]), flush=True)
                frames = frames and frames - 1
                if frames == 0:
                    return


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("credential")
    parser.add_argument("--frames", type=int)
    given = parser.parse_args()
    asyncio.run(watch(given.url, given.credential, given.frames))
