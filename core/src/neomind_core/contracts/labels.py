"""Words for people."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Label:
    """What a type is called in lists; ``name_zh`` and ``description_zh`` are the Chinese texts, ``icon`` a name."""

    name: str
    description: str = ""
    name_zh: str = ""
    description_zh: str = ""
    icon: str = ""
