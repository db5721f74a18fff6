"""Templates: layouts to begin with, and the two dashboards that are there without being kept."""

from __future__ import annotations

from typing import Any

from .models import DEFAULT_LAYOUT, Template, TemplateNeeds
from .records import Dashboard

OVERVIEW, BLANK = "overview", "blank"
TEMPLATES = (
    Template(
        id=OVERVIEW,
        name="Overview",
        description="How devices, agents and rules are doing",
        category="overview",
        icon="LayoutDashboard",
        layout=DEFAULT_LAYOUT,
        components=[],
        required_resources=TemplateNeeds(devices=1, agents=1, rules=0),
    ),
    Template(
        id=BLANK,
        name="Blank Canvas",
        description="An empty dashboard",
        category="custom",
        icon="Square",
        layout=DEFAULT_LAYOUT,
        components=[],
        required_resources=TemplateNeeds(devices=0, agents=0, rules=0),
    ),
)
BY_ID = {template.id: template for template in TEMPLATES}


def dashboard(template_id: str, now_ms: int) -> Dashboard | None:
    """The dashboard that a template is shown as; ``None`` when there is no such template."""
    template = BY_ID.get(template_id)
    if template is None:
        return None
    default: dict[str, Any] = {"is_default": True} if template_id == OVERVIEW else {}
    return Dashboard(
        id=template.id,
        name=template.name,
        layout=template.layout.plain(),
        components=[],
        created_ms=now_ms,
        updated_ms=now_ms,
        **default,
    )
