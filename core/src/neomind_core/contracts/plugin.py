"""What a plugin says about itself, and what the host says about a plugin."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import attrs

ENTRY_POINT_GROUP = "neomind.plugins"


@attrs.frozen(kw_only=True)
class Plugin:
    """The metadata of a plugin; the object an entry point of the group ``neomind.plugins`` points at.

    ``name``      equals the entry point's name: lower case letters, digits and ``_``
    ``summary``   one sentence, shown by ``neomind plugins`` and ``/api/extensions``
    ``requires``  names (of plugins, or of what a plugin ``provides``) without which this plugin does not start
    ``after``     names that start earlier when they are there, and may be missing
    ``provides``  further names that this plugin satisfies in somebody's ``requires``, e.g. ``storage``
    ``hooks``     where the hook implementations are: an object, or a module's dotted path; by default the module
                  ``hooks`` beside the plugin's ``__init__``, or the plugin's own module when that is a single file
    """

    name: str
    summary: str
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    hooks: Any = None
    version: str | None = None
    author: str | None = None


class Status(str, Enum):
    """Where a plugin ended on its way from being found to running; every status comes with a reason."""

    FOUND = "found"
    BLOCKED = "blocked"
    INCOMPATIBLE = "incompatible"
    IMPORT_ERROR = "import_error"
    MANIFEST_ERROR = "manifest_error"
    MISSING_REQUIREMENT = "missing_requirement"
    CONFLICT = "conflict"
    CONFIG_ERROR = "config_error"
    SELF_CHECK_FAILED = "self_check_failed"
    ENABLED = "enabled"
    FAILED_AT_RUN = "failed_at_run"


@attrs.frozen(kw_only=True)
class PluginInfo:
    """A read-only view of the host's record of one plugin.

    ``since_ms`` is when the status was reached; ``contributions`` maps a kind (``routes``, ``channels`` …) to names.
    """

    name: str
    status: Status
    reason: str
    distribution: str
    version: str
    first_party: bool
    summary: str = ""
    author: str | None = None
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    location: str | None = None
    since_ms: int = 0
    contributions: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)


class PluginUnavailable(Exception):
    """Raised from an assembling hook to say, in one sentence, why the plugin cannot work here.

    The plugin gets the status ``self_check_failed`` with that sentence as the reason; everything else starts.
    """
