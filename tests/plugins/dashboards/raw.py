"""Requests whose path goes out exactly as it is written: HTTP clients tidy paths up before they send them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote_to_bytes

import attrs


@attrs.frozen
class Answer:
    status_code: int
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


async def send(app: Any, method: str, target: str, body: Any = None) -> Answer:
    """What the application answers to the request line ``<method> <target>``, as a server hands it over."""
    path, _, query = target.partition("#")[0].encode().partition(b"?")
    content = b"" if body is None else json.dumps(body).encode()
    scope = {
        "type": "http",
        "method": method,
        "path": unquote_to_bytes(path).decode("latin-1"),
        "raw_path": path,
        "query_string": query,
        "headers": [(b"content-type", b"application/json")] if content else [],
        "client": ("127.0.0.1", 40_000),
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": content, "more_body": False}

    async def collect(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, collect)
    return Answer(sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]).decode())
