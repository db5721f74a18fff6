"""A dashboard component: what the platform knows of it is here, how it is drawn is in ``big_number.js``."""

from __future__ import annotations

from neomind_sdk import DashboardComponent, Size

BIG_NUMBER = DashboardComponent(
    type="big-number",
    name="Big number",
    description="The newest value, as large as it gets",
    category="metric",
    icon="Hash",
    size=Size(min_w=2, min_h=1, default_w=3, default_h=2),
    config_schema={
        "type": "object",
        "properties": {"decimals": {"type": "integer", "minimum": 0, "maximum": 6}, "unit": {"type": "string"}},
    },
    default_config={"decimals": 1, "unit": ""},
    bundle="neomind_example:big_number.js",
)
