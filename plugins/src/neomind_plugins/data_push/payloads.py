"""Bodies, and the orders that carry them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import orjson

from neomind_sdk import Order, series
from neomind_sdk.units import seconds

from .errors import Failed
from .records import EVENT_DRIVEN, KIND, NESTED, RESENT, Item, Target

if TYPE_CHECKING:
    from .templates import Template

BODY_MAX = 240 * 1024
SOURCES_MAX = 100
SOURCES_BYTES = 8 * 1024
IMAGES_MAX = 20
IMAGE = re.compile(r"(?=.{1,300}\Z)/api/images/[^/\s]+/[^/\s]+/[^/\s]+")


@attrs.frozen(kw_only=True)
class Maker:
    """Makes orders of the values of one target. With a template it belongs into a thread.

    ``expires_ms`` is what the orders get; ``resend`` marks what is sent again.
    """

    target: Target
    template: Template | None = None
    expires_ms: int | None = None
    resend: bool = False

    def singles(self, items: Iterable[Item]) -> list[Order]:
        """An order for each value."""
        return [self._order([item], *self._single(item)) for item in items]

    def batches(self, items: Sequence[Item]) -> list[Order]:
        """One order, or several where one would be too large."""
        if not items:
            return []
        body = self._batch(items)
        if size_of(body) <= BODY_MAX:
            return [self._order(items, body)]
        if len(items) == 1:
            return [self._order(items, "", too_large(body))]
        half = len(items) // 2
        return [*self.batches(items[:half]), *self.batches(items[half:])]

    def of(self, items: Sequence[Item]) -> list[Order]:
        """As the target is set: one by one, or in batches of its size."""
        if self.target.direct:
            return self.singles(items)
        size = self.target.batch.batch_size if self.target.schedule.kind == EVENT_DRIVEN else len(items)
        kept = [item for item in items if not item.source.endswith(f":{series.RAW}")]
        parts = [kept[start : start + size] for start in range(0, len(kept), max(1, size))]
        return [order for part in parts for order in self.batches(part)]

    # ---- bodies ----

    def _single(self, item: Item) -> tuple[str, str]:
        """The body of a value, and what is the matter with it."""
        if self.template is None:
            body = dumped(plain(item))
        else:
            try:
                body = self.template.render(item.source, item.value, seconds(item.ts_ms))
            except Failed as error:
                return "", str(error)
        return (body, "") if size_of(body) <= BODY_MAX else ("", too_large(body))

    def _batch(self, items: Sequence[Item]) -> str:
        body: dict[str, Any] = {"batch": True}
        if self.target.batch.format == NESTED:
            newest = max(item.ts_ms for item in items)
            body |= {"format": NESTED, "count": len(items), "timestamp": seconds(newest), "items": nested(items)}
        else:
            body |= {"count": len(items), "items": [self._entry(item) for item in items]}
        return dumped(body | ({RESENT: True} if self.resend else {}))

    def _entry(self, item: Item) -> Any:
        """A value in a flat batch: what its template makes of it, if that is JSON."""
        if self.template is None:
            return plain(item)
        try:
            return orjson.loads(self.template.render(item.source, item.value, seconds(item.ts_ms)))
        except (Failed, orjson.JSONDecodeError):
            return plain(item)

    # ---- orders ----

    def _order(self, items: Sequence[Item], body: str, problem: str = "") -> Order:
        sources = named(items)
        payload: dict[str, Any] = {"target": self.target.id, "body": body, "sources": sources}
        more = {"problem": problem, "images": images(items), RESENT: self.resend}
        payload |= {key: value for key, value in more.items() if value}
        what = sources[0] if len(items) == 1 else f"{len(items)} values of {sources[0]}, …"
        return Order(
            lane=self.target.lane,
            kind=KIND,
            payload=payload,
            subject=f"{self.target.name}: {what}",
            cause=items[0].cause,
            hops=max(item.hops for item in items) + 1,
            expires_ms=self.expires_ms,
        )


def plain(item: Item) -> dict[str, Any]:
    return {"source_id": item.source, "value": item.value, "timestamp": seconds(item.ts_ms)}


def dumped(body: Any) -> str:
    return orjson.dumps(body).decode()


def size_of(body: str) -> int:
    """Bytes in an order, which is JSON itself."""
    return len(orjson.dumps(body))


def too_large(body: str) -> str:
    return f"the body has {size_of(body)} bytes; a delivery takes {BODY_MAX}"


def named(items: Iterable[Item]) -> list[str]:
    """The sources, each once, as many as an order has room for."""
    found: dict[str, None] = {}
    size = 0
    for item in items:
        if item.source in found:
            continue
        size += len(item.source.encode())
        if len(found) >= SOURCES_MAX or (found and size > SOURCES_BYTES):
            break
        found[item.source] = None
    return list(found)


def images(items: Iterable[Item]) -> list[str]:
    """The addresses of pictures among the values."""
    texts = (item.value for item in items if isinstance(item.value, str))
    return list(dict.fromkeys(text for text in texts if IMAGE.fullmatch(text)))[:IMAGES_MAX]


# ---- nested ----


def nested(items: Iterable[Item]) -> list[dict[str, Any]]:
    """The values by what they are of; a dotted name is an object in an object, and a later value is in its place."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for item in items:
        kind, ident, name = parts_of(item.source)
        _set(found.setdefault((kind, ident), {}), list(_levels(name)), item.value)
    return [{"source_type": kind, "id": ident, "data": data} for (kind, ident), data in found.items()]


def parts_of(source: str) -> tuple[str, str, str]:
    kind, _, rest = source.partition(":")
    ident, _, name = rest.partition(":")
    return kind, ident, name


def _levels(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from parts if all(parts) else [name]


def _set(data: dict[str, Any], levels: Sequence[str], value: Any) -> None:
    for level in levels[:-1]:
        inner = data.get(level)
        if not isinstance(inner, dict):
            inner = data[level] = {}
        data = inner
    data[levels[-1]] = value
