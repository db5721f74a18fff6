"""Which registered types are like a draft."""

from __future__ import annotations

from typing import Any

import pytest

from neomind_plugins.drafts.analysis import analyze
from neomind_plugins.drafts.signatures import Signature, Signatures, signature_of, signature_of_type
from neomind_sdk import DeviceDirectory, DeviceType, MetricDef

from .test_analysis import kept


class Types:
    """A directory that has nothing but types."""

    def __init__(self, *types: DeviceType) -> None:
        self.list = list(types)

    def types(self) -> list[DeviceType]:
        return self.list


def kind(name: str, **metrics: str) -> DeviceType:
    defs = tuple(MetricDef(name=path, data_type=data_type) for path, data_type in metrics.items())
    return DeviceType(device_type=name, name=name, metrics=defs)


def match(payload: Any, *types: DeviceType) -> str | None:
    directory: Any = Types(*types)
    found = Signatures(directory).match(analyze(kept(payload)))
    return found and found.device_type


CLIMATE = {"temperature": "float", "humidity": "float", "battery": "integer"}
SENT = {"temperature": 21, "humidity": 40, "battery": 90}


@pytest.mark.parametrize(
    ("metrics", "matches"),
    [
        (CLIMATE, True),
        ({**CLIMATE, "rssi": "integer"}, True),
        ({**CLIMATE, "rssi": "integer", "co2": "float"}, False),  # alike by 3/5
        ({**CLIMATE, "rssi": "integer", "power": "float", "energy": "float"}, False),
        ({"temperature": "float", "humidity": "float"}, False),
        ({**CLIMATE, "temperature": "string"}, False),
        ({"temp": "float", "hum": "float", "batt": "integer"}, False),
    ],
)
def test_a_type_matches_when_it_is_alike_and_reads_everything(metrics: dict[str, str], matches: bool) -> None:
    assert match(SENT, kind("known", **metrics)) == ("known" if matches else None)


def test_the_same_signature_goes_before_an_alike_one() -> None:
    alike, exact = kind("a", **CLIMATE, rssi="integer"), kind("b", **CLIMATE)
    assert match(SENT, alike, exact) == "b"
    assert match(SENT, alike) == "a"


def test_types_without_metrics_match_nobody() -> None:
    assert match(SENT, DeviceType(device_type="open", name="Open")) is None
    assert match(b"\xff", DeviceType(device_type="open", name="Open"), kind("known", **CLIMATE)) is None


def test_similarity_is_jaccards() -> None:
    one = Signature(frozenset({("a", "x"), ("b", "x"), ("c", "x")}), "k", frozenset())
    two = Signature(frozenset({("b", "x"), ("c", "x"), ("d", "x")}), "k", frozenset())
    assert one.similarity(two) == two.similarity(one) == 0.5
    assert Signature(frozenset(), "k", frozenset()).similarity(one) == 0


def test_a_generated_type_has_the_signature_of_its_samples() -> None:
    wanted = signature_of(analyze(kept(SENT)))
    assert signature_of_type(kind("known", **CLIMATE)) == wanted
    assert wanted.hash == signature_of_type(kind("other", **dict(reversed(CLIMATE.items())))).hash
    assert wanted.hash != signature_of_type(kind("other", **{**CLIMATE, "battery": "float"})).hash


def test_a_type_that_was_replaced_is_looked_at_again() -> None:
    directory: Any = Types(kind("known", **CLIMATE))
    signatures = Signatures(directory)
    analysis = analyze(kept(SENT))
    assert signatures.match(analysis) is directory.list[0]
    directory.list = [kind("known", other="string")]
    assert signatures.match(analysis) is None
    assert list(signatures.all().values()) == ["known"]


async def test_the_second_sensor_of_a_kind_gets_the_type_of_the_first(world: Any) -> None:
    await world.offer("one", SENT)
    await world.offer("two", SENT)
    assert (await world.analyzed("two"))["generated_type"]["device_type"] == "auto_two"
    await world.data("POST", "/one/approve")
    assert (await world.data("GET", "/two"))["generated_type"]["device_type"] == "auto_one"
    signatures = await world.data("GET", "/type-signatures")
    assert "auto_one" in signatures["signatures"].values()
    assert signatures["count"] == str(len(signatures["signatures"]))
    assert (await world.data("POST", "/two/approve"))["device_type"] == "auto_one"
    assert world.host.services[DeviceDirectory].get_type("auto_two") is None


async def test_suggestions(world: Any) -> None:
    directory = world.host.services[DeviceDirectory]
    await directory.register_type(kind("exact", **CLIMATE))
    await directory.register_type(kind("half", temperature="float", x="string"))
    await directory.register_type(kind("alien", foo="string"))
    await world.offer("dev-1", SENT)
    answer = await world.data("GET", "/dev-1/suggest-types")
    assert answer["exact_match"] == "exact"
    assert answer["suggestions"][0] == {
        "device_type": "exact",
        "name": "exact",
        "description": "",
        "match_score": 100,
        "is_exact_match": True,
        "metric_count": 3,
    }
    scores = [item["match_score"] for item in answer["suggestions"]]
    assert scores == sorted(scores, reverse=True)
    names = [item["device_type"] for item in answer["suggestions"]]
    assert "half" in names
    assert "alien" not in names
    assert await world.error("GET", "/nope/suggest-types") == (404, "DRAFT_NOT_FOUND")
    await world.mqtt("odd", [1])
    assert await world.error("GET", "/odd/suggest-types") == (400, "BAD_REQUEST")
