"""The operations of the reference page, and which plugins serve each.

``test_page.py`` compares this list with the page where that is at hand.
"""

from __future__ import annotations

import attrs

PUBLIC, KEY = "public", "key"


@attrs.frozen
class Operation:
    """One row of the page. ``path`` has parameters as the page writes them, ``:id``.

    ``auth``     ``PUBLIC`` or ``KEY``: any user session or API key
    ``plugins``  who serves it, and who else must run for it to succeed
    """

    group: str
    method: str
    path: str
    auth: str
    plugins: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def shape(self) -> str:
        """The path with all parameters alike."""
        return "/".join("{}" if part.startswith(":") else part for part in self.path.split("/"))


def _group(group: str, rows: str, *plugins: str, auth: str = KEY) -> list[Operation]:
    """``rows`` are lines of a method and a path; ``!`` makes one public, ``+name`` adds a plugin."""
    found = []
    for row in filter(None, map(str.strip, rows.splitlines())):
        method, path, *marks = row.split()
        more = tuple(mark[1:] for mark in marks if mark.startswith("+"))
        found.append(Operation(group, method, path, PUBLIC if "!" in marks else auth, (*plugins, *more)))
    return found


OPERATIONS = (
    *_group(
        "auth", "POST /auth/login\nPOST /auth/register\nGET /auth/status\nGET /auth/verify", "accounts", auth=PUBLIC
    ),
    *_group(
        "devices",
        """
        GET /devices
        POST /devices
        GET /devices/:id
        PUT /devices/:id
        DELETE /devices/:id
        GET /devices/:id/history +telemetry
        POST /devices/:id/control +commands +transport_mqtt +mqtt_broker
        POST /devices/:id/webhook ! +transport_webhook
        GET /devices/types
        POST /devices/types
        GET /devices/drafts +drafts
        POST /devices/drafts/:id/approve +drafts +transport_webhook
        """,
        "devices",
    ),
    *_group(
        "dashboards",
        """
        GET /dashboards
        POST /dashboards
        GET /dashboards/:id
        PUT /dashboards/:id
        DELETE /dashboards/:id
        POST /dashboards/:id/share
        GET /dashboards/shared/:token !
        """,
        "dashboards",
    ),
    *_group(
        "rules",
        """
        GET /rules
        POST /rules +messages
        GET /rules/:id +messages
        PUT /rules/:id +messages
        DELETE /rules/:id +messages
        POST /rules/:id/test +messages
        """,
        "rules",
    ),
    *_group(
        "agents",
        """
        GET /agents
        POST /agents
        GET /agents/:id
        PUT /agents/:id
        DELETE /agents/:id
        POST /agents/:id/status
        GET /agents/:id/executions
        """,
        "agents",
    ),
    *_group(
        "llm backends",
        """
        GET /llm-backends
        POST /llm-backends +llm_openai
        GET /llm-backends/:id +llm_openai
        PUT /llm-backends/:id +llm_openai
        DELETE /llm-backends/:id +llm_openai
        PATCH /llm-backends/:id/capabilities +llm_openai
        """,
        "llm",
    ),
    *_group(
        "messages",
        """
        GET /messages
        GET /messages/channels
        POST /messages/channels +channel_webhook
        PUT /messages/channels/:id +channel_webhook
        DELETE /messages/channels/:id +channel_webhook
        POST /messages/channels/:id/test +channel_webhook
        POST /messages/send
        """,
        "messages",
    ),
    *_group(
        "extensions",
        """
        GET /extensions !
        GET /extensions/types !
        POST /extensions/discover
        GET /extensions/:id
        GET /extensions/:id/health
        GET /extensions/:id/commands
        POST /extensions/:id/commands/:cmd +example
        GET /extensions/:id/components !
        """,
        "extension_admin",
    ),
    *_group(
        "data push",
        """
        GET /data-push
        POST /data-push
        GET /data-push/:id
        PUT /data-push/:id
        DELETE /data-push/:id
        POST /data-push/:id/test
        POST /data-push/:id/start
        POST /data-push/:id/stop
        GET /data-push/:id/logs
        """,
        "data_push",
    ),
    *_group("system", "GET /settings/*", "settings"),
    *_group("system", "GET /system/info\nGET /system/network-info !", "system"),
    *_group("public", "GET /health\nGET /health/status\nGET /health/live\nGET /health/ready", "system", auth=PUBLIC),
    *_group("public", "GET /setup/*", "accounts", auth=PUBLIC),
    *_group("public", "GET /llm-backends/types", "llm", auth=PUBLIC),
    *_group("public", "GET /messages/channels/types", "messages", auth=PUBLIC),
    *_group(
        "public",
        "GET /capabilities\nGET /capabilities/:name\nGET /tools",
        "extension_admin",
        auth=PUBLIC,
    ),
    *_group("realtime", "GET /events", "realtime"),
)

# Open routes that look at the credential themselves, and answer 401 when it does not hold.
CHECKS_ITSELF = frozenset({"GET /auth/verify"})
WILDCARDS = {"/settings/*": "/settings/timezone", "/setup/*": "/setup/status"}
