"""An ``Egress`` that sends nothing: it records requests and answers as it is told."""

from __future__ import annotations

import asyncio
import json as jsonlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs

from neomind_core.contracts import UNTRUSTED, EgressBlocked, EgressFailed, HttpAnswer


@attrs.frozen(kw_only=True)
class SentRequest:
    """A request that would have gone out. ``headers`` have lower-case names, ``body`` is what was to be sent."""

    method: str
    url: str
    trust: str
    headers: Mapping[str, str]
    body: bytes
    timeout_s: float

    def json(self) -> Any:
        """The body as JSON."""
        return jsonlib.loads(self.body)


@attrs.frozen(kw_only=True)
class Scripted:
    """What one request gets: an answer, an exception, or nothing until it is cancelled."""

    answer: HttpAnswer = attrs.field(factory=lambda: HttpAnswer(status=200, headers={}, body=b""))
    chunks: tuple[bytes, ...] | None = None
    error: Exception | None = None
    hangs: bool = False


class FakeEgress:
    """The ``Egress`` for tests.

    Answers are given in the order in which they were scripted; the last one stays. Nothing scripted: 200, empty.
    ``requests`` are what was sent, ``checked`` the URLs that were asked about, ``cancelled`` counts abandoned requests;
    ``asked`` is set from the first request on.
    """

    def __init__(self) -> None:
        self.requests: list[SentRequest] = []
        self.checked: list[str] = []
        self.blocked: set[str] = set()
        self.cancelled = 0
        self.asked = asyncio.Event()
        self._script: list[Scripted] = []
        self._last = Scripted()

    def answer(
        self,
        status: int = 200,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | str = b"",
        json: Any = None,
        chunks: Sequence[bytes] | None = None,
    ) -> FakeEgress:
        """Script an answer; ``json`` instead of ``body``, ``chunks`` for how a stream arrives."""
        raw = jsonlib.dumps(json).encode() if json is not None else body.encode() if isinstance(body, str) else body
        raw = b"".join(chunks) if chunks is not None else raw
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        answer = HttpAnswer(status=status, headers=lower, body=raw)
        return self._add(Scripted(answer=answer, chunks=None if chunks is None else tuple(chunks)))

    def fail(self, error: Exception | str = "the target did not answer in time") -> FakeEgress:
        """Script a failure: a text is an ``EgressFailed``."""
        return self._add(Scripted(error=EgressFailed(error) if isinstance(error, str) else error))

    def hang(self) -> FakeEgress:
        """Script a request that gets no answer until its caller gives up."""
        return self._add(Scripted(hangs=True))

    def block(self, url: str) -> FakeEgress:
        """Refuse every URL that starts with ``url``, as the policy would."""
        self.blocked.add(url)
        return self

    async def request(
        self,
        method: str,
        url: str,
        *,
        trust: str = UNTRUSTED,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: Any = None,
        timeout_s: float = 30.0,
        max_bytes: int = 1024 * 1024,
    ) -> HttpAnswer:
        sent = _sent(method, url, headers, content, json)
        scripted = await self._next(attrs.evolve(sent, trust=trust, timeout_s=timeout_s))
        if len(scripted.answer.body) > max_bytes:
            raise EgressFailed(f"the target answered with more than {max_bytes} bytes")
        return scripted.answer

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        trust: str = UNTRUSTED,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        timeout_s: float = 300.0,
    ) -> AsyncIterator[FakeStream]:
        sent = _sent(method, url, headers, None, json)
        yield FakeStream(await self._next(attrs.evolve(sent, trust=trust, timeout_s=timeout_s)))

    async def check(self, url: str, *, trust: str = UNTRUSTED) -> None:
        self.checked.append(url)
        self._refuse(url)

    def _add(self, scripted: Scripted) -> FakeEgress:
        self._script.append(scripted)
        return self

    def _refuse(self, url: str) -> None:
        if any(url.startswith(start) for start in self.blocked):
            raise EgressBlocked("The target may not be reached")

    async def _next(self, sent: SentRequest) -> Scripted:
        self._refuse(sent.url)
        self.requests.append(sent)
        self.asked.set()
        self._last = self._script.pop(0) if self._script else self._last
        if self._last.hangs:
            await self._hang()
        if self._last.error is not None:
            raise self._last.error
        return self._last

    async def _hang(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


class FakeStream:
    """The ``HttpStream`` of a scripted answer."""

    def __init__(self, scripted: Scripted) -> None:
        self.status = scripted.answer.status
        self.headers = scripted.answer.headers
        self._pieces = scripted.chunks if scripted.chunks is not None else (scripted.answer.body,)

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await asyncio.sleep(0)
            yield piece


def _sent(method: str, url: str, headers: Mapping[str, str] | None, content: bytes | None, json: Any) -> SentRequest:
    lower = {name.lower(): value for name, value in (headers or {}).items()}
    if content is None and json is not None:
        content = jsonlib.dumps(json, allow_nan=False, ensure_ascii=False).encode()
        lower.setdefault("content-type", "application/json")
    body = content or b""
    return SentRequest(method=method.upper(), url=url, trust=UNTRUSTED, headers=lower, body=body, timeout_s=0)
