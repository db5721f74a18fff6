"""The paths of the API as a share link has them: a short list of reads, each answered from what the dashboard shows.

No request is passed on, so there is nothing behind this list that a spelling could reach. A path is taken as it is: one
that is not its own plainest spelling is none of the list, and what it holds is compared, never interpreted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

import attrs

from neomind_sdk import ApiError, BadRequest, Platform, Raw

from . import sources
from .acting import Actor, Params
from .errors import NotShown
from .mirror import Mirror, Query, Viewer

SEGMENT = re.compile(r"[^/\\%?#;\x00-\x20\x7f](?:[^/\\%?#;\x00-\x1f\x7f]*[^/\\%?#;\x00-\x20\x7f])?")
DOTS = re.compile(r"\.+")
ANY = "*"
Pattern = tuple[str, ...]


@attrs.frozen(kw_only=True)
class Call:
    """A request of a viewer; ``values`` are the parts of its path that the pattern leaves open."""

    viewer: Viewer
    values: tuple[str, ...]
    query: Query
    body: Any

    @property
    def subject(self) -> str:
        """The id in the path."""
        return self.values[0]


Answering = Callable[[Call], Awaitable[Any]]


class Proxy:
    """Answers requests below ``…/proxy/``."""

    def __init__(self, mirror: Mirror, actor: Actor, platform: Platform) -> None:
        self._mirror = mirror
        self._actor = actor
        self._platform = platform
        self._table: Mapping[str, Mapping[Pattern, Answering]] = {
            "GET": {
                ("devices", ANY): lambda call: mirror.device(call.viewer, call.subject),
                ("devices", ANY, "current"): lambda call: mirror.current(call.viewer, call.subject),
                ("devices", ANY, "history"): lambda call: mirror.history(call.viewer, call.subject, call.query),
                ("devices", ANY, "telemetry"): lambda call: mirror.history(call.viewer, call.subject, call.query),
                ("telemetry",): lambda call: mirror.telemetry(call.viewer, call.query),
                ("stats", "system"): lambda call: mirror.system(call.viewer),
                ("agents", ANY, "executions"): lambda call: mirror.executions(call.viewer, call.subject),
                ("extensions", "dashboard-components"): self._all_components,
                ("extensions", ANY, "components"): self._components,
            },
            "POST": {
                ("devices", "current-batch"): lambda call: mirror.current_batch(call.viewer, call.body),
                ("devices", ANY, "control"): self._control,
                ("devices", ANY, "command", ANY): self._device_command,
                ("extensions", ANY, "command"): self._extension_control,
                ("extensions", ANY, "commands", ANY): self._extension_command,
            },
        }

    async def answer(self, viewer: Viewer, method: str, path: str, query: Query, body: Any) -> Any:
        """The data of an answer, or a ``Raw``.

        Raises ``NotShown`` for whatever is not on the list or not on the dashboard, 405 for another method.
        """
        segments = plain(path)
        if segments is None:
            raise NotShown
        found = {name: match(table, segments) for name, table in self._table.items()}
        hit = found.get("GET" if method == "HEAD" else method)
        if hit is None:
            others = ", ".join(name for name, other in found.items() if other)
            raise wrong_method(method, others) if others else NotShown
        pattern, answering = hit
        values = tuple(one for one, wanted in zip(segments, pattern, strict=True) if wanted == ANY)
        return await answering(Call(viewer=viewer, values=values, query=query, body=body))

    # ---- commands ----

    async def _control(self, call: Call) -> Any:
        body = fields_of(call.body)
        return await self._tell(call, call.subject, name_of(body), params_of(body, "params"))

    async def _device_command(self, call: Call) -> Any:
        return await self._tell(call, call.subject, call.values[1], params_of(fields_of(call.body), "params"))

    async def _tell(self, call: Call, device_id: str, command: str, params: Params) -> Any:
        """As ``POST /devices/{device_id}/control``."""
        done = await self._act(call, f"{sources.COMMAND}:{device_id}:{command}", params)
        names = {"sent": done.sent, "command_id": done.command_id, "status": done.state, "state": done.state}
        return {"device_id": device_id, "command": command, **names, "detail": done.detail}

    async def _extension_control(self, call: Call) -> Any:
        body = fields_of(call.body)
        params = params_of(body, "args") or params_of(body, "params")
        return await self._run(call, call.subject, name_of(body), params)

    async def _extension_command(self, call: Call) -> Any:
        return await self._run(call, call.subject, call.values[1], fields_of(call.body))

    async def _run(self, call: Call, extension_id: str, command: str, params: Params) -> Any:
        return (await self._act(call, f"{sources.EXTENSION_COMMAND}:{extension_id}:{command}", params)).result

    async def _act(self, call: Call, source_id: str, params: Params) -> Any:
        return await self._actor.act(call.viewer.opened, call.viewer.shown, source_id, params)

    # ---- what everybody may read, where it is ----

    async def _all_components(self, call: Call) -> Raw:
        return elsewhere("/api/extensions/dashboard-components")

    async def _components(self, call: Call) -> Raw:
        known = {plugin for plugin, _ in self._platform.contributions("dashboard_components")}
        if call.subject not in known:
            raise NotShown
        return elsewhere(f"/api/extensions/{call.subject}/components")


def plain(path: str) -> tuple[str, ...] | None:
    """The segments of a path (percent-decoded once, by the host); ``None`` for one that could be read another way."""
    if unquote(path) != path or unicodedata.normalize("NFKC", path) != path or not path.isprintable():
        return None
    segments = tuple(path.split("/"))
    good = all(SEGMENT.fullmatch(segment) and not DOTS.fullmatch(segment) for segment in segments)
    return segments if good else None


def match(table: Mapping[Pattern, Answering], segments: tuple[str, ...]) -> tuple[Pattern, Answering] | None:
    """The entry that a path is of; words win over what is left open."""
    fitting = [pattern for pattern in table if fits(pattern, segments)]
    best = min(fitting, key=lambda pattern: pattern.count(ANY), default=None)
    return None if best is None else (best, table[best])


def fits(pattern: Pattern, segments: tuple[str, ...]) -> bool:
    return len(pattern) == len(segments) and all(
        wanted in (ANY, one) for wanted, one in zip(pattern, segments, strict=True)
    )


def wrong_method(method: str, allowed: str) -> ApiError:
    return ApiError("METHOD_NOT_ALLOWED", f"{method} is not served here; {allowed} is", headers={"Allow": allowed})


def elsewhere(location: str) -> Raw:
    """This is public: the browser is sent to where it is."""
    return Raw(content=b"", media_type="application/json", status=307, headers={"Location": location})


# ---- bodies that may be anything ----


def fields_of(body: Any) -> Mapping[str, Any]:
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object")
    return body


def name_of(body: Mapping[str, Any]) -> str:
    name = body.get("command")
    if not isinstance(name, str):
        raise BadRequest("command: must be text")
    return name


def params_of(body: Mapping[str, Any], name: str) -> Params:
    params = body.get(name)
    if params is not None and not isinstance(params, dict):
        raise BadRequest(f"{name}: must be an object")
    return params or {}
