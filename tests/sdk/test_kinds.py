"""Types that plugins contribute: found, refused, and missed with a reason."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from neomind_sdk import NotFound, Status, fields, kinds
from neomind_sdk.kinds import Ready, Unusable


@attrs.frozen
class Config:
    url: str
    token: str = fields.secret(default="")


@attrs.frozen
class Small:
    name: str = ""


@attrs.frozen
class Odd:
    url: str
    what: NobodyKnows  # noqa: F821


@attrs.frozen
class Kind:
    name: str
    config: Any = Config


@attrs.frozen
class Info:
    name: str
    status: Status
    reason: str | None = None


@attrs.define
class House:
    """What of the platform and of a log is needed here."""

    kinds: list[tuple[str, Kind]]
    infos: list[Info] = attrs.field(factory=list)
    asked: list[str] = attrs.field(factory=list)
    said: list[tuple[str, dict[str, Any]]] = attrs.field(factory=list)

    def contributions(self, kind: str) -> list[tuple[str, Kind]]:
        self.asked.append(kind)
        return self.kinds

    def plugins(self) -> list[Info]:
        return self.infos

    def error(self, event: str, **values: Any) -> None:
        self.said.append((event, values))


class Doors(kinds.Kinds[Kind]):
    hook, word, event = "doors", "door type", "door_type_unusable"

    def unknown(self, name: str) -> Exception:
        return NotFound("DOOR_TYPE", name)

    def check(self, config: type[Any]) -> None:
        if "url" not in {field.name for field in attrs.fields(config)}:
            raise TypeError("the configuration has no field url")


def doors(*found: tuple[str, Kind], infos: list[Info] | None = None) -> tuple[Doors, House]:
    house = House(list(found), infos or [])
    log: Any = house
    return Doors(log, log), house


def test_types_are_asked_for_each_time_and_come_by_name() -> None:
    mine, house = doors(("b", Kind("swing")), ("a", Kind("roll")))
    assert [(plugin, kind.name) for plugin, kind in mine.all()] == [("a", "roll"), ("b", "swing")]
    assert mine.known() == "roll, swing"
    house.kinds.append(("c", Kind("trap")))
    assert mine.get("trap") == mine.find("trap") == ("c", Kind("trap"))
    assert mine.of("trap", "whoever") == Kind("trap")
    assert set(house.asked) == {"doors"}


def test_a_type_that_nobody_contributes() -> None:
    mine, _ = doors()
    assert mine.known() == "none"
    assert mine.find("swing") is None
    with pytest.raises(NotFound) as refused:
        mine.get("swing")
    assert refused.value.code == "DOOR_TYPE_NOT_FOUND"


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (dict, "TypeError: the configuration is no attrs class"),
        (Small, "TypeError: the configuration has no field url"),
        (Odd, "NameError: "),
    ],
)
def test_one_that_cannot_be_used_is_not_there_and_is_logged_once(config: Any, reason: str) -> None:
    mine, house = doors(("a", Kind("swing", config)), ("b", Kind("roll")))
    assert mine.known() == mine.known() == "roll"
    ((event, values),) = house.said
    assert event == "door_type_unusable"
    assert list(values) == ["door_type", "reason"]
    assert values["door_type"] == "swing"
    assert reason in values["reason"]


def test_without_a_check_any_attrs_class_will_do() -> None:
    class Gates(kinds.Kinds[Kind]):
        hook, word, event = "gates", "gate type", "gate_type_unusable"

    house: Any = House([("a", Kind("swing", Small))])
    assert Gates(house, house).known() == "swing"
    with pytest.raises(NotImplementedError):
        Gates(house, house).get("roll")


def test_the_schema_of_a_type_is_made_once() -> None:
    mine, _ = doors(("a", Kind("swing")))
    schema = mine.schema(Kind("swing"))
    assert schema is not None
    assert list(schema["properties"]) == ["url", "token"]
    assert mine.schema(Kind("another")) is schema


@pytest.mark.parametrize(
    ("infos", "reason"),
    [
        ([], "the door type 'swing' is not installed; the plugin 'a' provided it"),
        (
            [Info("b", Status.ENABLED), Info("a", Status.ENABLED)],
            "the plugin 'a' does not provide a usable door type 'swing' any more",
        ),
        (
            [Info("a", Status.FAILED_AT_RUN, "it raised")],
            "the plugin 'a' with the door type 'swing' is failed_at_run: it raised",
        ),
    ],
)
def test_what_became_of_a_type(infos: list[Info], reason: str) -> None:
    mine, _ = doors(infos=infos)
    with pytest.raises(Unusable) as missed:
        mine.of("swing", "a")
    assert str(missed.value) == reason


def test_what_is_ready_does_not_show_its_secrets() -> None:
    assert "s3cret" not in repr(Ready(Kind("swing"), None, ("s3cret",)))
