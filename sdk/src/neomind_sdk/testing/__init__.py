"""The test harness for plugins; it is the one that the platform's own plugins are tested with.

    from neomind_sdk.testing import make_host

    async def test_greeting():
        async with make_host(greeter) as host:
            answer = await host.client(role="viewer").get("/api/hello")
            assert answer.json()["data"] == {"hello": "viewer"}

``make_host``     a real host in strict mode, on a storage in memory, with a clock that the test turns
``needs``         skips a test, and has the skip counted, where a plugin is not installed or is blocked
``VirtualClock``  the clock of the harness
``fake_dist``     an installed distribution that is not one, for tests of what is loaded
``Sink``          a local HTTP server that records requests byte for byte, in ``neomind_sdk.testing.sink``
``suites``        the contract suites; ``strategies`` for Hypothesis; ``egress.FakeEgress``; ``memory`` storage
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clock import VirtualClock
    from .dist import FakeDist, fake_dist
    from .egress import FakeEgress
    from .harness import TestHost, make_host
    from .marks import needs

__all__ = ["FakeDist", "FakeEgress", "TestHost", "VirtualClock", "fake_dist", "make_host", "needs"]

_WHERE = {
    "FakeDist": "dist",
    "FakeEgress": "egress",
    "TestHost": "harness",
    "VirtualClock": "clock",
    "fake_dist": "dist",
    "make_host": "harness",
    "needs": "marks",
}


def __getattr__(name: str) -> Any:
    """Import at first use: collecting tests should not cost the import of a server."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
