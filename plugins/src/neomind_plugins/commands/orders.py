"""From what somebody wants of a device to a command that may be kept: checked, and its payload written."""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from neomind_sdk import ApiError, BadRequest, CommandDef, Device, DeviceDirectory, ImageFiles, NotFound

from .errors import BadParameter, CannotBeSent
from .kept import Order
from .models import CommandSettings
from .parameters import Checked, check
from .patterns import first_failure
from .templates import Template, compile_template

Params = Mapping[str, Any]
_IMAGE = re.compile(r"/api/images/([^/]+)/([^/]+)/([^/]+)")


class Orders:
    """Checks against the device's type of the moment; ``find_images`` returns where pictures are kept, if anywhere."""

    def __init__(
        self,
        directory: DeviceDirectory,
        settings: Callable[[], CommandSettings],
        find_images: Callable[[], ImageFiles | None],
    ) -> None:
        self._directory = directory
        self._settings = settings
        self._find_images = find_images
        self._templates: dict[tuple[str, str], Template] = {}

    async def prepare(self, device_id: str, name: str, params: Params) -> Order:
        """The order; raises ``NotFound``, ``BadRequest`` and ``ValidationFailed``. Nothing is kept or sent."""
        device, command = self.look_up(device_id, name)
        checked = check(command, params)
        failure = await first_failure(checked.trials)
        if failure is not None:
            raise BadParameter(*failure)
        values = await self._with_pictures(checked.declared)
        request_id = f"req-{uuid.uuid4()}"
        return Order(
            device_id=device_id,
            command=name,
            params=checked.all,
            payload=self._template(device.device_type, command).render(values, request_id),
            request_id=request_id,
            requires_ack=self._requires_ack(device),
        )

    def problems(self, device_id: str, name: str, params: Params) -> list[str]:
        """What speaks against the command, but for patterns and pictures."""
        try:
            device, command = self.look_up(device_id, name)
            checked: Checked = check(command, params)
            self._template(device.device_type, command).render(checked.declared, "req-0")
        except ApiError as error:
            return [error.message]
        return []

    def look_up(self, device_id: str, name: str) -> tuple[Device, CommandDef]:
        """Raises ``NotFound`` for the device, ``BadRequest`` for a command that it does not know."""
        device, device_type = self._directory.get(device_id), self._directory.type_of(device_id)
        if device is None:
            raise NotFound("DEVICE", device_id)
        if device_type is None:
            raise CannotBeSent(f"The type '{device.device_type}' of the device '{device_id}' is gone")
        for command in device_type.commands:
            if command.name == name:
                return device, command
        known = ", ".join(command.name for command in device_type.commands) or "none"
        raise BadRequest(f"The device type '{device.device_type}' has no command '{name}'; it has: {known}")

    def _template(self, device_type: str, command: CommandDef) -> Template:
        """Compiled once for each definition of a command."""
        key = (device_type, command.name)
        known = self._templates.get(key)
        if known is None or known.command is not command:
            known = self._templates[key] = compile_template(command)
        return known

    def _requires_ack(self, device: Device) -> bool:
        wanted = device.connection_config.get("require_ack")
        return wanted if isinstance(wanted, bool) else self._settings().require_ack

    async def _with_pictures(self, values: Params) -> dict[str, Any]:
        """The values, with the pictures themselves in place of the addresses of pictures."""
        return {name: await self._picture(name, value) for name, value in values.items()}

    async def _picture(self, name: str, value: Any) -> Any:
        address = _IMAGE.fullmatch(value) if isinstance(value, str) else None
        images = self._find_images() if address else None
        if address is None or images is None:
            return value
        try:
            content, media_type = await images.read(*address.groups())
        except ApiError as error:
            raise BadParameter(name, error.message) from error
        return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def fingerprint(device_id: str, command: str, params: Params) -> str:
    """What two requests with one key must have in common."""
    whole = orjson.dumps([device_id, command, params], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(whole).hexdigest()
