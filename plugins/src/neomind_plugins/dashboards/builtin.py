"""The kinds of components that the web client itself draws."""

from __future__ import annotations

from typing import Any

from neomind_sdk import DashboardComponent, Size

MANY: dict[str, Any] = {"max_data_sources": None}
ACTING: dict[str, Any] = {"has_actions": True}


def component(
    kind: str, name: str, category: str, icon: str, sizes: tuple[int, int, int, int, int, int], **more: Any
) -> DashboardComponent:
    """``sizes``: least width and height, those at first, the greatest."""
    names = ("min_w", "min_h", "default_w", "default_h", "max_w", "max_h")
    size = Size(**dict(zip(names, sizes, strict=True)))
    return DashboardComponent(type=kind, name=name, category=category, icon=icon, size=size, **more)


COMPONENTS = [
    component("value-card", "Value Card", "indicators", "Hash", (2, 1, 2, 1, 4, 2), **ACTING),
    component("led-indicator", "LED Indicator", "indicators", "Circle", (1, 1, 2, 1, 3, 2)),
    component("sparkline", "Sparkline", "indicators", "TrendingUp", (2, 1, 4, 2, 8, 3)),
    component("progress-bar", "Progress Bar", "indicators", "BarChart3", (2, 1, 4, 1, 12, 3)),
    component("line-chart", "Line Chart", "charts", "LineChart", (4, 3, 6, 4, 12, 8), **MANY),
    component("area-chart", "Area Chart", "charts", "AreaChart", (4, 3, 6, 4, 12, 8), **MANY),
    component("bar-chart", "Bar Chart", "charts", "BarChart", (4, 3, 6, 4, 12, 8), **MANY),
    component("pie-chart", "Pie Chart", "charts", "PieChart", (3, 3, 4, 4, 8, 8), **MANY),
    component("toggle-switch", "Toggle Switch", "controls", "ToggleLeft", (2, 1, 2, 1, 4, 2), **ACTING),
    component("image-display", "Image Display", "display", "Image", (2, 2, 4, 3, 12, 12)),
    component("image-history", "Image History", "display", "Images", (4, 3, 6, 5, 12, 12)),
    component("web-display", "Web Display", "display", "Globe", (3, 3, 6, 4, 12, 12)),
    component("markdown-display", "Markdown Display", "display", "FileText", (2, 2, 4, 3, 12, 12)),
    component("map-display", "Map Display", "spatial", "Map", (4, 3, 6, 4, 12, 12), has_device_binding=True, **MANY),
    component("video-display", "Video Display", "spatial", "Video", (3, 2, 6, 4, 12, 12)),
    component("custom-layer", "Custom Layer", "spatial", "Layers", (2, 2, 6, 4, 12, 12), **MANY),
    component("agent-monitor-widget", "Agent Monitor", "business", "Bot", (4, 4, 6, 5, 12, 8)),
    component("ai-analyst", "AI Analyst", "business", "Sparkles", (3, 3, 4, 5, 8, 8), **MANY),
]
