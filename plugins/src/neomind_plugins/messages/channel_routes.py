"""Routes of channels. Everybody sees them, without their secrets; administrators change them."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import ADMIN, PUBLIC, BadRequest, Reply, Request, Route, strict_json

from . import views
from .channels import Change, Channels
from .configs import Configs
from .errors import BadSeverity, ChannelNotFound
from .kinds import Kinds
from .models import (
    ChannelBody,
    ChannelChange,
    ChannelDeleted,
    ChannelList,
    ChannelSaved,
    ChannelStats,
    ChannelView,
    EnabledBody,
    FilterBody,
    FilterSaved,
    FilterView,
    RecipientBody,
    Recipients,
    RecipientsSaved,
    TestAnswer,
    TypeList,
    TypeSchema,
)
from .records import Channel, Filter
from .severities import severity_of

READ = "messages:read"
STORING = ("SERVICE_UNAVAILABLE", "STORAGE_FULL")
NAMED = ("CHANNEL_NOT_FOUND", *STORING)
CONFIGURED = ("BAD_REQUEST", "VALIDATION_ERROR", "EGRESS_BLOCKED", "CONFLICT")
PATH = "/messages/channels/{name}"
UPDATED = {"message": "Channel updated", "message_zh": "通道已更新"}
CREATING = (
    "The keys of the configuration stand in `config`, or beside `name`; which there are is said by "
    "`GET /messages/channels/types/{type}/schema`. Secrets are kept encrypted and shown as `***`."
)
UPDATING = (
    "`config` is the whole configuration; keys beside it change what they name. A secret that is absent, or comes back "
    "as `***`, stays. Name and type are fixed; the filter stays unless `filter` is given."
)


async def views_of(request: Request) -> views.ChannelViews:
    channels = request.services[Channels]
    return views.ChannelViews(channels, request.services[Configs], await channels.held())


async def view(request: Request, channel: Channel) -> ChannelView:
    return (await views_of(request)).view(channel)


# ---- looking ----


async def list_channels(request: Request) -> Reply:
    channels, shown = await request.services[Channels].all(), await views_of(request)
    rows = [shown.view(channel) for channel in channels]
    data = ChannelList(channels=rows, count=len(rows), stats=views.channel_stats(channels))
    return Reply(data=data, meta={"count": len(rows)})


async def show(request: Request) -> ChannelView:
    return await view(request, await request.services[Channels].get(request.params["name"]))


async def stats(request: Request) -> ChannelStats:
    return views.channel_stats(await request.services[Channels].all())


async def list_types(request: Request) -> Reply:
    rows = [views.type_view(kind) for _, kind in request.services[Kinds].all()]
    return Reply(data=TypeList(types=rows, count=len(rows)), meta={"count": len(rows)})


async def type_schema(request: Request) -> TypeSchema:
    kinds = request.services[Kinds]
    _, kind = kinds.get(request.params["type"])
    return TypeSchema(**attrs.asdict(views.type_view(kind)), config_schema=dict(kinds.schema(kind) or {}))


# ---- changing ----


def keys_of(request: Request) -> dict[str, Any]:
    """The keys of a body that are not its own: those of a configuration."""
    own = {field.name for field in attrs.fields(type(request.body))}
    return {key: value for key, value in strict_json.loads(request.raw).items() if key not in own}


def change_of(request: Request) -> tuple[Change, str]:
    """What is to change, and what stands before the names of the configuration's fields in errors."""
    body = request.body
    chosen = None if body.filter is None else filter_of(body.filter)
    if body.config is not None:
        return Change(enabled=body.enabled, config=body.config, chosen=chosen), "config."
    return Change(enabled=body.enabled, keys=keys_of(request), chosen=chosen), ""


def filter_of(body: FilterBody) -> Filter:
    severity = None if body.min_severity is None else severity_of(body.min_severity)
    if body.min_severity is not None and severity is None:
        raise BadSeverity(body.min_severity)
    return Filter(source_types=tuple(body.source_types), categories=tuple(body.categories), min_severity=severity)


async def create(request: Request) -> ChannelSaved:
    change, where = change_of(request)
    if change.enabled is None and isinstance((change.config or {}).get("enabled"), bool):
        change = attrs.evolve(change, enabled=(change.config or {})["enabled"])
    body = request.body
    channel = await request.services[Channels].create(body.name, body.channel_type, change, where)
    said = {"message": f"Channel '{channel.name}' created", "message_zh": f"通道 '{channel.name}' 已创建"}
    return ChannelSaved(**said, channel=await view(request, channel))


async def update(request: Request) -> ChannelSaved:
    channels, name, body = request.services[Channels], request.params["name"], request.body
    before = await channels.get(name)
    if body.name not in (None, name) or body.channel_type not in (None, before.channel_type):
        raise BadRequest("The name and the type of a channel are fixed; delete it and create another")
    change, where = change_of(request)
    channel = await channels.update(name, change, where)
    return ChannelSaved(**UPDATED, channel=await view(request, channel))


async def delete(request: Request) -> ChannelDeleted:
    name = request.params["name"]
    await request.services[Channels].delete(name)
    return ChannelDeleted(message=f"Channel '{name}' deleted", message_zh=f"通道 '{name}' 已删除", name=name)


async def set_enabled(request: Request) -> ChannelSaved:
    enabled = request.body.enabled
    channel = await request.services[Channels].update(request.params["name"], Change(enabled=enabled), "")
    said = ("Channel enabled", "通道已启用") if enabled else ("Channel disabled", "通道已禁用")
    return ChannelSaved(message=said[0], message_zh=said[1], channel=await view(request, channel))


async def test(request: Request) -> TestAnswer:
    delivery, duration_ms = await request.services[Channels].test(request.params["name"])
    detail = delivery.detail or "no reason was given"
    said = ("Test message sent", "测试消息已发送") if delivery.ok else (f"Test failed: {detail}", f"测试失败:{detail}")
    return TestAnswer(success=delivery.ok, message=said[0], message_zh=said[1], duration_ms=duration_ms)


# ---- filter and recipients ----


async def show_filter(request: Request) -> FilterView:
    return views.filter_view((await request.services[Channels].get(request.params["name"])).chosen)


async def set_filter(request: Request) -> FilterSaved:
    change = Change(chosen=filter_of(request.body))
    channel = await request.services[Channels].update(request.params["name"], change, "")
    shown = views.filter_view(channel.chosen)
    return FilterSaved(**UPDATED, channel=await view(request, channel), filter=shown)


async def show_recipients(request: Request) -> Recipients:
    channels = request.services[Channels]
    channel = await channels.get(request.params["name"])
    found = channels.recipients(channel)
    return Recipients(channel=channel.name, recipients=found, count=len(found))


async def add_recipient(request: Request) -> RecipientsSaved:
    channels, name = request.services[Channels], request.params["name"]
    try:
        channel = await channels.add_recipient(name, request.body.email)
    except ChannelNotFound as error:  # clients know it as 400
        raise BadRequest(error.message) from None
    said = {"message": "Recipient added", "message_zh": "收件人已添加"}
    return RecipientsSaved(**said, channel=name, recipients=channels.recipients(channel))


async def remove_recipient(request: Request) -> RecipientsSaved:
    channels, name = request.services[Channels], request.params["name"]
    channel = await channels.remove_recipient(name, request.params["email"])
    said = {"message": "Recipient removed", "message_zh": "收件人已移除"}
    return RecipientsSaved(**said, channel=name, recipients=channels.recipients(channel))


def routes() -> list[Route]:
    return [*of_types(), *of_channels(), *of_one(), *of_switches(), *of_recipients()]


def of_types() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/messages/channels/types",
            handler=list_types,
            scope=PUBLIC,
            summary="The types of channels that are installed",
            response=TypeList,
        ),
        Route(
            method="GET",
            path="/messages/channels/types/{type}/schema",
            handler=type_schema,
            scope=PUBLIC,
            summary="How channels of a type are configured",
            response=TypeSchema,
            errors=("CHANNEL_TYPE_NOT_FOUND",),
        ),
        Route(
            method="GET",
            path="/messages/channels/stats",
            handler=stats,
            scope=READ,
            summary="How many channels there are",
            response=ChannelStats,
            errors=STORING,
        ),
    ]


def of_channels() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/messages/channels",
            handler=list_channels,
            scope=READ,
            summary="List channels",
            response=ChannelList,
            errors=STORING,
        ),
        Route(
            method="POST",
            path="/messages/channels",
            handler=create,
            scope=ADMIN,
            summary="Add a channel",
            description=CREATING,
            body=ChannelBody,
            body_required=True,
            response=ChannelSaved,
            errors=(*CONFIGURED, *STORING),
        ),
    ]


def of_one() -> list[Route]:
    return [
        Route(
            method="GET",
            path=PATH,
            handler=show,
            scope=READ,
            summary="Show a channel",
            response=ChannelView,
            errors=NAMED,
        ),
        Route(
            method="PUT",
            path=PATH,
            handler=update,
            scope=ADMIN,
            summary="Change a channel",
            description=UPDATING,
            body=ChannelChange,
            body_required=True,
            response=ChannelSaved,
            errors=(*CONFIGURED, *NAMED),
        ),
        Route(
            method="DELETE",
            path=PATH,
            handler=delete,
            scope=ADMIN,
            summary="Delete a channel",
            description="What waits for it is not sent any more.",
            response=ChannelDeleted,
            errors=NAMED,
        ),
        Route(
            method="POST",
            path=f"{PATH}/test",
            handler=test,
            scope=ADMIN,
            summary="Send a test message through a channel, right now",
            description="A channel that does not get through is `success: false` with the reason, not an error.",
            response=TestAnswer,
            errors=("CONFLICT", *NAMED),
        ),
    ]


def of_switches() -> list[Route]:
    return [
        Route(
            method="PUT",
            path=f"{PATH}/enabled",
            handler=set_enabled,
            scope=ADMIN,
            summary="Enable or disable a channel",
            description="What waits for it stays, and is sent when it is enabled again.",
            body=EnabledBody,
            body_required=True,
            response=ChannelSaved,
            errors=NAMED,
        ),
        Route(
            method="GET",
            path=f"{PATH}/filter",
            handler=show_filter,
            scope=READ,
            summary="Which messages a channel gets",
            response=FilterView,
            errors=NAMED,
        ),
        Route(
            method="PUT",
            path=f"{PATH}/filter",
            handler=set_filter,
            scope=ADMIN,
            summary="Choose which messages a channel gets",
            body=FilterBody,
            body_required=True,
            response=FilterSaved,
            errors=("BAD_REQUEST", *NAMED),
        ),
    ]


def of_recipients() -> list[Route]:
    recipients = f"{PATH}/recipients"
    return [
        Route(
            method="GET",
            path=recipients,
            handler=show_recipients,
            scope=READ,
            summary="Who gets the messages of an e-mail channel",
            response=Recipients,
            errors=NAMED,
        ),
        Route(
            method="POST",
            path=recipients,
            handler=add_recipient,
            scope=ADMIN,
            summary="Add a recipient to an e-mail channel",
            body=RecipientBody,
            body_required=True,
            response=RecipientsSaved,
            errors=("BAD_REQUEST", "CONFLICT", *STORING),
        ),
        Route(
            method="DELETE",
            path=f"{recipients}/{{email}}",
            handler=remove_recipient,
            scope=ADMIN,
            summary="Remove a recipient from an e-mail channel",
            response=RecipientsSaved,
            errors=("BAD_REQUEST", "CONFLICT", "RECIPIENT_NOT_FOUND", *NAMED),
        ),
    ]
