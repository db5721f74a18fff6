"""Thoughts that a server leaves inside the text, between ``<think>`` and ``</think>`` at its beginning."""

from __future__ import annotations

from collections.abc import Callable

OPEN, CLOSE = "<think>", "</think>"
Step = Callable[[], tuple[str, str]]


class ThoughtSplitter:
    """Takes the text in pieces cut anywhere; the text behind the thoughts loses its leading blanks."""

    def __init__(self) -> None:
        self._held = ""
        self._step: Step = self._at_the_start

    def feed(self, piece: str) -> tuple[str, str]:
        """``(text, thinking)`` that are certain by now."""
        self._held += piece
        return self._step()

    def end(self) -> tuple[str, str]:
        """What was held back, for it might have been the beginning of a mark."""
        held, self._held = self._held, ""
        return ("", held) if self._step == self._inside else (held, "")

    def _at_the_start(self) -> tuple[str, str]:
        text = self._held.lstrip()
        if len(text) < len(OPEN) and OPEN.startswith(text):
            return "", ""
        if not text.startswith(OPEN):
            return self._go(self._behind)
        self._held = text.removeprefix(OPEN)
        return self._go(self._inside)

    def _inside(self) -> tuple[str, str]:
        thinking, mark, rest = self._held.partition(CLOSE)
        if mark:
            self._held = rest
            text, _ = self._go(self._in_between)
            return text, thinking
        sure = len(thinking) - _overlap(thinking)
        self._held = thinking[sure:]
        return "", thinking[:sure]

    def _in_between(self) -> tuple[str, str]:
        self._held = self._held.lstrip()
        return self._go(self._behind) if self._held else ("", "")

    def _behind(self) -> tuple[str, str]:
        text, self._held = self._held, ""
        return text, ""

    def _go(self, step: Step) -> tuple[str, str]:
        self._step = step
        return step()


def _overlap(text: str) -> int:
    """How many characters at the end of ``text`` may be the beginning of ``CLOSE``."""
    return next((size for size in range(len(CLOSE) - 1, 0, -1) if text.endswith(CLOSE[:size])), 0)
