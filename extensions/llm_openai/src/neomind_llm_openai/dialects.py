"""Where services that speak the protocol differ: the names of limits, sampling, and how thinking is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Wish:
    """What is wanted of a model's thinking. ``resumes``: the conversation has calls of tools in it."""

    model: str
    thinking: bool | None = None
    effort: str | None = None
    resumes: bool = False


def nothing(wish: Wish) -> dict[str, Any]:
    """Servers of which nothing is known get no field that they might refuse."""
    return {}


@attrs.frozen(kw_only=True)
class Dialect:
    """``limit`` is the field of the token limit, ``usage`` whether a stream must be asked for its usage.

    ``unsampled`` are models that refuse temperature and top_p, ``thinkers`` those that can think though their names do
    not say so, ``efforts`` the levels of it; ``thinks_in_streams``: thinking needs a stream.
    """

    limit: str = "max_tokens"
    usage: bool = True
    top_k: bool = False
    unsampled: re.Pattern[str] | None = None
    thinkers: re.Pattern[str] | None = None
    efforts: tuple[str, ...] = ()
    thinks_in_streams: bool = False
    thinking: Callable[[Wish], dict[str, Any]] = nothing

    def samples(self, model: str) -> bool:
        return self.unsampled is None or self.unsampled.match(model.lower()) is None


_LEVELS = ("low", "medium", "high")
_REASONING = re.compile(r"o\d(?![\w.])|gpt-5(?!.*chat)|gpt-[6-9]")
_GROK = re.compile(r"grok-(3-mini|4\.[3-9]|[5-9])")
_GEMINI = re.compile(r"(models/)?gemini-(2\.5|[3-9])")
_QWEN = re.compile(r"qwen-?[3-9]|qwen-(plus|flash|turbo)|qwq")
_GLM = re.compile(r"glm-(4\.[5-9]|[5-9])")


def _openai(wish: Wish) -> dict[str, Any]:
    asked = wish.effort and wish.thinking is not False and _REASONING.match(wish.model)
    return {"reasoning_effort": wish.effort} if asked else {}


def _xai(wish: Wish) -> dict[str, Any]:
    asked = wish.effort and wish.thinking is not False and _GROK.match(wish.model)
    return {"reasoning_effort": "high" if wish.effort in ("xhigh", "max") else wish.effort} if asked else {}


def _google(wish: Wish) -> dict[str, Any]:
    if not _GEMINI.match(wish.model):
        return {}
    if wish.thinking is False:
        # Pro and the third generation cannot be kept from thinking.
        return {"reasoning_effort": "none"} if "2.5" in wish.model and "pro" not in wish.model else {}
    return {"reasoning_effort": "high" if wish.effort in ("xhigh", "max") else wish.effort} if wish.effort else {}


def _qwen(wish: Wish) -> dict[str, Any]:
    if wish.thinking is None or not _QWEN.search(wish.model):
        return {}
    return {"enable_thinking": wish.thinking}


def _deepseek(wish: Wish) -> dict[str, Any]:
    """After a call of a tool the service wants its own thoughts back, which nobody has kept: it goes on without."""
    if wish.thinking is None:
        return {"thinking": {"type": "disabled"}} if wish.resumes else {}
    thinks = wish.thinking and not wish.resumes
    wanted: dict[str, Any] = {"thinking": {"type": "enabled" if thinks else "disabled"}}
    return wanted | ({"reasoning_effort": wish.effort} if thinks and wish.effort else {})


def _glm(wish: Wish) -> dict[str, Any]:
    if wish.thinking is None or not _GLM.match(wish.model):
        return {}
    return {"thinking": {"type": "enabled" if wish.thinking else "disabled"}}


def _llamacpp(wish: Wish) -> dict[str, Any]:
    return {} if wish.thinking is None else {"chat_template_kwargs": {"enable_thinking": wish.thinking}}


COMPATIBLE = Dialect()
OPENAI = Dialect(limit="max_completion_tokens", unsampled=_REASONING, efforts=_LEVELS, thinking=_openai)
LLAMACPP = Dialect(top_k=True, thinking=_llamacpp)
GOOGLE = Dialect(efforts=_LEVELS, thinking=_google)
XAI = Dialect(limit="max_completion_tokens", efforts=("low", "high"), thinking=_xai)
QWEN = Dialect(top_k=True, thinkers=_QWEN, thinks_in_streams=True, thinking=_qwen)
DEEPSEEK = Dialect(thinkers=re.compile("deepseek"), efforts=("low", "high", "max"), thinking=_deepseek)
GLM = Dialect(usage=False, thinking=_glm)
MINIMAX = Dialect(limit="max_completion_tokens")
