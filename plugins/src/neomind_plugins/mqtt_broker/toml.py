"""The broker's own configuration file."""

from __future__ import annotations

import json
from collections.abc import Mapping

import attrs

from .models import Config
from .ports import LOOPBACK

# Per filter that somebody subscribed to, the broker keeps so much in memory for those who are slow; then it forgets.
SEGMENT_BYTES = 16 * 1024 * 1024
SEGMENTS = 8
INFLIGHT = 500
PACKETS = 500
CONNECT_MS = 10_000


@attrs.frozen(kw_only=True)
class Inside:
    """The listener for our own client: on the loopback interface, with a password that is new at every start."""

    port: int
    client_id: str
    username: str
    password: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Tls:
    cert_path: str
    key_path: str


def broker_toml(config: Config, inside: Inside, users: Mapping[str, str], tls: Tls | None) -> str:
    """The file as text; ``users`` maps names to passwords and counts only when the configuration wants credentials."""
    router = {
        "id": 0,
        "max_connections": config.max_connections + 10,
        "max_outgoing_packet_count": PACKETS,
        "max_segment_size": SEGMENT_BYTES,
        "max_segment_count": SEGMENTS,
    }
    parts = ["id = 0", *section("router", router)]
    parts += listener("1", address(config.listen, config.port), config)
    parts += section("v4.1.connections.auth", users) if config.auth_enabled else []
    parts += section("v4.1.tls", {"certpath": tls.cert_path, "keypath": tls.key_path}) if tls else []
    parts += listener("2", address(LOOPBACK, inside.port), config)
    parts += section("v4.2.connections.auth", {inside.username: inside.password})
    return "\n".join(parts) + "\n"


def listener(number: str, listen: str, config: Config) -> list[str]:
    connections = {
        "connection_timeout_ms": CONNECT_MS,
        "max_payload_size": config.max_payload_size,
        "max_inflight_count": INFLIGHT,
        "dynamic_filters": True,
    }
    server = section(f"v4.{number}", {"name": f"v4-{number}", "listen": listen, "next_connection_delay_ms": 1})
    return [*server, *section(f"v4.{number}.connections", connections)]


def section(name: str, values: Mapping[str, object]) -> list[str]:
    # JSON's strings are TOML's basic strings where neither control characters nor lone surrogates are about.
    return [f"[{name}]", *(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in values.items())]


def address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
