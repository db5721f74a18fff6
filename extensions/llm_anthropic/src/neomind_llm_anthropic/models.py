"""The configuration of a backend."""

from __future__ import annotations

import attrs

from neomind_sdk import fields


@attrs.frozen(kw_only=True)
class AnthropicConfig:
    """A Claude model. Sampling and thinking come with each request."""

    endpoint: str | None = fields.text(
        max=2048,
        pattern=r"(https?://[^\s?#]+)?",
        default=None,
        doc="The URL up to /messages; absent: https://api.anthropic.com/v1",
    )
    model: str = fields.text(max=256, converter=str.strip, default="", doc="The name of the model")
    api_key: str = fields.secret(max=1000, converter=str.strip, default="", doc="A key from the Claude Console")
