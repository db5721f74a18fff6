"""Values that templates are tried with when they are saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Anything(float):
    """A number that has every member, which is such a number again."""

    def __getitem__(self, _name: Any) -> Anything:
        return self

    def __iter__(self) -> Iterator[Anything]:
        return iter((self,))

    def __len__(self) -> int:
        return 1


SAMPLES: tuple[Any, ...] = (42.5, "text", True, Anything(42.5), {"a": 1}, [1])
