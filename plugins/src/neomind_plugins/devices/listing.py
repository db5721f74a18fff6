"""Pages of the list of devices."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from neomind_sdk import Device, DeviceDirectory

from .models import DeviceQuery, Pagination


@attrs.frozen
class Page:
    """The devices of one page, by name then id."""

    devices: Sequence[Device]
    pagination: Pagination


def page_of(directory: DeviceDirectory, query: DeviceQuery) -> Page:
    """The page that is asked for; one past the end is empty."""
    found = [device for device in directory.devices() if wanted(directory, device, query)]
    limit = query.page_size or query.limit
    start, pages = (query.page - 1) * limit, -(-len(found) // limit)
    pagination = Pagination(
        page=query.page,
        limit=limit,
        total=len(found),
        total_pages=pages,
        has_next=query.page < pages,
        has_prev=query.page > 1,
    )
    return Page(found[start : start + limit], pagination)


def wanted(directory: DeviceDirectory, device: Device, query: DeviceQuery) -> bool:
    if query.device_type is not None and device.device_type != query.device_type:
        return False
    status = "online" if query.status == "connected" else query.status
    if status is not None and directory.status(device.device_id) != status:
        return False
    text = (query.search or "").strip().casefold()
    return text in device.name.casefold() or text in device.device_id.casefold()
