"""What can be wrong with brokers and subscriptions."""

from __future__ import annotations

from neomind_sdk import BadRequest, NotFound


class BrokerNotFound(NotFound):
    """404 for a broker that nobody added."""

    def __init__(self, broker_id: str) -> None:
        super().__init__("BROKER", broker_id)


class BrokerExists(BadRequest):
    """400: the contract has no 409 here."""

    def __init__(self, broker_id: str) -> None:
        super().__init__(f"id: there is a broker '{broker_id}' already")


class TargetForbidden(ConnectionError):
    """The address is one that nobody may have us connect to."""


class Down(ConnectionError):
    """There is nothing to connect to at the moment."""
