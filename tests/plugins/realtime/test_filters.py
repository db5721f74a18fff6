"""Who sees what."""

from __future__ import annotations

import pytest

from neomind_plugins.realtime.entries import Encoder, Entry
from neomind_plugins.realtime.filters import compile_filter
from neomind_sdk import (
    AgentExecutionStarted,
    CustomPublished,
    DashboardUpdated,
    DeviceOnline,
    DeviceRegistered,
    Event,
    ExtensionStateChanged,
    MessageCreated,
    Notice,
    Principal,
    RuleExecuted,
    SettingsChanged,
)

from .conftest import ADA, RULES_KEY, VIEWER, Log, stored

EVENTS: dict[str, Event] = {
    "metric": stored(1),
    "online": DeviceOnline(device_id="d", device_type="t"),
    "registered": DeviceRegistered(device_id="d", device_type="t"),
    "draft": CustomPublished(custom_type="auto_onboard", data={"event_type": "draft_created"}),
    "rule": RuleExecuted(rule_id="r", rule_name="R", success=True),
    "message": MessageCreated(message_id="m", title="T", severity="info", message="x"),
    "agent": AgentExecutionStarted(agent_id="a", agent_name="A", execution_id="e", trigger_type="manual"),
    "extension": ExtensionStateChanged(extension_id="x", state="started"),
    "dashboard": DashboardUpdated(dashboard_id="dashboard_1", action="created"),
    "settings": SettingsChanged(section="device"),
    "lunch": CustomPublished(custom_type="lunch"),
}
ALL = set(EVENTS)
DEVICE = {"metric", "online", "registered", "draft"}


def entries() -> dict[str, Entry]:
    encoder = Encoder(Log(), 0)
    return {name: next(encoder.entries(Notice(1, 0, event))) for name, event in EVENTS.items()}


def seen(principal: Principal, categories: list[str] | None = None, types: list[str] | None = None) -> set[str]:
    wanted = compile_filter(principal, categories or [], types or [])
    return {name for name, entry in entries().items() if wanted.wants(entry)}


@pytest.mark.parametrize(
    ("categories", "wanted"),
    [
        ([], ALL),
        (["all"], ALL),
        (["device"], DEVICE),
        (["rule"], {"rule"}),
        (["agent"], {"agent"}),
        (["llm"], {"agent"}),
        (["extension"], {"extension"}),
        (["alert"], set()),
        (["device", "rule"], DEVICE | {"rule"}),
        (["device, rule"], DEVICE | {"rule"}),
        (["device", "all"], ALL),
        (["no_such"], ALL),
        (["no_such,rule"], {"rule"}),
        ([""], ALL),
    ],
)
def test_categories(categories: list[str], wanted: set[str]) -> None:
    assert seen(ADA, categories) == wanted


@pytest.mark.parametrize(
    ("types", "wanted"),
    [
        (["DeviceMetric"], {"metric"}),
        (["DeviceMetric,RuleExecuted", "lunch"], {"metric", "rule", "lunch"}),
        (["Custom"], {"registered", "draft", "settings", "lunch"}),
        (["DeviceRegistered"], {"registered"}),
        (["NoSuchType"], set()),
        ([" , "], ALL),
    ],
)
def test_event_types(types: list[str], wanted: set[str]) -> None:
    assert seen(ADA, types=types) == wanted


def test_category_and_type_must_both_fit() -> None:
    assert seen(ADA, ["device"], ["DeviceMetric", "RuleExecuted"]) == {"metric"}


def test_scopes() -> None:
    assert seen(RULES_KEY) == {"rule"}
    assert seen(RULES_KEY, ["device"]) == set()
    assert seen(VIEWER) == ALL
    assert seen(Principal(kind="api_key", id="k", name="k", scopes=frozenset({"devices:write"}))) == set()
    assert seen(Principal(kind="api_key", id="k", name="k", scopes=frozenset({"events:read"}))) == {"lunch"}


def test_equal_filters_are_one() -> None:
    first = compile_filter(ADA, ["device,rule"], [])
    assert first == compile_filter(ADA, ["rule", "device"], [])
    assert hash(first) == hash(compile_filter(ADA, ["rule", "device"], []))
    assert first != compile_filter(RULES_KEY, ["rule", "device"], [])
