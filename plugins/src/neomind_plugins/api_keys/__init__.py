"""Keys for programs: made by administrators, limited in what they may do and for how long.

A first start makes no key, other than in the reference implementation, which prints one with all rights to the console:
what is printed there stands in logs for years. Keys are made over the REST API, by ``neomind key create``, or given by
the environment variable ``NEOMIND_API_KEY``.
"""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="api_keys",
    summary="API keys for programs, with permissions and an expiry date.",
    requires=("storage",),
)
