"""Device types: the forms in which they may arrive, and the one in which they are kept and answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs
import cattrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.devices import tables, views
from neomind_plugins.devices.forms import read_type
from neomind_plugins.devices.type_models import PLAIN_TYPES, NewTypeBody
from neomind_sdk import ApiError, CommandDef, DeviceType, MetricDef, ParamDef
from neomind_sdk.testing import strategies

NUMBER = st.integers(-(10**6), 10**6).map(float)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
SCALAR = st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT
NAMES = st.lists(strategies.metric_names(), max_size=3, unique=True)
TAG = {bool: "Boolean", int: "Integer", float: "Float", str: "String", list: "Array"}


def ordered(pair: tuple[float | None, float | None]) -> dict[str, float | None]:
    low, high = pair
    return (
        {"min": high, "max": low} if low is not None and high is not None and low > high else {"min": low, "max": high}
    )


RANGE = st.tuples(st.none() | NUMBER, st.none() | NUMBER).map(ordered)
DATA_TYPE = (
    st.sampled_from(PLAIN_TYPES).map(lambda word: {"data_type": word})
    | st.lists(TEXT, max_size=3).map(lambda words: {"data_type": "enum", "options": tuple(words)})
    | st.sampled_from(PLAIN_TYPES).map(lambda word: {"data_type": "array", "element_type": word})
)
RULE = (
    st.builds(lambda text: {"type": "pattern", "regex": "a+", "error_message": text}, st.none() | TEXT)
    | st.builds(lambda low: {"type": "range", "min": low, "max": None, "error_message": None}, NUMBER)
    | st.just({"type": "length", "min": 1.0, "max": 5.0, "error_message": "1 to 5"})
    | st.builds(lambda params: {"type": "custom", "validator": "luhn", "params": params}, SCALAR)
)


def metric(name: str) -> st.SearchStrategy[MetricDef]:
    common = st.fixed_dictionaries({"display_name": TEXT, "unit": TEXT, "required": st.booleans()})
    return st.builds(lambda *parts: MetricDef(name=name, **merged(parts)), common, RANGE, DATA_TYPE)


def param(name: str) -> st.SearchStrategy[ParamDef]:
    common = st.fixed_dictionaries(
        {
            "display_name": TEXT,
            "unit": TEXT,
            "required": st.booleans(),
            "default_value": st.none() | SCALAR | st.lists(SCALAR, max_size=2),
            "allowed_values": st.lists(SCALAR, max_size=2).map(tuple),
            "visible_when": st.none() | TEXT,
            "group": st.none() | TEXT,
            "help_text": TEXT,
            "validation": st.lists(RULE, max_size=2).map(tuple),
        }
    )
    return st.builds(lambda *parts: ParamDef(name=name, **merged(parts)), common, RANGE, DATA_TYPE)


def command(name: str) -> st.SearchStrategy[CommandDef]:
    group = {"id": "g", "display_name": "G", "description": "", "collapsed": True, "parameters": ["a"], "order": 2}
    return st.builds(
        CommandDef,
        name=st.just(name),
        display_name=TEXT,
        description=TEXT,
        payload_template=TEXT,
        parameters=several(param),
        fixed_values=strategies.json_objects(3),
        samples=st.lists(strategies.json_values(3), max_size=2).map(tuple),
        parameter_groups=st.sampled_from([(), (group,)]),
    )


def several(make: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    return NAMES.flatmap(lambda names: st.tuples(*map(make, names)))


def merged(parts: tuple[Mapping[str, Any], ...]) -> dict[str, Any]:
    return {key: value for part in parts for key, value in part.items()}


TYPES = st.builds(
    DeviceType,
    device_type=st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True),
    name=TEXT.filter(str.strip),
    description=TEXT,
    categories=st.lists(TEXT, max_size=2).map(tuple),
    mode=st.sampled_from(["simple", "full"]),
    metrics=several(metric),
    uplink_samples=st.lists(strategies.json_values(3), max_size=2).map(tuple),
    commands=several(command),
    default_offline_timeout_secs=st.none() | st.integers(10, 10**6),
    store_raw=st.booleans(),
)


class Wire:
    """Writes a type in one of the forms in which clients send it."""

    def __init__(self, data: st.DataObject) -> None:
        self.draw = data.draw

    def case(self, word: str) -> str:
        return self.draw(st.sampled_from([word, word.upper(), word.title()]))

    def tagged(self, value: Any) -> Any:
        if value is None or not self.draw(st.booleans()):
            return value
        inner = [self.tagged(item) for item in value] if isinstance(value, list) else value
        return {self.case(TAG[type(value)]): inner}

    def data_type(self, item: MetricDef | ParamDef) -> Any:
        if item.data_type == "enum":
            return {self.case("enum"): {self.case("options"): list(item.options)}}
        if item.data_type == "array" and (item.element_type or self.draw(st.booleans())):
            element = self.case(item.element_type) if item.element_type else None
            return {self.case("array"): {self.case("element_type"): element}}
        return self.case(item.data_type)

    def item(self, item: MetricDef | ParamDef) -> dict[str, Any]:
        members = attrs.asdict(item)
        del members["options"], members["element_type"]
        members["data_type"] = self.data_type(item)
        if isinstance(item, ParamDef):
            members["default_value"] = self.tagged(item.default_value)
            members["allowed_values"] = [self.tagged(value) for value in item.allowed_values]
        return self.without_defaults(item, members)

    def without_defaults(self, item: Any, members: dict[str, Any]) -> dict[str, Any]:
        """Members may be left out that are as they would be then; members nobody knows may be there."""
        known = [field.name for field in attrs.fields(type(item)) if getattr(item, field.name) == field.default]
        absent = {name for name in known if self.draw(st.booleans())}
        return {key: value for key, value in members.items() if key not in absent} | {"unknown": 1}

    def command(self, item: CommandDef) -> dict[str, Any]:
        parameters = [self.item(parameter) for parameter in item.parameters]
        return self.without_defaults(item, {**attrs.asdict(item), "parameters": parameters})

    def type(self, item: DeviceType) -> dict[str, Any]:
        body = {**attrs.asdict(item), "mode": self.draw(st.sampled_from([item.mode, item.mode.title()]))}
        metrics = [self.item(metric) for metric in item.metrics]
        commands = [self.command(command) for command in item.commands]
        if self.draw(st.booleans()):
            samples = body.pop("uplink_samples")
            del body["metrics"], body["commands"]
            return {**body, "uplink": {"metrics": metrics, "samples": samples}, "downlink": {"commands": commands}}
        return {**body, "metrics": metrics, "commands": commands}


def read(body: dict[str, Any]) -> DeviceType:
    structured = cattrs.structure(json.loads(json.dumps(body)), NewTypeBody)
    return read_type(structured.device_type, structured)


@given(TYPES, st.data())
def test_every_form_of_a_type_is_read_as_the_same_type(expected: DeviceType, data: st.DataObject) -> None:
    assert read(Wire(data).type(expected)) == expected


@given(TYPES)
def test_what_is_answered_can_be_sent_back(expected: DeviceType) -> None:
    assert read(attrs.asdict(views.type_view(expected))) == expected


@given(TYPES)
def test_what_is_stored_is_loaded(expected: DeviceType) -> None:
    assert tables.type_of_json(tables.json_of_type(expected)) == expected


def with_metric(**members: Any) -> dict[str, Any]:
    return {"device_type": "t", "name": "T", "metrics": [{"name": "m", **members}]}


def with_param(**members: Any) -> dict[str, Any]:
    parameter = {"name": "p", **members}
    return {"device_type": "t", "name": "T", "commands": [{"name": "c", "parameters": [parameter]}]}


@pytest.mark.parametrize("ident", ["", "a b", "a.b", "a:b", "ü", "x" * 101, "a\n", "../a"])
def test_ids_that_cannot_be(ident: str) -> None:
    with pytest.raises(ApiError, match="device_type: must be") as caught:
        read({"device_type": ident, "name": "T"})
    assert caught.value.code == "BAD_REQUEST"


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (with_metric(name=""), "BAD_REQUEST", "metrics[0].name"),
        (with_metric(name=" \t"), "BAD_REQUEST", "metrics[0].name"),
        (with_param(name=""), "BAD_REQUEST", "commands[0].parameters[0].name"),
        ({"device_type": "t", "name": "T", "commands": [{"name": ""}]}, "BAD_REQUEST", "commands[0].name"),
        (
            {"device_type": "t", "name": "T", "downlink": {"commands": [{"name": ""}]}},
            "BAD_REQUEST",
            "downlink.commands",
        ),
        (
            {"device_type": "t", "name": "T", "uplink": {"metrics": [{"name": "a."}]}},
            "VALIDATION_ERROR",
            "uplink.metrics",
        ),
        (with_metric(name="_raw"), "VALIDATION_ERROR", "metrics[0].name"),
        (with_metric(name="x" * 101), "VALIDATION_ERROR", "metrics[0].name"),
        (with_metric(name="a\x00"), "VALIDATION_ERROR", "metrics[0].name"),
        (with_metric(min=2, max=1), "VALIDATION_ERROR", "metrics[0].min"),
        (with_metric(data_type="number"), "VALIDATION_ERROR", "metrics[0].data_type"),
        (with_metric(data_type="enum"), "VALIDATION_ERROR", "metrics[0].data_type"),
        (with_metric(data_type=5), "VALIDATION_ERROR", "metrics[0].data_type"),
        (with_metric(data_type={}), "VALIDATION_ERROR", "metrics[0].data_type"),
        (with_metric(data_type={"enum": []}), "VALIDATION_ERROR", "metrics[0].data_type"),
        (with_metric(data_type={"enum": {}}), "VALIDATION_ERROR", "metrics[0].data_type.enum.options"),
        (with_metric(data_type={"enum": {"options": [1]}}), "VALIDATION_ERROR", "data_type.enum.options"),
        (
            with_metric(data_type={"array": {"element_type": "enum"}}),
            "VALIDATION_ERROR",
            "data_type.array.element_type",
        ),
        (with_metric(data_type={"array": {"element_type": {}}}), "VALIDATION_ERROR", "data_type.array.element_type"),
        (with_param(data_type="x"), "VALIDATION_ERROR", "commands[0].parameters[0].data_type"),
        (with_param(min=2, max=1), "VALIDATION_ERROR", "commands[0].parameters[0].min"),
        (with_param(validation=[{"type": "pattern", "regex": "("}]), "VALIDATION_ERROR", "validation[0].regex"),
        (with_param(validation=[{"type": "pattern"}]), "VALIDATION_ERROR", "validation[0].regex"),
        (with_param(validation=[{"type": "pattern", "regex": "a{99999999999}"}]), "VALIDATION_ERROR", "[0].regex"),
        (with_param(validation=[{"type": "pattern", "regex": "(" * 1000}]), "VALIDATION_ERROR", "[0].regex"),
        (with_param(validation=[{"type": "range"}]), "VALIDATION_ERROR", "validation[0]"),
        (with_param(validation=[{"type": "length", "min": 2, "max": 1}]), "VALIDATION_ERROR", "validation[0].min"),
        (with_param(validation=[{"type": "custom", "validator": " "}]), "VALIDATION_ERROR", "validation[0].validator"),
        ({"device_type": "t", "name": "T", "metrics": [{"name": "m"}] * 2}, "VALIDATION_ERROR", "metrics[1].name"),
        ({"device_type": "t", "name": "T", "commands": [{"name": "c"}] * 2}, "VALIDATION_ERROR", "commands[1].name"),
    ],
)
def test_what_cannot_be_is_refused_by_its_path(body: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(ApiError) as caught:
        read(body)
    assert caught.value.code == code
    assert field in caught.value.message.split(": ")[0]


@pytest.mark.parametrize("name", ["a", "a.b", "a[0]", "a[0].b", "[0]", "[0][1].c", "a b", "温度", "a:b", "a-b"])
def test_metric_names_that_are_paths(name: str) -> None:
    assert read(with_metric(name=name)).metrics[0].name == name


@pytest.mark.parametrize(
    "name", ["a.", ".a", "a..b", "a[", "a]", "a[x]", "a[0", "a[]", "a.[0]", "a[0]b", "a\nb", "\x7f"]
)
def test_metric_names_that_are_no_paths(name: str) -> None:
    with pytest.raises(ApiError, match=r"metrics\[0\].name"):
        read(with_metric(name=name))


def test_a_doubtful_regex_is_taken_without_a_warning() -> None:
    read(with_param(validation=[{"type": "pattern", "regex": "[[a]"}]))


def test_a_default_that_is_an_object_stays_one() -> None:
    [parameter] = read(with_param(default_value={"string": "a", "integer": 1})).commands[0].parameters
    assert parameter.default_value == {"string": "a", "integer": 1}
