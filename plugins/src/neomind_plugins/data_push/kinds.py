"""The types of targets that plugins contribute."""

from __future__ import annotations

from neomind_sdk import BadRequest, PushTargetType, kinds


class Kinds(kinds.Kinds[PushTargetType]):
    """The types of targets; ``get`` raises ``BadRequest``."""

    hook, word, event = "push_targets", "target type", "push_target_type_unusable"

    def unknown(self, name: str) -> BadRequest:
        return BadRequest(f"target_type: there is no type '{name[:100]}'; installed are: {self.known()}")
