"""A notification channel: posts each message as JSON to a pager service."""

from __future__ import annotations

import attrs

from neomind_sdk import ADMIN_TARGET, Delivery, Label, OutgoingMessage, SendTools, fields


@attrs.frozen
class PagerConfig:
    """What an administrator fills in. The form and the checks of the REST API are derived from these fields."""

    url: str = fields.text(min=1, pattern=r"https?://\S+", doc="Where the pager service takes messages")
    token: str = fields.secret(min=1, doc="The key the pager service gave you")


class PagerChannel:
    """One attempt per call: whether and when to try again is decided by who calls, from the ``Delivery``."""

    name = "pager"
    label = Label(name="Pager", description="Posts messages to a pager service", icon="BellRing")
    config = PagerConfig

    async def send(self, config: PagerConfig, message: OutgoingMessage, tools: SendTools) -> Delivery:
        answer = await tools.egress.request(
            "POST",
            config.url,
            trust=ADMIN_TARGET,
            headers={"authorization": f"Bearer {config.token}", **tools.headers},
            json={"title": message.title, "text": message.message, "urgent": message.severity == "emergency"},
        )
        return Delivery.of(answer)
