"""Asking models: in time whatever the backend does, so many at a time, and counted."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from neomind_sdk import (
    Capabilities,
    Chunk,
    Completion,
    EgressBlocked,
    EgressFailed,
    LLMError,
    NotFound,
    Unavailable,
    Usage,
)
from neomind_sdk.testing.clock import turns

from .conftest import BLIND, HANGS, HEADER, KEY, PATH, Lab, Later, all_of, ask, begun, data, usage

# ---- answers ----


async def test_an_answer(lab: Lab) -> None:
    ident = await lab.active()
    answer = await lab.models.complete(ask())
    assert (answer.text, answer.usage.prompt_tokens) == ("Hello", 5)
    assert await all_of(lab.models.stream(ask(), ident)) == "Hello"
    assert lab.kind.closed == 1
    assert await usage(lab, ident) == {
        "calls": 2,
        "errors": 0,
        "prompt_tokens": 12,
        "completion_tokens": 3,
        "last_used_at": lab.clock.now_ms() // 1000,
    }


async def test_what_a_request_leaves_open_is_the_backends(lab: Lab) -> None:
    lab.kind.probed = Capabilities(thinking=True, source="registry", efforts=("low", "high"))
    ident = await lab.active(temperature=0.1, top_p=0.2, top_k=3, thinking_effort="high")
    await lab.models.complete(ask())
    await lab.models.complete(ask(temperature=0.0, top_k=0, thinking=False, max_tokens=5))
    await lab.put(ident, thinking_effort="none")
    await lab.models.complete(ask())
    await lab.put(ident, thinking_effort="max")
    await lab.models.complete(ask())
    sent = [(one.temperature, one.top_p, one.top_k, one.thinking, one.effort) for one in lab.kind.requests]
    assert sent == [
        (0.1, 0.2, 3, True, "high"),
        (0.0, 0.2, 0, False, None),
        (0.1, 0.2, 3, False, None),
        (0.1, 0.2, 3, True, None),
    ]


async def test_a_model_that_cannot_think_is_not_told_to(lab: Lab) -> None:
    await lab.active()
    await lab.models.complete(ask())
    assert lab.kind.requests[0].thinking is None


async def test_who_there_is_to_ask(lab: Lab) -> None:
    assert lab.models.find() is None
    b, a = await lab.active(name="b"), await lab.create(name="a")
    assert [(one.backend_id, one.active, one.available) for one in lab.models.models()] == [
        (a, False, True),
        (b, True, True),
    ]
    active = lab.models.find()
    assert active is not None
    assert (active.backend_id, active.name, active.backend_type, active.model) == (b, "b", "brain", "brain-2")
    assert lab.models.find("brain_00000000") is None
    assert KEY not in repr(lab.models.models())


async def test_nobody_to_ask(lab: Lab) -> None:
    with pytest.raises(Unavailable, match="No LLM backend is active"):
        await lab.models.complete(ask())
    with pytest.raises(Unavailable):
        await all_of(lab.models.stream(ask()))
    with pytest.raises(NotFound) as caught:
        await lab.models.complete(ask(), "brain_00000000")
    assert caught.value.code == "LLM_BACKEND_NOT_FOUND"


# ---- failures ----


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("raised", "kind", "text"),
    [
        (LLMError("auth", f"bad key {KEY}"), "auth", "bad key ***"),
        (LLMError("rate_limited", "slow down", retry_after=7), "rate_limited", "slow down"),
        (LLMError("tired", "yawn"), "malformed", "yawn"),
        (EgressFailed("brain.example cannot be connected to"), "connect", "brain.example cannot be connected to"),
        (EgressBlocked("brain.example may not be reached"), "connect", "brain.example may not be reached"),
        (RuntimeError(f"{HEADER} in /srv/neomind/secret/file.py"), "malformed", "RuntimeError: *** in …/file.py"),
        (SystemExit("bye"), "malformed", "SystemExit: bye"),
        (asyncio.CancelledError(), "malformed", "CancelledError"),
        (TimeoutError(), "malformed", "TimeoutError"),
    ],
)
async def test_whatever_is_raised_is_an_llm_error(lab: Lab, raised: Any, kind: str, text: str, stream: bool) -> None:
    ident = await lab.active(headers={"X": HEADER})
    lab.kind.answer, lab.kind.chunks = raised, (Chunk(text="He"), raised)
    call = all_of(lab.models.stream(ask())) if stream else lab.models.complete(ask())
    with pytest.raises(LLMError) as caught:
        await call
    assert caught.value.kind == kind
    assert text in str(caught.value)
    assert caught.value.retry_after == getattr(raised, "retry_after", None)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ is True
    assert ((await usage(lab, ident))["calls"], (await usage(lab, ident))["errors"]) == (1, 1)


@pytest.mark.parametrize("answer", [None, "Hello", {"text": "Hello"}])
async def test_an_answer_that_is_none(lab: Lab, answer: Any) -> None:
    await lab.active()
    lab.kind.answer, lab.kind.chunks = answer, (answer,)
    await lab.fails(lab.models.complete(ask()), "malformed")
    await lab.fails(all_of(lab.models.stream(ask())), "malformed")


async def test_a_stream_that_breaks_off(lab: Lab) -> None:
    await lab.active()
    for chunks in ((), (Chunk(text="Hel"),)):
        lab.kind.chunks = chunks
        assert "before it was finished" in await lab.fails(all_of(lab.models.stream(ask())), "malformed")


async def test_nothing_is_read_after_the_end(lab: Lab) -> None:
    await lab.active()
    lab.kind.chunks = (Chunk(text="Hi", finish="stop"), HANGS)
    assert await all_of(lab.models.stream(ask())) == "Hi"
    assert (lab.kind.running, lab.kind.closed) == (0, 1)


@pytest.mark.parametrize("value", [-1, True, "many", None, 2**70])
async def test_tokens_that_are_none_are_not_counted(lab: Lab, value: Any) -> None:
    ident = await lab.active()
    lab.kind.answer = Completion(text="", usage=Usage(prompt_tokens=value, completion_tokens=3))
    await lab.models.complete(ask())
    lab.kind.answer = Completion(text="", usage=value)
    await lab.models.complete(ask())
    found = await usage(lab, ident)
    assert (found["calls"], found["prompt_tokens"], found["completion_tokens"]) == (2, 0, 3)


# ---- time ----

LIMITS: dict[str, Any] = {"connect_s": 2, "first_token_s": 5, "chunk_s": 3, "total_s": 20}


@pytest.mark.parametrize(
    ("chunks", "after_s", "text"),
    [
        ((HANGS,), 7, "neither a connection nor a first token within 7 s"),
        ((Chunk(), HANGS), 5, "no first token within 5 s"),
        ((Chunk(), Chunk(text="Hel"), HANGS), 3, "nothing more within 3 s"),
        ((Chunk(thinking="Hm"), HANGS), 3, "nothing more within 3 s"),
    ],
)
async def test_a_stream_that_stalls(lab: Lab, chunks: Any, after_s: float, text: str) -> None:
    ident = await lab.active()
    lab.kind.chunks = chunks
    task = begun(all_of(lab.models.stream(ask(**LIMITS))))
    await lab.kind.began.wait()
    await lab.clock.advance(after_s - 0.01)
    assert not task.done()
    assert lab.kind.running == 1
    await lab.clock.advance(0.02)
    assert await lab.fails(task, "timeout") == text
    assert (lab.kind.running, lab.kind.closed) == (0, 1)
    assert (await usage(lab, ident))["errors"] == 1


async def test_a_stream_that_never_ends(lab: Lab) -> None:
    """Each chunk comes in time, and so does the end of it all."""

    class Endless:
        async def probe(self) -> Any:
            return BLIND

        async def stream(self, request: Any) -> Any:
            while True:
                await lab.clock.sleep(2)
                yield Chunk(text="la")

    lab.kind.open = lambda config, egress: Endless()
    await lab.active()
    task = begun(all_of(lab.models.stream(ask(**LIMITS))))
    await lab.clock.advance(19.9)
    assert not task.done()
    await lab.clock.advance(0.2)
    assert await lab.fails(task, "timeout") == "the answer took over 20 s in total"


async def test_a_slow_reader_is_not_the_backends_fault(lab: Lab) -> None:
    await lab.active()
    texts = []
    async with aclosing(lab.models.stream(ask(**LIMITS))) as stream:
        async for chunk in stream:
            texts.append(chunk.text)
            await lab.clock.advance(4)
    assert texts == ["Hel", "lo", ""]


async def test_a_reader_that_is_slower_than_the_total(lab: Lab) -> None:
    await lab.active()
    with pytest.raises(LLMError, match="the answer took over 20 s in total"):
        async for _ in lab.models.stream(ask(**LIMITS)):
            await lab.clock.advance(21)
    assert (lab.kind.running, lab.kind.closed) == (0, 1)


async def test_an_answer_that_never_comes(lab: Lab) -> None:
    ident = await lab.active()
    lab.kind.answer = HANGS
    task = begun(lab.models.complete(ask(**LIMITS)))
    await lab.kind.began.wait()
    await lab.clock.advance(19.9)
    assert not task.done()
    await lab.clock.advance(0.2)
    assert await lab.fails(task, "timeout") == "no answer within 20 s"
    assert (lab.kind.running, lab.kind.cancelled) == (0, 1)
    assert (await usage(lab, ident))["errors"] == 1


async def test_a_backend_that_refuses_to_be_cancelled(lab: Lab) -> None:
    release = asyncio.Event()

    class Stubborn:
        async def probe(self) -> Any:
            return BLIND

        async def complete(self, request: Any) -> Any:
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    continue

    lab.kind.open = lambda config, egress: Stubborn()
    await lab.active()
    task = begun(lab.models.complete(ask(total_s=1)))
    await turns()
    await lab.clock.advance(1)
    assert "no answer" in await lab.fails(task, "timeout")
    release.set()
    await turns()


# ---- cancelling ----


async def test_a_cancelled_caller_cancels_the_call(lab: Lab) -> None:
    await lab.active()
    lab.kind.answer = HANGS
    task = begun(lab.models.complete(ask()))
    await lab.kind.began.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert (lab.kind.running, lab.kind.cancelled) == (0, 1)


@pytest.mark.parametrize("chunks", [(HANGS,), (Chunk(text="Hel"), HANGS)])
async def test_a_cancelled_reader_closes_the_stream(lab: Lab, chunks: Any) -> None:
    ident = await lab.active()
    lab.kind.chunks = chunks
    task = begun(all_of(lab.models.stream(ask())))
    await lab.kind.began.wait()
    await turns()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert (lab.kind.running, lab.kind.closed) == (0, 1)
    found = await usage(lab, ident)
    assert (found["calls"], found["errors"]) == (1, 0)


async def test_who_reads_no_further_closes_the_stream(lab: Lab) -> None:
    await lab.active()
    lab.kind.chunks = (*[Chunk(text=str(number)) for number in range(50)], HANGS)
    async with aclosing(lab.models.stream(ask())) as stream:
        async for chunk in stream:
            if chunk.text == "3":
                break
    assert (lab.kind.running, lab.kind.closed) == (0, 1)


# ---- counting ----


async def test_stats(lab: Lab) -> None:
    brain, box = await lab.active(), await lab.create(name="b", backend_type="box", model="")
    lab.box.answer = LLMError("refused", "no")
    await lab.models.complete(ask())
    await lab.fails(lab.models.complete(ask(), box), "refused")
    found = data(await lab.api.get(f"{PATH}/stats"))
    assert (found["total"], found["active_id"], found["by_type"]) == (2, brain, {"box": 1, "brain": 1})
    counts = ("calls", "errors", "prompt_tokens", "completion_tokens")
    assert [found["usage"][name] for name in counts] == [2, 1, 5, 1]
    assert [found["usage_by_backend"][box][name] for name in counts] == [1, 1, 0, 0]


async def test_a_backend_that_is_deleted_during_a_call(lab: Lab) -> None:
    ident, _ = await lab.create(), await lab.active()
    lab.kind.answer = later = Later(Completion(text="released"))
    task = begun(lab.models.complete(ask(), ident))
    await turns()
    data(await lab.api.delete(f"{PATH}/{ident}"))
    later.released.set()
    assert (await task).text == "released"
    assert data(await lab.api.get(f"{PATH}/stats"))["usage"]["calls"] == 0
    await lab.clock.advance(11)
