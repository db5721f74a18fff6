"""How a suite is shown to find a breach: its test is called with a broken object, and must fail in the right words."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest


@pytest.fixture
def breach() -> Callable[..., Awaitable[str]]:
    """``await breach(suite.test_…, "expected text", subject, …)``; returns the whole text of the failure."""

    async def call(test: Any, expected: str, *arguments: Any, **named: Any) -> str:
        suite = test.__self__
        function = getattr(test, "hypothesis", None)
        run = test if function is None else function.inner_test.__get__(suite)
        with pytest.raises(AssertionError) as caught:
            result = run(*arguments, **named)
            if inspect.isawaitable(result):
                await result
        text = str(caught.value)
        assert re.search(expected, text), f"the suite failed, but said: {text}"
        return text

    return call
