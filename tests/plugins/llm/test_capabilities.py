"""What a model can do: probed, supposed, said, pinned."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from neomind_sdk import Capabilities, LLMError
from neomind_sdk.testing.clock import turns

from .conftest import BLIND, HANGS, KEY, PATH, SEES, Kind, Lab, Later, code, data, lab_with


async def talents(lab: Lab, ident: str) -> dict[str, Any]:
    found: dict[str, Any] = (await lab.show(ident))["capabilities"]
    return found


async def sees(lab: Lab, ident: str) -> tuple[bool, str]:
    found = await talents(lab, ident)
    return found["supports_multimodal"], found["multimodal_source"]


async def test_the_server_is_asked_when_a_backend_is_made(lab: Lab) -> None:
    lab.kind.probed = SEES
    ident = await lab.create()
    assert await talents(lab, ident) == {
        "supports_streaming": True,
        "supports_multimodal": True,
        "multimodal_source": "runtime_api",
        "supports_thinking": False,
        "supports_tools": True,
        "max_context": 4096,
    }
    assert lab.kind.probes == 1


async def test_thinking_is_described(lab: Lab) -> None:
    lab.kind.probed = Capabilities(thinking=True, efforts=("low", "high"), source="registry")
    reasoning = (await talents(lab, await lab.create()))["reasoning"]
    assert reasoning == {"supported_efforts": ["low", "high"], "mandatory": False, "control": "effort"}
    lab.kind.probed = Capabilities(thinking=True, source="registry")
    assert (await talents(lab, await lab.create()))["reasoning"]["control"] == "boolean"


@pytest.mark.parametrize(
    "probed",
    [
        LLMError("connect", f"refused {KEY}"),
        RuntimeError("bug"),
        SystemExit(1),
        asyncio.CancelledError(),
        {"vision": 1},
    ],
)
async def test_a_probe_that_fails_fails_nothing(lab: Lab, probed: Any) -> None:
    lab.kind.probed = probed
    ident = await lab.create(model="llava-7b")
    assert await sees(lab, ident) == (True, "heuristic")


async def test_a_probe_that_hangs_is_given_up() -> None:
    async with lab_with(settings={"llm": {"probe_timeout_s": 4}}) as lab:
        lab.kind.probed = HANGS
        creating = asyncio.ensure_future(lab.create(model="llava-7b"))
        while not lab.kind.probes:
            await turns(1)
        [backend] = data(await lab.api.get(PATH))["backends"]
        await lab.clock.advance(4)
        assert await creating == backend["id"]
        assert await sees(lab, backend["id"]) == (True, "heuristic")


async def test_who_does_not_know_leaves_it_to_the_name(lab: Lab) -> None:
    lab.kind.probed = Capabilities(multimodal=False, source="default")
    assert await sees(lab, await lab.create(model="qwen2.5-vl")) == (True, "heuristic")
    assert await sees(lab, await lab.create(model="mystery")) == (False, "default")
    assert (await talents(lab, await lab.create(model="mystery")))["max_context"] == 128_000


async def test_a_type_may_know_names_better() -> None:
    own = Kind(probed=LLMError("connect", "down"))
    own.guess = lambda model: Capabilities(multimodal=True, source="registry", max_context=77)
    async with lab_with(kind=own) as lab:
        ident = await lab.create(model="mystery")
        assert await sees(lab, ident) == (True, "registry")
        assert (await talents(lab, ident))["max_context"] == 77
        own.guess = lambda model: 1 / 0
        assert await sees(lab, await lab.create(model="llava")) == (True, "heuristic")


async def test_another_model_is_probed_another_name_is_not(lab: Lab) -> None:
    ident = await lab.create()
    lab.kind.probed = SEES
    await lab.put(ident, name="other", temperature=1.5, capabilities={"supports_tools": True})
    assert (lab.kind.probes, await sees(lab, ident)) == (1, (False, "heuristic"))
    await lab.put(ident, model="brain-3")
    assert (lab.kind.probes, await sees(lab, ident)) == (2, (True, "runtime_api"))


async def test_every_hour_the_servers_are_asked(lab: Lab) -> None:
    lab.kind.probed, lab.box.probed = SEES, BLIND
    brain, box = await lab.create(), await lab.create(backend_type="box", model="")
    lab.kind.probed = Capabilities(source="runtime_api")
    await lab.probe_again()
    assert await sees(lab, brain) == (False, "runtime_api")
    assert (lab.kind.probes, lab.box.probes) == (2, 1)  # a name tells the same every hour
    lab.kind.probed = LLMError("connect", "down")
    await lab.probe_again()
    assert await sees(lab, brain) == (False, "runtime_api")
    assert (await lab.show(box))["available"] is True


async def test_who_could_not_be_asked_is_asked_again(lab: Lab) -> None:
    lab.kind.probed = LLMError("connect", "down")
    ident = await lab.create()
    lab.kind.probed = SEES
    await lab.probe_again()
    assert await sees(lab, ident) == (True, "runtime_api")


async def test_what_a_probe_says_of_a_model_that_was_changed_is_forgotten(lab: Lab) -> None:
    ident = await lab.create()
    lab.kind.probed = slow = Later(SEES)
    changing = asyncio.ensure_future(lab.put(ident, model="brain-3"))
    while lab.kind.probes < 2:
        await turns(1)
    lab.kind.probed = BLIND
    await lab.put(ident, model="brain-4")
    slow.released.set()
    await changing
    assert await sees(lab, ident) == (False, "heuristic")


# ---- what is said ----


async def test_what_is_said_holds_unless_the_server_knows(lab: Lab) -> None:
    ident = await lab.create(capabilities={"supports_multimodal": True, "max_context": 9, "supports_tools": None})
    assert await sees(lab, ident) == (True, "default")
    assert (await talents(lab, ident))["max_context"] == 9
    lab.kind.probed = Capabilities(multimodal=False, max_context=11, source="runtime_api")
    await lab.put(ident, endpoint="http://10.0.0.9")
    assert await sees(lab, ident) == (False, "runtime_api")
    await lab.put(ident, capabilities={"supports_multimodal": True})
    assert await sees(lab, ident) == (False, "runtime_api")


# ---- the override ----


@pytest.mark.parametrize("pinned", [True, False])
async def test_a_pin_holds(lab: Lab, pinned: bool) -> None:
    lab.kind.probed = Capabilities(multimodal=not pinned, source="runtime_api")
    ident = await lab.create()
    assert await lab.pin(ident, pinned) == {
        "id": ident,
        "supports_multimodal": pinned,
        "multimodal_user_override": pinned,
        "multimodal_source": "user_override",
        "message": "The override was set",
    }
    await lab.put(ident, name="other", capabilities={"supports_multimodal": not pinned})
    await lab.put(ident, model="brain-3")
    await lab.probe_again()
    found = await talents(lab, ident)
    assert (found["supports_multimodal"], found["multimodal_user_override"]) == (pinned, pinned)
    assert found["multimodal_source"] == "user_override"
    assert lab.models.find(ident).capabilities.multimodal is pinned


async def test_an_unpinned_model_goes_by_its_name_until_it_is_asked(lab: Lab) -> None:
    lab.kind.probed = Capabilities(multimodal=True, max_context=11, source="runtime_api")
    ident = await lab.create(model="mystery-qwen")
    await lab.pin(ident, True)
    cleared = await lab.pin(ident, None)
    assert (cleared["supports_multimodal"], cleared["multimodal_user_override"]) == (False, None)
    assert cleared["multimodal_source"] == "heuristic"
    found = await talents(lab, ident)
    assert "multimodal_user_override" not in found
    assert found["max_context"] == 11
    await lab.probe_again()
    assert await sees(lab, ident) == (True, "runtime_api")


async def test_what_came_back_with_a_pin_does_not_outlive_it(lab: Lab) -> None:
    ident = await lab.create(capabilities={"supports_multimodal": True})
    await lab.pin(ident, True)
    await lab.put(ident, capabilities=await talents(lab, ident))
    await lab.pin(ident, None)
    assert await sees(lab, ident) == (False, "default")


async def test_clearing_what_is_not_pinned_changes_nothing(lab: Lab) -> None:
    lab.kind.probed = SEES
    ident = await lab.create()
    assert (await lab.pin(ident, None))["multimodal_source"] == "runtime_api"


@pytest.mark.parametrize("body", [{}, {"other": True}])
async def test_the_key_must_be_there(lab: Lab, body: dict[str, Any]) -> None:
    ident = await lab.create()
    await lab.pin(ident, True)
    assert code(await lab.api.patch(f"{PATH}/{ident}/capabilities", json=body)) == (400, "BAD_REQUEST")
    assert await sees(lab, ident) == (True, "user_override")


@pytest.mark.parametrize("value", ["true", 1, []])
async def test_a_pin_is_true_false_or_null(lab: Lab, value: Any) -> None:
    ident = await lab.create()
    answer = await lab.api.patch(f"{PATH}/{ident}/capabilities", json={"multimodal": value})
    assert code(answer) == (422, "VALIDATION_ERROR")
