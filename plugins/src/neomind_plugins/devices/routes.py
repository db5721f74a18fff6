"""Routes of devices and their current values."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import Device, Reply, Request, Route, ValidationFailed

from . import views
from .configs import new_id
from .current import Current
from .listing import page_of
from .models import (
    BATCH_MAX,
    AddedDevice,
    CurrentAnswer,
    CurrentBatch,
    CurrentBatchAnswer,
    DeviceChange,
    DeviceDeletedAnswer,
    DeviceDetail,
    DevicePage,
    DeviceQuery,
    DeviceUpdatedAnswer,
    NewDevice,
    StatsAnswer,
)
from .service import Directory

BAD_CONFIG = ("BAD_REQUEST", "INVALID_DEVICE_CONFIG")
STORAGE_ERRORS = ("SERVICE_UNAVAILABLE", "STORAGE_FULL")


async def list_devices(request: Request) -> Reply:
    directory = request.services[Directory]
    page = page_of(directory, request.query)
    rows = [views.listed(directory, device) for device in page.devices]
    numbers = attrs.asdict(page.pagination)
    paging = {**numbers, "page_size": page.pagination.limit, "total_count": page.pagination.total}
    data = DevicePage(devices=rows, count=len(rows), pagination=page.pagination)
    return Reply(data=data, meta={"count": len(rows), "pagination": paging})


async def add_device(request: Request) -> AddedDevice:
    directory = request.services[Directory]
    return views.added(directory, await directory.register(wanted_device(request.body, directory)))


def wanted_device(body: NewDevice, directory: Directory) -> Device:
    """The device of a body, with an id that is free when it has none."""
    device_id = body.device_id
    while device_id is None or (body.device_id is None and directory.get(device_id) is not None):
        device_id = new_id(body.device_type)
    return Device(**{**attrs.asdict(body, recurse=False), "device_id": device_id})


async def show_device(request: Request) -> DeviceDetail:
    directory, device_id = request.services[Directory], request.params["device_id"]
    device = directory.require(device_id)
    metrics = await request.services[Current].metrics(device_id)
    return DeviceDetail(
        **views.listed_members(directory, device),
        connection_config=dict(device.connection_config),
        current_values={name: metric.value for name, metric in metrics.items() if metric.timestamp is not None},
        metrics=metrics,
        commands=views.command_views(directory.type_of(device_id)),
    )


async def change_device(request: Request) -> DeviceUpdatedAnswer:
    device = await request.services[Directory].update(request.params["device_id"], request.body)
    return DeviceUpdatedAnswer(device_id=device.device_id)


async def delete_device(request: Request) -> DeviceDeletedAnswer:
    device_id = request.params["device_id"]
    await request.services[Directory].remove(device_id)
    return DeviceDeletedAnswer(device_id=device_id)


async def show_current(request: Request) -> CurrentAnswer:
    directory, device_id = request.services[Directory], request.params["device_id"]
    device = directory.require(device_id)
    metrics = await request.services[Current].metrics(device_id)
    commands = views.command_views(directory.type_of(device_id))
    return CurrentAnswer(device=views.state(directory, device), metrics=metrics, commands=commands)


async def show_current_batch(request: Request) -> CurrentBatchAnswer:
    if len(request.body.device_ids) > BATCH_MAX:
        raise ValidationFailed(("device_ids", f"must have at most {BATCH_MAX} entries"))
    values = await request.services[Current].values(request.body.device_ids)
    return CurrentBatchAnswer(devices=values, count=len(values))


async def show_stats(request: Request) -> StatsAnswer:
    return StatsAnswer(stats=views.stats(request.services[Directory]))


def routes() -> list[Route]:
    return [*reading(), *writing()]


def reading() -> list[Route]:
    common: dict[str, Any] = {"method": "GET", "scope": "devices:read"}
    stored = ("DEVICE_NOT_FOUND", "SERVICE_UNAVAILABLE")
    return [
        Route(
            **common,
            path="/devices",
            handler=list_devices,
            summary="List devices, by name",
            query=DeviceQuery,
            response=DevicePage,
        ),
        Route(
            **common,
            path="/devices/{device_id}",
            handler=show_device,
            summary="Show a device, its metrics with their newest values, and its commands",
            response=DeviceDetail,
            errors=stored,
        ),
        Route(
            **common,
            path="/devices/{device_id}/current",
            handler=show_current,
            summary="Show the newest values of a device",
            response=CurrentAnswer,
            errors=stored,
        ),
        Route(
            method="POST",
            scope="devices:read",
            path="/devices/current-batch",
            handler=show_current_batch,
            summary="Show the newest values of several devices",
            body=CurrentBatch,
            body_required=True,
            response=CurrentBatchAnswer,
            errors=("SERVICE_UNAVAILABLE",),
        ),
        Route(
            **common,
            path="/stats/devices",
            handler=show_stats,
            summary="Count devices",
            response=StatsAnswer,
        ),
    ]


def writing() -> list[Route]:
    common: dict[str, Any] = {"scope": "devices:write"}
    return [
        Route(
            **common,
            method="POST",
            path="/devices",
            handler=add_device,
            summary="Register a device",
            description=(
                "`connection_config` may be empty. A `webhook_token` in it guards the device's webhook: it is kept as "
                "a hash and answered as `***`."
            ),
            body=NewDevice,
            body_required=True,
            response=AddedDevice,
            errors=(*BAD_CONFIG, "DEVICE_TYPE_NOT_FOUND", "CONFLICT", *STORAGE_ERRORS),
        ),
        Route(
            **common,
            method="PUT",
            path="/devices/{device_id}",
            handler=change_device,
            summary="Change a device",
            description=(
                "What is absent stays. `connection_config` is replaced as a whole, but for `webhook_token`: absent or "
                "`***` keeps it, `null` takes it away. `offline_timeout_secs: null` takes the override away."
            ),
            body=DeviceChange,
            body_required=True,
            response=DeviceUpdatedAnswer,
            errors=(*BAD_CONFIG, "DEVICE_NOT_FOUND", *STORAGE_ERRORS),
        ),
        Route(
            **common,
            method="DELETE",
            path="/devices/{device_id}",
            handler=delete_device,
            summary="Delete a device",
            description=(
                "Its history stays until retention takes it: a device that is registered under the same id later "
                "shows it again."
            ),
            response=DeviceDeletedAnswer,
            errors=("DEVICE_NOT_FOUND", *STORAGE_ERRORS),
        ),
    ]
