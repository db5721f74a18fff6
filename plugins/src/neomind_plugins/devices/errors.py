"""Errors of devices."""

from __future__ import annotations

from neomind_sdk import BadRequest


class InvalidDeviceConfig(BadRequest):
    """400 ``INVALID_DEVICE_CONFIG``: a known key of ``connection_config`` has a value that cannot be."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"connection_config.{key}: {problem}", code="INVALID_DEVICE_CONFIG")
