"""The shapes of messages, tokens and answers, without HTTP."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from neomind_plugins.transport_webhook.models import Call
from neomind_plugins.transport_webhook.service import Webhook
from neomind_plugins.transport_webhook.transport import WebhookTransport
from neomind_sdk import BadRequest, NotFound, Receipt, Unauthorized, Uplink
from neomind_sdk.testing.suites import TransportContract

NOW_MS = 1_700_000_000_000


class Clock:
    def now_ms(self) -> int:
        return NOW_MS


class Directory:
    """Two known devices; the guarded one has a token."""

    def get(self, device_id: str) -> object | None:
        return object() if device_id in ("boiler", "guarded") else None

    def webhook_token_ok(self, device_id: str, token: str | None) -> bool:
        return device_id != "guarded" or token == "s3cret"


class Ingest:
    """Remembers what it was given; unknown devices become drafts."""

    def __init__(self) -> None:
        self.uplinks: list[Uplink] = []
        self.drafts = True

    async def submit(self, uplinks: Sequence[Uplink]) -> list[Receipt]:
        self.uplinks += uplinks
        known = Directory().get(uplinks[0].device_id) is not None
        return [
            Receipt(device_id=each.device_id, stored=2 if known else 0, draft=not known and self.drafts)
            for each in uplinks
        ]


@pytest.fixture
def ingest() -> Ingest:
    return Ingest()


@pytest.fixture
def webhook(ingest: Ingest) -> Any:
    parts: Any = (Directory(), ingest, Clock())
    return Webhook(*parts)


def call(value: Any, token: str | None = None) -> Call:
    return Call(content_type="application/json", body=json.dumps(value).encode(), token=token, client="192.0.2.1")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"t": 1}, [({"t": 1}, None, None)]),
        ({"t": 1, "timestamp": 5}, [({"t": 1, "timestamp": 5}, None, None)]),
        ({"data": {"t": 1}}, [({"data": {"t": 1}}, None, None)]),
        ({"data": {"t": 1}, "timestamp": 5, "quality": 1}, [({"data": {"t": 1}}, 5000, 1.0)]),
        ({"data": {"t": 1}, "timestamp": 5.25, "quality": None}, [({"data": {"t": 1}}, 5250, None)]),
        ({"data": {"t": 1}, "timestamp": NOW_MS - 1}, [({"data": {"t": 1}}, NOW_MS - 1, None)]),
        ({"data": 5, "timestamp": None, "device_id": "other"}, [(5, None, None)]),
        ({"data": None}, [(None, None, None)]),
        ({"data": [{"t": 1}]}, [([{"t": 1}], None, None)]),
        ([1, 2], [([1, 2], None, None)]),
        ([], [([], None, None)]),
        ([{"t": 1}, 2], [([{"t": 1}, 2], None, None)]),
        (25.5, [(25.5, None, None)]),
        (
            [{"t": 1, "timestamp": 5}, {"data": {"t": 2}, "timestamp": 6, "quality": 0.5}, {"t": 3}],
            [({"t": 1, "timestamp": 5}, 5000, None), ({"data": {"t": 2}}, 6000, 0.5), ({"t": 3}, None, None)],
        ),
    ],
)
async def test_shapes(webhook: Any, ingest: Ingest, value: Any, expected: list[Any]) -> None:
    answer = await webhook.receive("boiler", call(value))
    assert [(each.payload, each.ts_ms, each.quality) for each in ingest.uplinks] == expected
    count = 2 * len(expected)
    assert answer == {
        "success": True,
        "device_id": "boiler",
        "metrics_received": count,
        "metrics_processed": count,
    }
    for each in ingest.uplinks:
        assert (each.device_id, each.received_ms, each.transport, each.client) == (
            "boiler",
            NOW_MS,
            "webhook",
            "192.0.2.1",
        )


async def test_an_empty_body_is_a_heartbeat(webhook: Any, ingest: Ingest) -> None:
    await webhook.receive("boiler", Call(content_type="video/mp4", body=b""))
    assert [each.heartbeat for each in ingest.uplinks] == [True]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"data": 1, "timestamp": "now"}, "^timestamp must be a number"),
        ({"data": 1, "timestamp": True}, "^timestamp must be a number"),
        ({"data": 1, "timestamp": -1}, "^timestamp must be a number and not negative"),
        ({"data": 1, "timestamp": NOW_MS + 86_400_001}, "^timestamp is more than a day in the future"),
        ({"data": 1, "timestamp": 1_700_086_401}, "^timestamp is more than a day in the future"),
        ({"data": 1, "timestamp": 1_700_000_000_000_000}, "^timestamp is too far in the future"),
        ({"data": 1, "quality": "good"}, "^quality must be a number"),
        ({"data": 1, "quality": False}, "^quality must be a number"),
        ({"data": 1, "device_id": 7}, "^device_id must be a string"),
        ([{"t": 1}, {"t": 1, "timestamp": "2024"}], r"^\[1\]\.timestamp must be a number"),
        ([{"data": 1, "quality": "x"}], r"^\[0\]\.quality must be a number"),
    ],
)
async def test_fields_of_the_wrong_type_are_named(webhook: Any, ingest: Ingest, value: Any, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        await webhook.receive("boiler", call(value))
    assert ingest.uplinks == []


@pytest.mark.parametrize(
    ("value", "payloads"),
    [
        ({"device_id": "boiler", "t": 1}, [{"t": 1}]),
        ({"device_id": "boiler", "data": {"t": 1}}, [{"data": {"t": 1}}]),
        ([{"device_id": "boiler", "t": 1}, {"device_id": "boiler", "data": 2}], [{"t": 1}, 2]),
    ],
)
async def test_the_body_can_name_the_device(webhook: Any, ingest: Ingest, value: Any, payloads: list[Any]) -> None:
    assert (await webhook.receive_named(call(value)))["device_id"] == "boiler"
    assert [each.payload for each in ingest.uplinks] == payloads
    assert {each.device_id for each in ingest.uplinks} == {"boiler"}


@pytest.mark.parametrize(
    "value",
    [
        {"t": 1},
        {"device_id": "", "t": 1},
        {"device_id": 5, "t": 1},
        {"device_id": ["boiler"], "t": 1},
        {"data": {"device_id": "boiler"}},
        [{"device_id": "boiler"}, {"device_id": "other"}],
        [{"device_id": "boiler"}, {"t": 1}],
        [1],
        "boiler",
    ],
)
async def test_a_body_that_names_no_device_is_refused(webhook: Any, ingest: Ingest, value: Any) -> None:
    with pytest.raises(BadRequest, match="device_id"):
        await webhook.receive_named(call(value))
    assert ingest.uplinks == []


async def test_images_and_nothing_name_no_device(webhook: Any) -> None:
    for content_type, body in (("image/png", b"x"), ("", b"")):
        with pytest.raises(BadRequest, match="device_id"):
            await webhook.receive_named(Call(content_type=content_type, body=body))


@pytest.mark.parametrize("token", [None, "", "wrong"])
async def test_a_device_with_a_token_wants_it(webhook: Any, ingest: Ingest, token: str | None) -> None:
    with pytest.raises(Unauthorized, match="token"):
        await webhook.receive("guarded", Call(content_type="video/mp4", body=b"x", token=token))
    with pytest.raises(Unauthorized):
        await webhook.receive_named(call({"device_id": "guarded"}, token))
    assert ingest.uplinks == []
    assert (await webhook.receive("guarded", call({"t": 1}, "s3cret")))["success"]


async def test_unknown_devices_become_drafts(webhook: Any) -> None:
    assert await webhook.receive("nobody", call({"t": 1})) == {
        "success": True,
        "device_id": "nobody",
        "metrics_received": 0,
        "metrics_processed": 0,
        "draft": True,
        "samples_kept": 1,
    }


async def test_unknown_devices_whose_samples_are_refused_are_not_found(webhook: Any, ingest: Ingest) -> None:
    ingest.drafts = False
    with pytest.raises(NotFound, match="Device with id 'nobody' not found"):
        await webhook.receive("nobody", call({"t": 1}))


class TestWebhookTransport(TransportContract):
    def make(self) -> WebhookTransport:
        return WebhookTransport()

    async def test_it_says_that_it_is_receive_only(self, subject: Any) -> None:
        error = await self.refusal(subject)
        assert "receive-only" in str(error)
        assert "boiler" in str(error)
