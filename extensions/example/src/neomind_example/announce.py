"""A rule action: ``{"type": "announce", "text": "Too hot"}`` publishes an event that every client can listen to."""

from __future__ import annotations

import attrs

from neomind_sdk import ActionOutcome, CustomPublished, EventBus, Firing, fields


@attrs.frozen
class Announcement:
    """The parameters of one entry of a rule's ``actions``."""

    text: str = fields.text(min=1, max=200)


class AnnounceAction:
    """``hops`` counts how many causes lie behind an event, so that rules that trigger each other come to an end."""

    name = "announce"
    summary = "Publish an event with a text"
    params = Announcement

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    def check(self, params: Announcement) -> list[str]:
        return []  # the fields have checked themselves; this is for what only a look around can tell

    async def run(self, params: Announcement, firing: Firing) -> ActionOutcome:
        data = {"text": params.text, "rule": firing.rule_name, "test": firing.test}
        cause, hops = f"rule:{firing.rule_id}", firing.hops + 1
        self._bus.publish(
            CustomPublished(custom_type="announcement", data=data, source="example", cause=cause, hops=hops)
        )
        return ActionOutcome(ok=True, summary=f"ANNOUNCE: {params.text}")
