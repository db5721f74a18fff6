"""What the scripted servers of the other tests promise, kept by a server that nobody of us wrote."""

import attrs
import pytest

from neomind_llm_openai.models import OpenAIConfig
from neomind_llm_openai.presets import PRESETS
from neomind_sdk import ChatMessage, CompletionRequest, LLMError, ToolSpec
from neomind_sdk.testing.sink import real_egress

pytestmark = pytest.mark.llm
TYPES = {one.name: one for one in PRESETS}
ROOM = ToolSpec(
    name="read_temperature",
    description="The temperature of a room",
    parameters={"type": "object", "properties": {"room": {"type": "string"}}, "required": ["room"]},
)
QUESTION = CompletionRequest(
    messages=(
        ChatMessage(role="system", text="You answer in one short sentence."),
        ChatMessage(role="user", text="What is the capital of France?"),
    ),
    temperature=0.0,
    top_p=1.0,
    top_k=1,
    max_tokens=24,
    thinking=False,
)


@pytest.fixture(params=["llamacpp", "openai"])
async def backend(request, model_server):
    base = model_server.url if request.param == "llamacpp" else f"{model_server.url}/v1"
    async with real_egress() as egress:
        yield TYPES[request.param].open(OpenAIConfig(endpoint=base, model=model_server.model), egress)


async def test_a_completion(backend):
    answer = await backend.complete(QUESTION)
    assert "Paris" in answer.text
    assert answer.finish in ("stop", "length")
    assert 10 < answer.usage.prompt_tokens < 100
    assert 0 < answer.usage.completion_tokens <= 24


async def test_a_stream_says_what_a_completion_says(backend):
    whole = await backend.complete(QUESTION)
    chunks = [chunk async for chunk in backend.stream(QUESTION)]
    assert "".join(chunk.text for chunk in chunks) == whole.text
    assert len([chunk for chunk in chunks if chunk.text]) > 2
    assert (chunks[-1].finish, chunks[-1].usage) == (whole.finish, whole.usage)


async def test_the_limit_ends_an_answer(backend):
    answer = await backend.complete(attrs.evolve(QUESTION, max_tokens=2))
    assert (answer.finish, answer.usage.completion_tokens) == ("length", 2)


async def test_tools_are_taken_whether_they_are_used_or_not(backend):
    answer = await backend.complete(attrs.evolve(QUESTION, tools=(ROOM,)))
    assert answer.text or answer.tool_calls


async def test_a_stream_that_is_closed_leaves_the_server_free(backend):
    stream = backend.stream(attrs.evolve(QUESTION, max_tokens=500))
    for _ in range(3):
        await anext(stream)
    await stream.aclose()
    assert (await backend.complete(attrs.evolve(QUESTION, max_tokens=2, total_s=30.0))).finish == "length"


async def test_too_long_a_question_is_refused_in_words(backend):
    long = ChatMessage(role="user", text="and another thing " * 2000)
    with pytest.raises(LLMError, match="context") as caught:
        await backend.complete(attrs.evolve(QUESTION, messages=(long,)))
    assert caught.value.kind == "refused"


async def test_what_the_server_says_of_itself(model_server):
    async with real_egress() as egress:
        kind = TYPES["llamacpp"]
        found = await kind.open(OpenAIConfig(endpoint=model_server.url), egress).probe()
        info = await kind.server_info(model_server.url, None, egress)
    assert (found.max_context, found.multimodal, found.source) == (2048, False, "runtime_api")
    assert (info["status"], info["health"]["status"]) == ("ok", "ok")
    assert (info["server"]["model_name"], info["server"]["n_ctx"]) == (model_server.model, 2048)
    assert info["server"]["total_slots"] == 1
