"""The least that answers: a Starlette route that parses the same JSON and stores nothing. ``bare.py <port>``."""

from __future__ import annotations

import sys

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def health(_request: Request) -> Response:
    return Response(b"{}", media_type="application/json")


async def webhook(request: Request) -> Response:
    values = orjson.loads(await request.body())
    answer = {"success": True, "device_id": request.path_params["device_id"], "metrics_received": len(values)}
    return Response(orjson.dumps(answer), media_type="application/json")


app = Starlette(
    routes=[Route("/health", health), Route("/api/devices/{device_id}/webhook", webhook, methods=["POST"])],
)

if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False,
        log_level="warning", lifespan="off",
    )  # fmt: skip
