"""What each event of the bus is on the wire."""

from __future__ import annotations

import json
import uuid
from typing import Any

import attrs
import pytest

from neomind_core.contracts import events as contract
from neomind_plugins.realtime.entries import Encoder
from neomind_plugins.realtime.events import SCOPES, TABLE, tell_of
from neomind_sdk import (
    AgentExecutionCompleted,
    AgentExecutionStarted,
    AgentStepTaken,
    CustomPublished,
    DashboardUpdated,
    DeviceCommandFinished,
    DeviceDiscovered,
    DeviceOffline,
    DeviceOnline,
    DeviceRegistered,
    DeviceTransportOffline,
    DeviceTransportOnline,
    DeviceTypeRegistered,
    DeviceTypeUnregistered,
    DeviceUnregistered,
    DeviceUpdated,
    Event,
    ExtensionCommandFinished,
    ExtensionOutputProduced,
    ExtensionStateChanged,
    MessageAcknowledged,
    MessageCreated,
    MessageResolved,
    MetricsStored,
    Notice,
    Point,
    RuleEvaluated,
    RuleExecuted,
    RuleTriggered,
    SettingsChanged,
)

from .conftest import SAMPLE_MS, Log, stored

AT = 1_700_000_123
T = {"timestamp": AT}
START = 1_700_000_000_000_000
NOT_STREAMED = {"Event", "Lagged", "PlatformStopping", "SessionEnded"}


def encode(*events: Event, log: Any = None, start: int = START) -> list[dict[str, Any]]:
    encoder = Encoder(log or Log(), start)
    found = [Notice(start + number * 10, AT * 1000 + 456, event) for number, event in enumerate(events, 1)]
    return [json.loads(entry.json) for notice in found for entry in encoder.entries(notice)]


def custom(name: str, **data: Any) -> tuple[str, dict[str, Any]]:
    return "Custom", {"custom_type": name, "event_type": name, "data": {**data, **T}}


def typed(name: str, **data: Any) -> tuple[str, dict[str, Any]]:
    return name, {"type": name, **data, **T}


STEP = {"agent_id": "a", "execution_id": "e"}
COMMAND = {"extension_id": "x", "command_id": "c", "execution_id": "e", "duration_ms": 1.5}
CASES = [
    (DeviceOnline(device_id="d", device_type="t"), ("DeviceOnline", {"device_id": "d", "device_type": "t", **T})),
    (DeviceOffline(device_id="d"), ("DeviceOffline", {"device_id": "d", "reason": None, **T})),
    (
        DeviceTransportOnline(device_id="d", client_id="c"),
        ("DeviceTransportOnline", {"device_id": "d", "client_id": "c", **T}),
    ),
    (
        DeviceTransportOffline(device_id="d", client_id="c", reason="gone"),
        ("DeviceTransportOffline", {"device_id": "d", "client_id": "c", "reason": "gone", **T}),
    ),
    (DeviceRegistered(device_id="d", device_type="t"), custom("DeviceRegistered", device_id="d", device_type="t")),
    (DeviceUpdated(device_id="d"), custom("DeviceUpdated", device_id="d")),
    (DeviceUnregistered(device_id="d", device_type="t"), custom("DeviceUnregistered", device_id="d", device_type="t")),
    (DeviceTypeRegistered(device_type="t"), custom("DeviceTypeRegistered", device_type="t")),
    (DeviceTypeUnregistered(device_type="t"), custom("DeviceTypeUnregistered", device_type="t")),
    (
        DeviceDiscovered(device_id="d", source="mqtt", sample={"a": 1}),
        typed("DeviceDiscovered", device_id="d", source="mqtt", sample={"a": 1}, metadata={}, is_binary=False),
    ),
    (
        DeviceDiscovered(device_id="d", source="mqtt", sample=b"\xff", adapter_id="m", is_binary=True),
        typed(
            "DeviceDiscovered",
            device_id="d",
            source="mqtt",
            sample="/w==",
            adapter_id="m",
            metadata={},
            is_binary=True,
        ),
    ),
    (
        DeviceCommandFinished(device_id="d", command="on", command_id="1", success=True),
        typed("DeviceCommandResult", device_id="d", command="on", command_id="1", success=True),
    ),
    (
        DeviceCommandFinished(device_id="d", command="on", command_id="1", success=False, result="no"),
        typed("DeviceCommandResult", device_id="d", command="on", command_id="1", success=False, result="no"),
    ),
    (
        RuleEvaluated(rule_id="r", rule_name="R", condition_met=True),
        typed("RuleEvaluated", rule_id="r", rule_name="R", condition_met=True),
    ),
    (
        RuleTriggered(rule_id="r", rule_name="R", trigger_value=4.5, actions=("notify",)),
        typed("RuleTriggered", rule_id="r", rule_name="R", trigger_value=4.5, actions=["notify"]),
    ),
    (
        RuleExecuted(rule_id="r", rule_name="R", success=True, duration_ms=2.0),
        typed("RuleExecuted", rule_id="r", rule_name="R", success=True, duration_ms=2.0),
    ),
    (
        MessageCreated(message_id="m", title="T", severity="warning", message="hot"),
        typed("MessageCreated", message_id="m", title="T", severity="warning", message="hot"),
    ),
    (
        MessageAcknowledged(message_id="m", acknowledged_by="ada"),
        typed("MessageAcknowledged", message_id="m", acknowledged_by="ada"),
    ),
    (MessageResolved(message_id="m"), typed("MessageResolved", message_id="m")),
    (
        AgentExecutionStarted(agent_id="a", agent_name="A", execution_id="e", trigger_type="manual"),
        ("AgentExecutionStarted", {**STEP, "agent_name": "A", "trigger_type": "manual"}),
    ),
    (AgentStepTaken(kind="thinking", data={"step_number": 1}, **STEP), ("AgentThinking", {**STEP, "step_number": 1})),
    (AgentStepTaken(kind="decision", data={"action": "x"}, **STEP), ("AgentDecision", {**STEP, "action": "x"})),
    (AgentStepTaken(kind="progress", data={"stage": "s"}, **STEP), ("AgentProgress", {**STEP, "stage": "s"})),
    (AgentStepTaken(kind="memory", data={}, **STEP), ("AgentMemoryUpdated", STEP)),
    (
        AgentExecutionCompleted(success=True, duration_ms=3.0, **STEP),
        ("AgentExecutionCompleted", {**STEP, "success": True, "duration_ms": 3.0, "error": None}),
    ),
    (
        ExtensionOutputProduced(extension_id="x", output_name="o", value=1),
        (
            "ExtensionOutput",
            {"extension_id": "x", "output_name": "o", "value": 1, "labels": None, "quality": None, **T},
        ),
    ),
    (
        ExtensionStateChanged(extension_id="x", state="error", message="boom"),
        ("ExtensionLifecycle", {"extension_id": "x", "state": "error", "message": "boom", **T}),
    ),
    (
        ExtensionCommandFinished(success=True, outputs={"n": 1}, **COMMAND),
        typed("ExtensionCommandCompleted", **COMMAND, extension_name="x", outputs={"n": 1}),
    ),
    (
        ExtensionCommandFinished(success=False, error="no", **COMMAND),
        typed("ExtensionCommandFailed", **COMMAND, extension_name="x", error="no"),
    ),
    (
        DashboardUpdated(dashboard_id="dashboard_1", action="created"),
        typed("DashboardUpdated", dashboard_id="dashboard_1", action="created"),
    ),
    (SettingsChanged(section="device"), custom("SettingsChanged", section="device")),
    (
        CustomPublished(custom_type="lunch", data={"soup": True}, source="canteen"),
        ("Custom", {"custom_type": "lunch", "event_type": "lunch", "data": {"soup": True}}),
    ),
]


@pytest.mark.parametrize(("event", "wanted"), CASES, ids=lambda value: type(value).__name__)
def test_the_data_of_each_class(event: Event, wanted: tuple[str, dict[str, Any]]) -> None:
    (found,) = encode(event)
    assert (found["type"], found["data"]) == wanted
    assert found["timestamp"] == AT
    assert found["source"] == ("canteen" if isinstance(event, CustomPublished) else "system")


def test_every_class_of_the_contract_is_in_the_table_and_tested() -> None:
    classes = {cls for cls in vars(contract).values() if isinstance(cls, type) and issubclass(cls, Event)}
    assert {cls for cls in classes if cls.__name__ not in NOT_STREAMED} == set(TABLE)
    assert {type(event) for event, _ in CASES} | {MetricsStored} == set(TABLE)


def test_every_kind_has_a_scope_that_filters_know() -> None:
    events = [event for event, _ in CASES] + [stored(1)]
    kinds = [fact.kind for event in events for fact in TABLE[type(event)](event)]
    assert {kind.scope for kind in kinds} == SCOPES


# ---- metrics --------------------------------------------------------------------------------------------------------


def test_each_point_is_an_event_at_the_time_of_its_sample() -> None:
    points = [Point("device:d:a", SAMPLE_MS, 1.5, 0.9), Point("device:d:b:c", SAMPLE_MS + 750, True)]
    first, second = encode(MetricsStored(points=points, source="api"))
    assert first["data"] == {
        "device_id": "d",
        "metric": "a",
        "value": 1.5,
        "quality": 0.9,
        "timestamp": 1_700_000_000.25,
    }
    assert first["timestamp"] == 1_700_000_000.25
    assert second["data"]["metric"] == "b:c"
    assert second["timestamp"] == 1_700_000_001
    assert second["seq"] == first["seq"] + 1


@pytest.mark.parametrize(
    ("series", "device_id", "virtual"),
    [
        ("device:d:t", "d", False),
        ("device:d:virtual.t", "d", True),
        ("transform:t1:sum", "transform:t1", True),
        ("device:d:_raw", None, None),
        ("extension:x:out", None, None),
        ("nonsense", None, None),
    ],
)
def test_which_series_are_streamed(series: str, device_id: str | None, virtual: bool | None) -> None:
    found = encode(MetricsStored(points=[Point(series, SAMPLE_MS, 1)], source="api"))
    assert [(one["data"]["device_id"], one["data"].get("is_virtual", False)) for one in found] == (
        [] if device_id is None else [(device_id, virtual)]
    )


def test_objects_are_text_and_a_shared_source_names_its_device() -> None:
    (found,) = encode(stored({"a": [1]}, source="adapter:mqtt"))
    assert found["data"]["value"] == '{"a":[1]}'
    assert found["source"] == "adapter:mqtt:boiler"
    assert encode(stored(1, source="adapter:mqtt:boiler"))[0]["source"] == "adapter:mqtt:boiler"


def test_a_batch_that_is_virtual_says_so() -> None:
    event = attrs.evolve(stored(1), virtual=True)
    assert encode(event)[0]["data"]["is_virtual"] is True


# ---- ids ------------------------------------------------------------------------------------------------------------


def test_ids_are_uuids_of_their_own_and_end_in_the_number() -> None:
    found = encode(stored(1, 2, 3), DeviceUpdated(device_id="d"))
    assert len({one["id"] for one in found}) == 4
    for one in found:
        ident = uuid.UUID(one["id"])
        assert ident.version == 4
        assert ident.int & (2**60 - 1) == one["seq"]


def test_numbers_rise_though_a_notice_is_many_events() -> None:
    encoder = Encoder(Log(), START)
    found = [Notice(START + 1, 0, stored(*range(5))), Notice(START + 2, 0, stored(1)), Notice(START + 50, 0, stored(1))]
    seqs = [entry.seq for notice in found for entry in encoder.entries(notice)]
    assert seqs == [START + number for number in (1, 2, 3, 4, 5, 6, 50)]


# ---- strangers ------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class BikeRented(Event):
    bike: str


@attrs.frozen(kw_only=True)
class DeviceOnlineAgain(DeviceOnline):
    times: int


@attrs.frozen(kw_only=True)
class Broken(DeviceOnline):
    @property
    def hidden(self) -> str:
        raise RuntimeError("no")


def test_a_strangers_class_is_not_streamed_and_one_derived_from_ours_is_what_it_derives_from() -> None:
    again = DeviceOnlineAgain(device_id="d", device_type="t", times=2)
    found = encode(BikeRented(bike="b"), again)
    assert [one["type"] for one in found] == ["DeviceOnline"]
    assert tell_of(BikeRented) is None


@pytest.mark.parametrize("value", [2**70, "\ud800", float("nan"), {1: 2}, object(), {1, 2}, b"\x00"])
def test_odd_values_harm_nobody(value: Any) -> None:
    log = Log()
    found = encode(CustomPublished(custom_type="odd", data=value), stored(1), log=log)
    assert found[-1]["type"] == "DeviceMetric"
    assert log.lines == ([] if len(found) == 2 else ["event_cannot_be_streamed"])


def test_one_odd_point_of_many_is_left_out() -> None:
    log = Log()
    assert [one["data"]["value"] for one in encode(stored(1, 2**70, 3), log=log)] == [1, 3]
    assert log.lines == ["event_cannot_be_streamed"]


def test_data_that_cannot_be_told_are_logged() -> None:
    log = Log()
    event: Any = AgentStepTaken(kind="thinking", data=None, **STEP)  # type: ignore[arg-type]
    assert encode(event, stored(1), log=log)[0]["type"] == "DeviceMetric"
    assert log.lines == ["event_cannot_be_streamed"]
