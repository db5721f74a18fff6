"""Where a mail server is, in words that the platform's egress policy understands."""

from __future__ import annotations

# SMTP knows no paths. With this one, which nobody is ever asked for, a policy that is for HTTP also refuses the port
# at which the platform itself takes readings in.
PATH = "/api/devices/webhook"


def as_url(host: str, port: int) -> str:
    """The URL to check before ``host`` is connected to; ``host`` is a name, or an address of any version."""
    return f"http://[{host}]:{port}{PATH}" if ":" in host else f"http://{host}:{port}{PATH}"
