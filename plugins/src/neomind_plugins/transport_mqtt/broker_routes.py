"""Routes of external brokers."""

from __future__ import annotations

from neomind_sdk import ADMIN, Reply, Request, Route

from .brokers import Brokers, security_warnings
from .models import BrokerAnswer, BrokerForm, BrokersAnswer, BrokerSaved, BrokerTested, BrokerView, Told

READ = "mqtt:read"
STORAGE_ERRORS = ("SERVICE_UNAVAILABLE", "STORAGE_FULL")


async def list_brokers(request: Request) -> Reply:
    found = request.services[Brokers].all()
    return Reply(data=BrokersAnswer(brokers=found, count=len(found)), meta={"count": len(found)})


async def show(request: Request) -> BrokerAnswer:
    return BrokerAnswer(broker=request.services[Brokers].view(request.params["broker_id"]))


async def add(request: Request) -> BrokerSaved:
    return saved(await request.services[Brokers].add(request.body), "The broker is added")


async def replace(request: Request) -> BrokerSaved:
    broker = await request.services[Brokers].replace(request.params["broker_id"], request.body)
    return saved(broker, "The broker is changed")


async def remove(request: Request) -> Told:
    await request.services[Brokers].remove(request.params["broker_id"])
    return Told(message="The broker is removed")


async def test(request: Request) -> BrokerTested:
    brokers, broker_id = request.services[Brokers], request.params["broker_id"]
    broker = brokers.view(broker_id)
    problem = await brokers.test(broker_id)
    return BrokerTested(
        success=problem is None,
        message=problem or "The broker accepted a connection",
        broker_url=f"mqtt{'s' if broker.tls else ''}://{broker.broker}:{broker.port}",
        host=broker.broker,
        port=broker.port,
        tls=broker.tls,
        broker=broker,
    )


def saved(broker: BrokerView, message: str) -> BrokerSaved:
    return BrokerSaved(broker=broker, message=message, security_warnings=security_warnings(broker))


def broker_routes() -> list[Route]:
    return [*reading_routes(), *writing_routes()]


def reading_routes() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/brokers",
            handler=list_brokers,
            scope=READ,
            summary="List external MQTT brokers",
            response=BrokersAnswer,
        ),
        Route(
            method="GET",
            path="/brokers/{broker_id}",
            handler=show,
            scope=READ,
            summary="Show an external MQTT broker",
            response=BrokerAnswer,
            errors=("BROKER_NOT_FOUND",),
        ),
        Route(
            method="POST",
            path="/brokers/{broker_id}/test",
            handler=test,
            scope=ADMIN,
            summary="Connect to an external MQTT broker, to see whether it works",
            response=BrokerTested,
            errors=("BROKER_NOT_FOUND",),
        ),
    ]


def writing_routes() -> list[Route]:
    return [
        Route(
            method="POST",
            path="/brokers",
            handler=add,
            scope=ADMIN,
            summary="Add an external MQTT broker",
            body=BrokerForm,
            body_required=True,
            response=BrokerSaved,
            errors=("BAD_REQUEST", *STORAGE_ERRORS),
        ),
        Route(
            method="PUT",
            path="/brokers/{broker_id}",
            handler=replace,
            scope=ADMIN,
            summary="Replace an external MQTT broker",
            description="Secrets and certificates that are absent or `*****` stay; a `client_key` that is absent goes.",
            body=BrokerForm,
            body_required=True,
            response=BrokerSaved,
            errors=("BAD_REQUEST", "BROKER_NOT_FOUND", *STORAGE_ERRORS),
        ),
        Route(
            method="DELETE",
            path="/brokers/{broker_id}",
            handler=remove,
            scope=ADMIN,
            summary="Remove an external MQTT broker",
            response=Told,
            errors=("BROKER_NOT_FOUND", *STORAGE_ERRORS),
        ),
    ]
