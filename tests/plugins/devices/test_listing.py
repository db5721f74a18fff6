"""Pages of the list of devices against a naive model."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.devices.listing import page_of
from neomind_plugins.devices.models import DeviceQuery
from neomind_sdk import Device


@attrs.define
class Known:
    """A directory of devices whose status the test says."""

    statuses: dict[str, str]
    all: list[Device]

    def devices(self) -> list[Device]:
        return self.all

    def status(self, device_id: str) -> str:
        return self.statuses[device_id]


TYPES = st.sampled_from(["a", "b"])
STATUSES = st.sampled_from(["online", "offline", "disconnected"])
DEVICES = st.lists(
    st.tuples(st.text("aAbBß ", max_size=3), st.text("abc-", min_size=1, max_size=3), TYPES, STATUSES),
    unique_by=lambda row: row[1],
    max_size=12,
)
QUERIES = st.builds(
    DeviceQuery,
    page=st.integers(1, 5),
    limit=st.integers(1, 5),
    page_size=st.none() | st.integers(1, 5),
    device_type=st.none() | TYPES,
    status=st.none() | STATUSES | st.just("connected"),
    search=st.none() | st.text("aAbBsc- ", max_size=2),
)


@given(DEVICES, QUERIES)
def test_a_page_has_what_the_naive_model_says(rows: list[tuple[str, str, str, str]], query: DeviceQuery) -> None:
    devices = [Device(device_id=ident, name=name, device_type=kind) for name, ident, kind, _ in rows]
    known: Any = Known({ident: status for _, ident, _, status in rows}, devices)
    page = page_of(known, query)
    expected = [row[1] for row in rows if fits(row, query)]
    size = query.page_size or query.limit
    pages = [expected[start : start + size] for start in range(0, len(expected), size)]
    here = pages[query.page - 1] if query.page <= len(pages) else []
    assert [device.device_id for device in page.devices] == here
    assert attrs.asdict(page.pagination) == {
        "page": query.page,
        "limit": size,
        "total": len(expected),
        "total_pages": len(pages),
        "has_next": bool(pages[query.page :]),
        "has_prev": query.page > 1,
    }


def fits(row: tuple[str, str, str, str], query: DeviceQuery) -> bool:
    name, ident, kind, status = row
    if query.device_type and kind != query.device_type:
        return False
    if query.status and status != {"connected": "online"}.get(query.status, query.status):
        return False
    wanted = (query.search or "").strip().casefold()
    return any(wanted in text.casefold() for text in (name, ident))
