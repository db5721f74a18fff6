"""Drafts of device types from examples."""

from __future__ import annotations

import json
from string import Template
from typing import Any

import attrs
import cattrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from neomind_plugins.devices import views
from neomind_plugins.devices.forms import read_type
from neomind_plugins.devices.mdl import draft_type
from neomind_plugins.devices.type_models import NewTypeBody
from neomind_sdk import ApiError, DeviceType
from neomind_sdk.testing import strategies


def draft(uplink: str = "", downlink: str = "", name: str = "My Sensor 1") -> DeviceType:
    return draft_type(name, "", uplink, downlink)


def test_every_leaf_is_a_metric() -> None:
    found = draft('{"t": 21.5, "values": {"battery_level": 84, "on": true, "list": [1]}, "note": null}')
    assert [(metric.name, metric.display_name, metric.data_type) for metric in found.metrics] == [
        ("t", "T", "float"),
        ("values.battery_level", "Battery level", "integer"),
        ("values.on", "On", "boolean"),
        ("values.list", "List", "array"),
        ("note", "Note", "string"),
    ]
    assert (found.device_type, found.name, found.mode) == ("my_sensor_1", "My Sensor 1", "full")
    assert found.uplink_samples[0]["t"] == 21.5


def test_a_command_is_named_by_the_message() -> None:
    [command] = draft(downlink='{"cmd": "sleep", "params": {"seconds": 60, "mode": "deep"}}').commands
    assert command.name == "sleep"
    assert [(found.name, found.data_type, found.default_value) for found in command.parameters] == [
        ("params_seconds", "integer", 60),
        ("params_mode", "string", "deep"),
    ]
    text = Template(command.payload_template).substitute(params_seconds=5, params_mode="light")
    assert json.loads(text) == {"cmd": "sleep", "params": {"seconds": 5, "mode": "light"}}


@pytest.mark.parametrize("text", ['[{"a": 1}, {"b": 2}]', '{"a": 1}{"b": 2}', ' {"a": 1}\n\n{"b": 2} '])
def test_several_examples(text: str) -> None:
    found = draft(text, text)
    assert [metric.name for metric in found.metrics] == ["a", "b"]
    assert [command.name for command in found.commands] == ["command_1", "command_2"]


@pytest.mark.parametrize("text", ["{", "5", '{"a": 1} x', "[1]", '{"a": NaN}', "[" * 9000, '"a"', '{"a": "\ud800"}'])
def test_what_is_no_example(text: str) -> None:
    with pytest.raises(ApiError, match="uplink_example") as caught:
        draft(text)
    assert caught.value.code == "BAD_REQUEST"


@pytest.mark.parametrize(
    ("name", "ident"), [("Ü -?", "-"), ("温度", "device"), ("A" * 100, "a" * 100), ("__", "device")]
)
def test_ids_made_of_names(name: str, ident: str) -> None:
    assert draft(name=name).device_type == ident


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=100)


@example("a blank key", [{" ": 1}])
@given(NAMES.filter(str.strip), st.lists(strategies.json_objects(10), max_size=3))
def test_every_draft_can_be_registered(name: str, examples: list[dict[str, Any]]) -> None:
    text = json.dumps(examples)
    found = draft_type(name, "", text, text)
    body = cattrs.structure(json.loads(json.dumps(attrs.asdict(views.mdl(found)))), NewTypeBody)
    assert read_type(found.device_type, body) == found
