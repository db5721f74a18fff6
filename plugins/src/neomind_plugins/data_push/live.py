"""A target at work, and which targets want a value."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import attrs
import orjson

from neomind_sdk import series as ids

from .payloads import Maker
from .records import DEVICE_METRIC, EVENT_DRIVEN, EXTENSION_OUTPUT, Item, Target

if TYPE_CHECKING:
    from .templates import Template

SEEN_MAX = 4096
CACHED = 50_000


@attrs.define(kw_only=True, eq=False)
class Live:
    """What is remembered of a target while the platform runs.

    ``buffered``    values that wait for their batch
    ``pending``     deliveries that wait in the outbox, about
    ``turn``        whoever makes batches of the buffer has it
    ``unschedule``  takes the job of an interval away; ``problem`` says why there is none
    ``broken``      why its template, which was taken once, cannot be used any more: nothing is sent then
    ``full``        that its queue is full was said
    ``tired``       that values had come too far was said
    """

    target: Target
    template: Template | None = None
    buffered: int = 0
    pending: int = 0
    turn: asyncio.Lock = attrs.field(factory=asyncio.Lock)
    timer: asyncio.Task[None] | None = None
    unschedule: Callable[[], None] | None = None
    problem: str | None = None
    broken: str | None = None
    full: bool = False
    tired: bool = False
    gone: bool = False
    _seen: OrderedDict[str, bytes] = attrs.field(factory=OrderedDict)
    prefixes: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        self.prefixes = prefixes_of(self.target.data_filter.source_patterns)

    @property
    def id(self) -> str:
        return self.target.id

    def matches(self, source: str) -> bool:
        """Whether a source fits the patterns."""
        return source.startswith(self.prefixes)

    def wants(self, source: str) -> bool:
        """Whether values of a source are pushed as they come."""
        target = self.target
        if not self.matches(source) or (not target.direct and source.endswith(f":{ids.RAW}")):
            return False
        types = target.schedule.event_types
        kind = EXTENSION_OUTPUT if source.startswith(f"{ids.EXTENSION}:") else DEVICE_METRIC
        return target.schedule.kind != EVENT_DRIVEN or not types or kind in types

    def changed(self, item: Item) -> bool:
        """Whether a value is another than the one before of its source; one that was long ago counts as another."""
        now = blake2b(orjson.dumps(item.value), digest_size=16).digest()
        before = self._seen.pop(item.source, None)
        self._seen[item.source] = now
        if len(self._seen) > SEEN_MAX:
            self._seen.popitem(last=False)
        return now != before

    def maker(self, expires_ms: int | None, *, resend: bool = False) -> Maker:
        return Maker(target=self.target, template=self.template, expires_ms=expires_ms, resend=resend)

    def cancel(self) -> None:
        """Take its times away."""
        unschedule, timer = self.unschedule, self.timer
        self.unschedule = self.timer = self.problem = None
        if unschedule is not None:
            unschedule()
        if timer is not None:
            timer.cancel()


def prefixes_of(patterns: Iterable[str]) -> tuple[str, ...]:
    return tuple(pattern.removesuffix("*") for pattern in patterns) or ("",)


class Index:
    """From sources to the targets that want them; each source is matched once."""

    def __init__(self) -> None:
        self._lives: dict[str, Live] = {}
        self._found: dict[str, tuple[Live, ...]] = {}

    @property
    def empty(self) -> bool:
        return not self._lives

    def put(self, live: Live) -> None:
        self._lives[live.id] = live
        self._found.clear()

    def drop(self, target_id: str) -> None:
        self._lives.pop(target_id, None)
        self._found.clear()

    def find(self, source: str) -> tuple[Live, ...]:
        found = self._found.get(source)
        if found is None:
            if len(self._found) >= CACHED:
                self._found.clear()
            found = self._found[source] = tuple(live for live in self._lives.values() if live.wants(source))
        return found


def template_of(target: Target) -> Any:
    """The template of a target; raises ``BadTemplate``. Belongs into a thread."""
    if not target.template:
        return None
    from .templates import Template  # the library is loaded where there is a template

    return Template(target.template)
