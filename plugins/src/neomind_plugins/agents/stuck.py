"""Runs that go round in circles."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

SAME_RESULT, SAME_FAILURE, ALTERNATIONS, WINDOW = 4, 3, 2, 20


class StuckDetector:
    """Is told every call; ``reason`` says why going on makes no sense, once it does not.

    That is the same call with the same result four times, the same call failing three times, or two rounds that take
    turns: A, B, A, B, each with the results it had.
    """

    def __init__(self) -> None:
        self._calls: deque[tuple[str, str, bool]] = deque(maxlen=WINDOW)
        self._rounds: deque[tuple[tuple[str, str, bool], ...]] = deque(maxlen=2 * ALTERNATIONS)
        self.reason: str | None = None

    def round(self, calls: Sequence[tuple[str, str, bool]]) -> str | None:
        """Take in the calls of one round, each ``(call, result, ok)`` as text; returns ``reason``."""
        self._calls.extend(calls)
        self._rounds.append(tuple(calls))
        self.reason = self.reason or self._repeated() or self._alternating()
        return self.reason

    def _repeated(self) -> str | None:
        if any(count >= SAME_RESULT for count in Counter(self._calls).values()):
            return "the same call had the same result again and again"
        failed = Counter(call for call, _, ok in self._calls if not ok)
        if any(count >= SAME_FAILURE for count in failed.values()):
            return "the same call failed again and again"
        return None

    def _alternating(self) -> str | None:
        seen = list(self._rounds)
        if len(seen) < 2 * ALTERNATIONS:
            return None
        a, b = seen[0], seen[1]
        turns = a != b and all(each == (b if index % 2 else a) for index, each in enumerate(seen))
        return "two calls take turns without anything new" if turns and a and b else None
