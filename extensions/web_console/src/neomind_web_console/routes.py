"""Routes of the console: one page and the files beside it, public like the document that the page shows."""

from __future__ import annotations

import asyncio

from neomind_sdk import PUBLIC, ApiError, Raw, Request, Route

from .service import Console

# The page may load its own files and call the API it came from, and nothing else; no script or style stands in it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
GUARDS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
CHANGING = "no-cache"
FOREVER = "public, max-age=31536000, immutable"


async def show_page(request: Request) -> Raw:
    console = request.services[Console]
    content = await asyncio.to_thread(lambda: console.page)
    headers = {**GUARDS, "ETag": console.tag, "Cache-Control": CHANGING}
    if known(request, console.tag):
        return Raw(content=b"", media_type="text/html; charset=utf-8", status=304, headers=headers)
    return Raw(content=content, media_type="text/html; charset=utf-8", headers=headers)


async def show_file(request: Request) -> Raw:
    name = request.params["file"]
    asset = await asyncio.to_thread(request.services[Console].find, name)
    if asset is None:
        raise ApiError("NOT_FOUND", f"The API reference has no file '{name}'")
    headers = {**GUARDS, "ETag": asset.tag, "Cache-Control": FOREVER if name == asset.address else CHANGING}
    if known(request, asset.tag):
        return Raw(content=b"", media_type=asset.media_type, status=304, headers=headers)
    content = await asyncio.to_thread(asset.path.read_bytes)
    return Raw(content=content, media_type=asset.media_type, headers=headers)


def known(request: Request, tag: str) -> bool:
    """Whether the client says that it has this content already (RFC 9110, 13.1.2)."""
    tags = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    return "*" in tags or tag.removeprefix("W/") in tags


def routes() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/docs",
            handler=show_page,
            scope=PUBLIC,
            summary="The interactive reference of exactly the operations that are served",
            produces="text/html",
        ),
        Route(
            method="GET",
            path="/docs/{file}",
            handler=show_file,
            scope=PUBLIC,
            summary="A file of the interactive reference",
            description="With the digest of its content in its name, as the page names it, it never changes.",
            produces="*/*",
            errors=("NOT_FOUND",),
        ),
    ]
