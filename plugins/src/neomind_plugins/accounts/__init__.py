"""People: their accounts, passwords, roles and logins."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="accounts",
    summary="Users with roles, passwords and revocable logins, and the wizard of the first start.",
    requires=("storage",),
    after=("api_keys",),
)
