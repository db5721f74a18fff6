"""All drafts, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from neomind_sdk import NotFound

from .limits import DRAFTS_MAX, TOTAL_MAX
from .records import Draft


class Shelf:
    """Drafts by device. One whose first sample is still being stored has its place, and is not shown yet."""

    def __init__(self) -> None:
        self._drafts: dict[str, Draft] = {}

    def fill(self, drafts: Iterable[Draft]) -> None:
        self._drafts = {draft.device_id: draft for draft in drafts}

    def get(self, device_id: str) -> Draft | None:
        return self._drafts.get(device_id)

    def require(self, ident: str) -> Draft:
        """The draft of a device, or with this id of its own; raises ``NotFound``."""
        draft = self._drafts.get(ident) or next((item for item in self.all() if item.id == ident), None)
        if draft is None or not draft.samples or draft.closing:
            raise NotFound("DRAFT", ident)
        return draft

    def all(self) -> Sequence[Draft]:
        """The drafts that have samples, in the order of discovery."""
        shown = [draft for draft in self._drafts.values() if draft.samples and not draft.closing]
        return sorted(shown, key=lambda draft: (draft.discovered_ms, draft.device_id))

    def has_room(self, device_id: str) -> bool:
        """Whether the device has a draft, or may get one."""
        return device_id in self._drafts or len(self._drafts) < DRAFTS_MAX

    def has_space(self, size: int) -> bool:
        """Whether so much more may be kept."""
        return size + sum(draft.size for draft in self._drafts.values()) <= TOTAL_MAX

    def put(self, draft: Draft) -> None:
        self._drafts[draft.device_id] = draft

    def holds(self, draft: Draft) -> bool:
        """Whether it is still there."""
        return self._drafts.get(draft.device_id) is draft

    def remove(self, draft: Draft) -> None:
        if self.holds(draft):
            del self._drafts[draft.device_id]
