"""What is found in samples."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from neomind_plugins.drafts.analysis import METRICS_MAX, analyze
from neomind_plugins.drafts.findings import Analysis, FoundMetric
from neomind_plugins.drafts.records import KeptSample
from neomind_plugins.drafts.semantics import category_of, semantic_of


def kept(*payloads: Any) -> list[KeptSample]:
    return [
        KeptSample(
            n=n,
            text=base64.b64encode(payload).decode() if isinstance(payload, bytes) else orjson.dumps(payload).decode(),
            binary=isinstance(payload, bytes),
            received_ms=0,
        )
        for n, payload in enumerate(payloads)
    ]


def found(*payloads: Any) -> dict[str, FoundMetric]:
    return {metric.path: metric for metric in analyze(kept(*payloads)).metrics}


def types(*payloads: Any) -> dict[str, str]:
    return {path: metric.data_type for path, metric in found(*payloads).items()}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1], "integer"),
        ([1, 2.5], "float"),
        ([2.5, 1], "float"),
        ([True, False], "boolean"),
        ([True, 1], "string"),
        ([1, "x"], "string"),
        ([2.5, "x", None], "string"),
        ([None, 1], "integer"),
        (["2024-01-01"], "string"),
        ([[1]], "array"),
        ([[1], 1], "string"),
    ],
)
def test_types_of_all_samples(values: list[Any], expected: str) -> None:
    assert types(*[{"x": value} for value in values]) == {"x": expected}


@pytest.mark.parametrize(
    ("path", "value", "semantic", "data_type", "unit"),
    [
        ("temperature", 21, "temperature", "float", "°C"),
        ("outdoorTemp", 2.5, "temperature", "float", "°C"),
        ("temperature.value", 21, "temperature", "float", "°C"),
        ("temperature", "21.5", "temperature", "string", "°C"),
        ("hum", 40, "humidity", "float", "%"),
        ("pressure", 1013, "pressure", "float", "hPa"),
        ("lux", 4, "illuminance", "float", "lx"),
        ("light", True, "unknown", "boolean", ""),
        ("pir", 1, "motion", "integer", ""),
        ("motion", True, "motion", "boolean", ""),
        ("switch_1", False, "switch", "boolean", ""),
        ("dimmer", 50, "dimmer", "integer", "%"),
        ("color", "#fff", "color", "string", ""),
        ("battery", 90, "battery", "integer", "%"),
        ("battery.level", 90, "battery", "integer", "%"),
        ("batteryVoltage", 3.1, "battery", "float", "%"),
        ("rssi", -70, "rssi", "integer", "dBm"),
        ("power", 4, "power", "float", "W"),
        ("power", True, "unknown", "boolean", ""),
        ("energy_total", 4, "energy", "float", "kWh"),
        ("CO2", 400, "co2", "float", "ppm"),
        ("pm2_5", 4, "pm25", "float", "µg/m³"),
        ("pm25", 4, "pm25", "float", "µg/m³"),
        ("tvoc", 4, "voc", "float", "ppb"),
        ("wind_speed", 4, "speed", "float", "m/s"),
        ("flowRate", 4, "flow", "float", "L/min"),
        ("level", 4, "level", "float", "%"),
        ("status", "ok", "status", "string", ""),
        ("error_code", 4, "error", "integer", ""),
        ("alarm", True, "alarm", "boolean", ""),
        ("attempts", 4, "unknown", "integer", ""),
        ("x", 4, "unknown", "integer", ""),
    ],
)
def test_meanings(path: str, value: Any, semantic: str, data_type: str, unit: str) -> None:
    payload: Any = value
    for step in reversed(path.split(".")):
        payload = {step: payload}
    assert found(payload) == {path: FoundMetric(path=path, semantic=semantic, data_type=data_type, unit=unit)}


def test_arrays_are_one_metric() -> None:
    result = found({"a": [1, 2], "b": [1, "x"], "c": [], "d": [{"x": 1}], "e": [[1]]})
    assert {path: (metric.data_type, metric.element_type) for path, metric in result.items()} == {
        "a": ("array", "integer"),
        "b": ("array", None),
        "c": ("array", None),
        "d": ("array", None),
        "e": ("array", "array"),
    }


def test_paths() -> None:
    deep: Any = 1
    for number in range(10, -1, -1):
        deep = {f"l{number}": deep}
    analysis = analyze(
        kept({"a": {"b": {"c": 1}, "x.y": 1}, "p.q": 1, "": 1, " ": 2, "_raw": 1, "n": None, "o": {}}, deep)
    )
    assert [metric.path for metric in analysis.metrics] == ["p.q", "a.b.c"]
    words = " ".join(analysis.warnings)
    assert "Only null so far, no metric: n" in words
    assert "a.x.y" in words
    assert "l0.l1" in words
    assert analysis.fields > len(analysis.metrics)


def test_a_key_with_a_dot_hides_the_path_that_it_looks_like() -> None:
    assert types({"a": {"b": "nested"}, "a.b": 1}) == {"a.b": "integer"}
    assert types({"a": {"b": "nested"}, "a.b": None}) == {"a.b": "string"}


def test_what_is_an_object_elsewhere_is_of_no_one_type() -> None:
    assert types({"a": 1}, {"a": {}}, {"a": {"b": 1}}) == {"a": "string", "a.b": "integer"}
    assert types({"a": {"b": 1}}) == {"a.b": "integer"}


def test_bare_values() -> None:
    assert types(5, 2.5) == {"value": "float"}
    assert types(True) == {"value": "boolean"}
    assert types([1, 2]) == {}


def test_binary_messages_say_nothing() -> None:
    assert analyze(kept(b"\xff")) == Analysis(
        samples=1,
        binary=True,
        insights=("The messages are not JSON; they are kept as base64 text",),
        recommendations=("Wait for more samples: types of values may widen",),
    )
    mixed = analyze(kept(b"\xff", {"x": 1}))
    assert (mixed.binary, len(mixed.metrics)) == (False, 1)


def test_too_many_values() -> None:
    analysis = analyze(kept({f"k{number}": number for number in range(METRICS_MAX + 5)}))
    assert len(analysis.metrics) == METRICS_MAX
    assert "5 more values" in analysis.warnings[0]
    huge = analyze(kept({f"k{number}": number for number in range(30_000)}))
    assert "too large" in huge.warnings[-1]


def test_summaries() -> None:
    analysis = analyze(kept({"temperature": 1, "x": 1, "m": 1}, {"m": "a"}))
    assert analysis.insights == (
        "1 of 3 are measured quantities",
        "2 of 3 are values whose meaning their names do not tell",
    )
    assert analysis.warnings == ("Values of several types, taken for text: m",)
    assert analysis.recommendations == ("Set the unit of x",)


@pytest.mark.parametrize(
    ("semantics", "expected"),
    [
        ([], "unknown"),
        (["battery", "rssi"], "unknown"),
        (["temperature", "battery", "rssi", "alarm"], "climate"),
        (["temperature", "power", "energy"], "energy"),
        (["temperature", "co2"], "climate"),
        (["co2", "temperature"], "climate"),
    ],
)
def test_categories(semantics: list[str], expected: str) -> None:
    assert category_of(semantics) == expected


def test_words_in_the_middle_do_not_count() -> None:
    assert semantic_of("attempt", "integer").name == "unknown"
    assert semantic_of("", "integer").name == "unknown"
