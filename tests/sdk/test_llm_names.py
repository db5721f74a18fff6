"""What names of models say."""

import pytest

from neomind_sdk import Capabilities, llm_names


@pytest.mark.parametrize(
    "name",
    [
        "Qwen/Qwen2.5-VL-7B-Instruct",
        "qwen2.5vl:7b",
        "llama3.2-vision:11b",
        "llava:13b",
        "moondream",
        "minicpm-v:8b",
        "pixtral-12b-2409",
        "OpenGVLab/InternVL3-8B",
        "glm-4v-plus",
        "glm-4.5v",
        "qwen3.5:4b",
        "qwen4:8b",
        "gemma3:4b",
        "hf.co/unsloth/gemma-3-27b-it-GGUF:Q4_K_M",
        "gpt-4o-mini",
        "gpt-4.1-nano",
        "claude-3-5-sonnet-20241022",
        "claude-opus-4-7",
        "models/gemini-1.5-flash",
        "grok-4.3",
        "mistral-small3.2",
        "llama4:scout",
    ],
)
def test_models_that_see(name):
    assert llm_names.sees(name)
    assert llm_names.capabilities(name).multimodal


@pytest.mark.parametrize(
    "name",
    [
        "qwen3:8b",
        "qwen2.5:7b",
        "llama3.2:3b",
        "gemma3:1b",
        "gemma-3-270m-it",
        "gemma2",
        "gpt-4",
        "gpt-3.5-turbo",
        "o3-mini",
        "grok-beta",
        "deepseek-chat",
        "glm-4-flash",
        "abab6.5s-chat",
        "mistral:7b",
        "phi3:mini",
        "",
        "vlad",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
    ],
)
def test_models_that_do_not(name):
    assert not llm_names.sees(name)


@pytest.mark.parametrize(
    "name",
    [
        "qwen3:8b",
        "Qwen/Qwen3-30B-A3B-Thinking-2507",
        "gpt-oss:20b",
        "deepseek-r1:7b",
        "deepseek-reasoner",
        "qwq",
        "phi4-reasoning",
        "o1",
        "o3-mini",
        "o4-mini-2025-04-16",
        "gpt-5-mini",
        "claude-3-7-sonnet-20250219",
        "claude-sonnet-4-5",
        "gemini-2.5-flash",
        "glm-4.6",
        "magistral",
        "qwen3.5:4b",
    ],
)
def test_models_that_think(name):
    assert llm_names.thinks(name)


@pytest.mark.parametrize(
    "name",
    [
        "qwen2.5:7b",
        "qwen3-coder:30b",
        "qwen3-4b-instruct-2507",
        "llama3.2",
        "gpt-4o",
        "gpt-5-chat-latest",
        "claude-3-5-sonnet-20241022",
        "gemini-1.5-flash",
        "glm-4-flash",
        "grok-4-fast-non-reasoning",
        "mistral",
        "deepseek-chat",
        "foo1",
        "polo3",
        "",
    ],
)
def test_models_that_answer_at_once(name):
    assert not llm_names.thinks(name)


@pytest.mark.parametrize(
    ("name", "context"),
    [
        ("gpt-4o", 128_000),
        ("gpt-4-turbo-2024-04-09", 128_000),
        ("gpt-4", 8192),
        ("gpt-4-0613", 8192),
        ("gpt-3.5-turbo", 4096),
        ("gpt-3.5-turbo-16k", 16_384),
        ("claude-3-haiku-20240307", 200_000),
        ("gemini-1.5-pro", 1_000_000),
        ("grok-beta", 128_000),
        ("glm-4-flash", 128_000),
        ("abab6.5s-chat", 512_000),
        ("MiniMax-M2", 512_000),
        ("qwen-plus", 32_000),
        ("llama3:8b", 8000),
        ("llama3.1:8b", 128_000),
        ("gemma:7b", 8000),
        ("gemma2:9b", 8000),
        ("gemma3:4b", 128_000),
        ("mistral:7b", 32_000),
        ("whatever", 128_000),
        ("", 128_000),
    ],
)
def test_contexts(name, context):
    assert llm_names.context_of(name) == context
    assert llm_names.capabilities(name).max_context == context


@pytest.mark.parametrize(
    ("name", "tools"),
    [
        ("llama3.1", True),
        ("qwen3:8b", True),
        ("gpt-4o", True),
        ("llava:7b", False),
        ("gemma2", False),
        ("SmolLM2-135M", False),
    ],
)
def test_tools(name, tools):
    assert llm_names.uses_tools(name) is tools


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("gpt-4o", "registry"),
        ("qwen3:8b", "heuristic"),
        ("mistral", "heuristic"),
        ("whatever", "default"),
        ("", "default"),
    ],
)
def test_it_says_how_it_knows(name, source):
    assert llm_names.capabilities(name).source == source


def test_everything_at_once():
    wanted = Capabilities(multimodal=True, thinking=True, tools=True, max_context=32_000, source="heuristic")
    assert llm_names.capabilities("qwen3.5:4b") == wanted
