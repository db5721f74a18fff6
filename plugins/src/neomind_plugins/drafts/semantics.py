"""What a value is, by the words of its name."""

from __future__ import annotations

import re
from collections.abc import Iterable

import attrs

from .findings import UNKNOWN


@attrs.frozen
class Semantic:
    """``words`` begin a word of the name; a ``measured`` quantity is a float even where it was whole so far."""

    name: str
    words: tuple[str, ...]
    unit: str = ""
    category: str = UNKNOWN
    measured: bool = False


CLIMATE, AIR, ENERGY, LIGHT, MOTION, FLUID = "climate", "air_quality", "energy", "lighting", "motion", "fluid"
SEMANTICS = (
    Semantic("battery", ("batt", "vbat"), "%"),
    Semantic("rssi", ("rssi",), "dBm"),
    Semantic("alarm", ("alarm",)),
    Semantic("error", ("error", "err", "fault")),
    Semantic("status", ("status",)),
    Semantic("co2", ("co2",), "ppm", AIR, measured=True),
    Semantic("pm25", ("pm25",), "µg/m³", AIR, measured=True),
    Semantic("voc", ("voc", "tvoc"), "ppb", AIR, measured=True),
    Semantic("temperature", ("temp",), "°C", CLIMATE, measured=True),
    Semantic("humidity", ("hum",), "%", CLIMATE, measured=True),
    Semantic("pressure", ("press",), "hPa", CLIMATE, measured=True),
    Semantic("dimmer", ("dimmer",), "%", LIGHT),
    Semantic("color", ("color", "colour"), "", LIGHT),
    Semantic("switch", ("switch", "relay"), "", LIGHT),
    Semantic("illuminance", ("lux", "illum", "light"), "lx", LIGHT, measured=True),
    Semantic("motion", ("motion", "pir"), "", MOTION),
    Semantic("energy", ("energy", "kwh"), "kWh", ENERGY, measured=True),
    Semantic("power", ("power", "watt"), "W", ENERGY, measured=True),
    Semantic("speed", ("speed",), "m/s", MOTION, measured=True),
    Semantic("flow", ("flow",), "L/min", FLUID, measured=True),
    Semantic("level", ("level",), "%", FLUID, measured=True),
)
NOTHING = Semantic(UNKNOWN, ())
LABELS = {
    CLIMATE: "Climate sensor",
    AIR: "Air quality sensor",
    ENERGY: "Energy meter",
    LIGHT: "Light",
    MOTION: "Motion sensor",
    FLUID: "Flow or level sensor",
    UNKNOWN: "Device",
}
VAGUE = frozenset({"value", "val", "v", "data", "current", "avg", "mean", "raw", "reading", "level", "percent", "pct"})
"""Last steps of paths that say little: then the step before is looked at too."""

_BY_NAME = {semantic.name: semantic for semantic in SEMANTICS}
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[a-z0-9]+")
_APART = re.compile(r"pm_?2[_.]?5")


def semantic_of(path: str, data_type: str) -> Semantic:
    """``sensors.batteryLevel`` -> battery. A quantity that is measured cannot be a boolean or an array."""
    words = words_of(path)
    found = next((semantic for semantic in SEMANTICS if _said(semantic, words)), NOTHING)
    return NOTHING if found.measured and data_type in ("boolean", "array") else found


def _said(semantic: Semantic, words: Iterable[str]) -> bool:
    return any(word.startswith(semantic.words) for word in words)


def words_of(path: str) -> list[str]:
    """The words of the last step of a path, and of the steps before as long as they say little."""
    words: list[str] = []
    for step in reversed(path.split(".")):
        said = _WORD.findall(_APART.sub("pm25", _HUMP.sub(" ", step).lower()))
        words += said
        if not set(said) <= VAGUE:
            break
    return words


def category_of(semantics: Iterable[str]) -> str:
    """The category that most of the values speak for; of two that are even, the first in the table."""
    votes = [_BY_NAME[name].category for name in semantics if name in _BY_NAME]
    known = [vote for vote in votes if vote != UNKNOWN]
    order = list(LABELS)
    return max(known, key=lambda vote: (known.count(vote), -order.index(vote)), default=UNKNOWN)


def is_measured(name: str) -> bool:
    return name in _BY_NAME and _BY_NAME[name].measured
