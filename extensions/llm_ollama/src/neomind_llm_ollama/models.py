"""The configuration of a backend."""

from __future__ import annotations

import attrs

from neomind_sdk import fields


@attrs.frozen(kw_only=True)
class OllamaConfig:
    """A model that Ollama serves. Sampling and thinking come with each request."""

    endpoint: str | None = fields.text(
        max=2048,
        pattern=r"(https?://[^\s?#]+)?",
        default=None,
        doc="The URL of the server; absent: http://localhost:11434",
    )
    model: str = fields.text(max=256, converter=str.strip, default="", doc="Name and tag, as `ollama list` shows them")
    api_key: str = fields.secret(
        max=1000, converter=str.strip, default="", doc="Sent as a bearer token where a proxy wants one"
    )
