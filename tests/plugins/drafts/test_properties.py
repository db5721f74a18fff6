"""Whatever a device sends: its type can be registered, and takes the samples apart again."""

from __future__ import annotations

from typing import Any

import attrs
import orjson
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.devices.forms import read_type
from neomind_plugins.devices.type_models import MetricBody, TypeBody
from neomind_plugins.drafts.analysis import analyze, widened
from neomind_plugins.drafts.findings import read_analysis
from neomind_plugins.drafts.proposals import generated_type
from neomind_plugins.drafts.records import Approval, Draft
from neomind_plugins.drafts.tables import json_of_approval, read_approval
from neomind_plugins.telemetry.plan import Plan
from neomind_plugins.telemetry.service import values
from neomind_sdk import Device, DeviceType, MetricDef
from neomind_sdk.testing.strategies import json_objects, json_values, metric_names, metric_values

from .test_analysis import kept

KEYS = st.sampled_from(["temperature", "a", "b", "a.b", "x y", "a[0]", "[", "", "_raw", "status", "ä", "a.b.c"])
MESSAGES = st.recursive(
    json_values(4), lambda inner: st.dictionaries(KEYS, inner, max_size=5), max_leaves=12
) | json_objects(12)


def draft(device_id: str = "dev.1") -> Draft:
    return Draft(
        key="k",
        device_id=device_id,
        source="webhook",
        original_topic=None,
        adapter_id=None,
        discovered_ms=0,
        updated_ms=0,
    )


def accepted(made: DeviceType) -> DeviceType:
    """The type as the API of device types takes it."""
    metrics = [
        MetricBody(name=metric.name, display_name=metric.display_name, data_type=word(metric), unit=metric.unit)
        for metric in made.metrics
    ]
    body = TypeBody(name=made.name, categories=list(made.categories), metrics=metrics)
    return read_type(made.device_type, body)


def word(metric: MetricDef) -> Any:
    return {"array": {"element_type": metric.element_type}} if metric.data_type == "array" else metric.data_type


def values_below(node: Any) -> list[Any]:
    """Every value of a message that is no object and not null."""
    if isinstance(node, dict):
        return [leaf for item in node.values() for leaf in values_below(item)]
    return [] if node is None else [node]


def confusing(payloads: Any) -> set[str]:
    """Keys that read like a path: in one sample ``a[0]`` may be a key, and in the next a way into ``a``."""
    if isinstance(payloads, list):
        return {key for item in payloads for key in confusing(item)}
    if not isinstance(payloads, dict):
        return set()
    own = {key for key in payloads if "." in key or "[" in key}
    return own | {key for item in payloads.values() for key in confusing(item)}


FITS = {"integer": int, "float": (int, float), "boolean": bool, "array": list}


@given(st.lists(MESSAGES, min_size=1, max_size=5))
def test_the_type_of_any_samples_can_be_registered_and_extracts_them(payloads: list[Any]) -> None:
    analysis = analyze(kept(*payloads))
    made = generated_type(draft(), analysis)
    assert made.name.strip()
    assert accepted(made) == made
    plan = Plan(made)
    seen, confused = set(), confusing(payloads)
    for payload in payloads:
        extracted = dict(values(plan, payload)) if made.metrics else {}
        seen |= set(extracted)
        for metric in made.metrics:
            value = extracted.get(metric.name)
            if value is None or metric.data_type == "string" or any(key in metric.name for key in confused):
                continue
            assert isinstance(value, FITS[metric.data_type]), (metric, value)
            assert metric.data_type == "boolean" or not isinstance(value, bool), (metric, value)
    assert {metric.name for metric in made.metrics} <= seen, "a metric that no sample has"


@given(st.dictionaries(metric_names(), metric_values(), min_size=1, max_size=6))
def test_no_value_with_a_plain_name_is_left_out(message: dict[str, Any]) -> None:
    flat = {name.replace(".", "_"): value for name, value in message.items() if not isinstance(value, dict)}
    nested = {"outer": {"inner": flat}}
    for payload in (flat, nested):
        plan = Plan(generated_type(draft(), analyze(kept(payload))))
        found = values(plan, payload) if flat else []
        assert [value for _, value in found] == values_below(payload)


@given(st.lists(MESSAGES, min_size=1, max_size=3))
def test_findings_and_approvals_survive_the_database(payloads: list[Any]) -> None:
    analysis = analyze(kept(*payloads))
    assert read_analysis(orjson.loads(orjson.dumps(attrs.asdict(analysis)))) == analysis
    device = Device(device_id="d", name="d", device_type="t", connection_config={"telemetry_topic": "a/b"})
    for device_type in (None, generated_type(draft(), analysis)):
        approval = Approval(device=device, device_type=device_type, before={5: 1, 10**13: 0})
        assert read_approval(orjson.loads(json_of_approval(approval))) == approval


@given(st.lists(st.sampled_from(["boolean", "integer", "float", "string", "array"]), min_size=1))
def test_widening_does_not_depend_on_the_order(words: list[str]) -> None:
    result = widened(words)
    assert result == widened(reversed(words)) == widened([*words, result])
    assert (result in words) or (result == "string")
