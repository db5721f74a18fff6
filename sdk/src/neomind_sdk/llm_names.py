"""What the name of a language model says about it, for servers that do not say it themselves.

Names may carry a namespace and a tag (``Qwen/Qwen2.5-VL-7B-Instruct``, ``llama3.2:3b``); case does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from neomind_core.contracts import Capabilities

__all__ = ["DEFAULT_CONTEXT", "capabilities", "context_of", "sees", "thinks", "uses_tools"]

DEFAULT_CONTEXT = 128_000

# Families of which the makers publish what they can: (name, context, sees, thinks). The first that fits counts.
_REGISTRY: Sequence[tuple[str, int, bool, bool]] = (
    (r"gpt-5(?!.*chat)", 400_000, True, True),
    (r"gpt-4\.1", 1_000_000, True, False),
    (r"gpt-4o|chatgpt-4o|gpt-4-turbo|gpt-5", 128_000, True, False),
    (r"gpt-4(?![\w.])", 8192, False, False),
    (r"gpt-3\.5-turbo-16k", 16_384, False, False),
    (r"gpt-3\.5", 4096, False, False),
    (r"o[13]-mini(?![\w.])", 200_000, False, True),
    (r"o[134](-pro|-mini)?(?![\w.])", 200_000, True, True),
    (r"claude-3[-.]7|claude-(opus|sonnet|haiku)-[4-9]|claude-(fable|mythos)", 200_000, True, True),
    (r"claude-3", 200_000, True, False),
    (r"gemini-(2\.5|[3-9])", 1_000_000, True, True),
    (r"gemini", 1_000_000, True, False),
    (r"deepseek-reasoner", DEFAULT_CONTEXT, False, True),
    (r"deepseek-chat", DEFAULT_CONTEXT, False, False),
)
_CONTEXTS: Sequence[tuple[str, int]] = (
    (r"grok|glm", 128_000),
    (r"minimax|abab", 512_000),
    (r"qwen|qwq", 32_000),
    (r"llama-?3(?!\.[1-9])|gemma-?[12]?(?![\d.])", 8000),
    (r"mistral|mixtral", 32_000),
)
_SEES = re.compile(
    r"vision|llava|moondream|minicpm-v|pixtral|internvl|multimodal|-omni|[-\d]vl(?![a-z])|glm-\d+(\.\d+)?v"
    r"|qwen-?3\.[5-9]|qwen-?[4-9]|gemma-?3(?!.*(:|-)(1b|270m))|gemma-?[4-9]|llama-?4|mistral-small-?3\.[1-9]|grok-[4-9]"
)
_THINKS = re.compile(
    r"qwen-?3(?!.*(coder|instruct))|qwen-?[4-9]|gpt-oss|deepseek-?(r\d|v3\.[1-9]|v[4-9])|qwq|magistral|smollm-?3|glm-(4\.[5-9]|[5-9])"
    r"|grok-3-mini|grok-[4-9](?!.*non-reasoning)|minimax-m|thinking|(?<!non-)reason(ing|er)"
)
_NO_TOOLS = re.compile(
    r"llava|moondream|tinyllama|vicuna|gemma-?[123]?(?![\d.])|smollm-?2?(?!\d)|phi-?[123]|llama-?2|embed|whisper|o1-(mini|preview)"
)


def capabilities(model: str) -> Capabilities:
    """All that the name says; ``source`` is ``registry`` (a published family), ``heuristic`` or ``default``."""
    known = _known(model)
    if known is not None:
        _, context, images, thinking = known
        return Capabilities(
            multimodal=images, thinking=thinking, tools=uses_tools(model), max_context=context, source="registry"
        )
    images, thinking = sees(model), thinks(model)
    guessed = images or thinking or any(re.search(pattern, model.lower()) for pattern, _ in _CONTEXTS)
    return Capabilities(
        multimodal=images,
        thinking=thinking,
        tools=uses_tools(model),
        max_context=context_of(model),
        source="heuristic" if guessed else "default",
    )


def sees(model: str) -> bool:
    """Whether the model takes images."""
    known = _known(model)
    return known[2] if known else _SEES.search(model.lower()) is not None


def thinks(model: str) -> bool:
    """Whether the model can think before it answers."""
    known = _known(model)
    return known[3] if known else _THINKS.search(model.lower()) is not None


def uses_tools(model: str) -> bool:
    """Whether the model can call tools: all but those known not to."""
    return _NO_TOOLS.search(model.lower()) is None


def context_of(model: str) -> int:
    """How many tokens the model takes in at most; ``DEFAULT_CONTEXT`` for a name that says nothing."""
    known = _known(model)
    if known:
        return known[1]
    name = model.lower()
    return next((size for pattern, size in _CONTEXTS if re.search(pattern, name)), DEFAULT_CONTEXT)


def _known(model: str) -> tuple[str, int, bool, bool] | None:
    name = model.lower().rpartition("/")[2]
    return next((row for row in _REGISTRY if re.match(row[0], name)), None)
