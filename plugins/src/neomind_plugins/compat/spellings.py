"""Second paths of what other plugins serve, and answers whose payload is repeated at the top of the envelope.

Where nobody serves the target, nobody serves the spelling either.
"""

from __future__ import annotations

from neomind_sdk import Alias, Mirror

ALIASES = (
    Alias(path="/device-types", target="/devices/types", subtree=True),
    Alias(path="/devices/{device_id}/telemetry", target="/devices/{device_id}/history"),
    Alias(path="/events/ws", target="/events"),
    Alias(path="/events/stream", target="/events"),
    Alias(path="/extensions/sync", target="/extensions/discover"),
    Alias(path="/messages", target="/messages/send"),
    Alias(path="/share/{token}", target="/dashboards/shared/{token}", subtree=True),
)

# These had no envelope, so that their clients read them without one.
MIRRORED = (
    *("/setup/status", "/setup/initialize", "/setup/complete"),
    *("/health", "/health/status", "/health/live", "/health/ready"),
    *("/auth/login", "/auth/register", "/auth/status", "/auth/verify", "/auth/me", "/auth/logout"),
    *("/auth/change-password", "/auth/keys", "/auth/keys/{id}", "/users", "/users/{username}"),
    *("/onboarding/status", "/onboarding/dismiss", "/onboarding/reset", "/suggestions"),
)
MIRRORS = tuple(Mirror(path=path) for path in MIRRORED)
