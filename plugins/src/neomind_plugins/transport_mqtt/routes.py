"""Routes of the transport: its status and its subscriptions."""

from __future__ import annotations

from neomind_sdk import Reply, Request, Route
from neomind_sdk.addresses import public_host

from .brokers import Brokers
from .models import (
    DeviceSubscribed,
    MqttStatus,
    StatusAnswer,
    Subscribe,
    SubscribeAnswer,
    SubscriptionsAnswer,
    Unsubscribe,
)
from .routing import EMBEDDED
from .service import Links
from .topics import filter_problem

READ = "mqtt:read"
WRITE = "mqtt:write"
MAX_QOS = 1
STORAGE_ERRORS = ("SERVICE_UNAVAILABLE", "STORAGE_FULL")


async def status(request: Request) -> StatusAnswer:
    links, brokers = request.services[Links], request.services[Brokers]
    embedded = links.embedded
    state = embedded.state() if embedded is not None else None
    first = links.find(EMBEDDED)
    shown = [first] if first is not None else links.all
    errors = [link.last_error for link in shown if link.last_error and not link.connected]
    return StatusAnswer(
        status=MqttStatus(
            connected=any(link.connected for link in shown),
            listen_address=f"{state.listen}:{state.port}" if state is not None else "",
            subscriptions_count=len(links.subscriptions()),
            devices_count=len(links.devices()),
            clients_count=await embedded.clients() if embedded is not None else None,
            server_ip=public_host(state.listen if state is not None else ""),
            listen_port=state.port if state is not None else None,
            tls_enabled=state is not None and state.tls_enabled,
            external_brokers=brokers.external(),
            last_error=errors[0] if errors else None,
            messages={link.adapter_id: dict(link.intake.counts) for link in links.all},
        )
    )


async def subscriptions(request: Request) -> Reply:
    found = request.services[Links].subscriptions()
    return Reply(data=SubscriptionsAnswer(subscriptions=found, count=len(found)), meta={"count": len(found)})


async def subscribe(request: Request) -> SubscribeAnswer:
    topic, qos = request.body.topic, min(request.body.qos, MAX_QOS)
    problem = filter_problem(topic)
    if problem:
        return SubscribeAnswer(success=False, message=f"The topic {problem}", topic=topic, qos=qos)
    adapters = await request.services[Brokers].subscribe(topic, qos)
    message = f"Subscribed at {', '.join(adapters)}" if adapters else "No broker granted it so far"
    return SubscribeAnswer(success=bool(adapters), message=message, topic=topic, qos=qos)


async def unsubscribe(request: Request) -> SubscribeAnswer:
    topic = request.body.topic
    done = await request.services[Brokers].unsubscribe(topic)
    message = "Unsubscribed" if done else "Nobody asked for this topic; those of devices and brokers stay"
    return SubscribeAnswer(success=done, message=message, topic=topic)


async def subscribe_device(request: Request) -> DeviceSubscribed:
    return await set_muted(request, muted=False)


async def unsubscribe_device(request: Request) -> DeviceSubscribed:
    return await set_muted(request, muted=True)


async def set_muted(request: Request, *, muted: bool) -> DeviceSubscribed:
    device_id = request.params["device_id"]
    topic = request.services[Links].topic_of(device_id)
    await request.services[Brokers].mute(device_id, muted=muted)
    verb = "is not taken any more" if muted else "is taken"
    return DeviceSubscribed(message=f"What comes on {topic} {verb}", device_id=device_id)


def routes() -> list[Route]:
    return [*reading_routes(), *topic_routes(), *device_routes()]


def reading_routes() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/mqtt/status",
            handler=status,
            scope=READ,
            summary="Show the state of MQTT: the embedded broker, external ones, and what came in",
            response=StatusAnswer,
        ),
        Route(
            method="GET",
            path="/mqtt/subscriptions",
            handler=subscriptions,
            scope=READ,
            summary="List the subscriptions that brokers granted",
            response=SubscriptionsAnswer,
        ),
    ]


def topic_routes() -> list[Route]:
    return [
        Route(
            method="POST",
            path="/mqtt/subscribe",
            handler=subscribe,
            scope=WRITE,
            summary="Subscribe to a topic at all brokers",
            description="It is kept. QoS 2 is taken as 1.",
            body=Subscribe,
            body_required=True,
            response=SubscribeAnswer,
            errors=STORAGE_ERRORS,
        ),
        Route(
            method="POST",
            path="/mqtt/unsubscribe",
            handler=unsubscribe,
            scope=WRITE,
            summary="End a subscription that somebody asked for",
            body=Unsubscribe,
            body_required=True,
            response=SubscribeAnswer,
            errors=STORAGE_ERRORS,
        ),
    ]


def device_routes() -> list[Route]:
    errors = ("BAD_REQUEST", "DEVICE_NOT_FOUND", *STORAGE_ERRORS)
    return [
        Route(
            method="POST",
            path="/mqtt/subscribe/{device_id}",
            handler=subscribe_device,
            scope=WRITE,
            summary="Take the messages of a device again",
            response=DeviceSubscribed,
            errors=errors,
        ),
        Route(
            method="POST",
            path="/mqtt/unsubscribe/{device_id}",
            handler=unsubscribe_device,
            scope=WRITE,
            summary="Take no more messages of a device",
            response=DeviceSubscribed,
            errors=errors,
        ),
    ]
