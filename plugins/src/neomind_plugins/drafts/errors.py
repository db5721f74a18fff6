"""Errors of drafts."""

from __future__ import annotations

from neomind_sdk import BadRequest, Conflict


class NoType(BadRequest):
    """400: nothing was found from which a type could be made."""

    def __init__(self, ident: str, why: str | None) -> None:
        reason = f" ({why})" if why else ""
        super().__init__(f"The draft '{ident}' has no generated type{reason}", hint="Approve it with existing_type")


class BeingRegistered(Conflict):
    """409: the draft's device is being registered."""

    def __init__(self, ident: str) -> None:
        super().__init__(f"The device of the draft '{ident}' is being registered")
