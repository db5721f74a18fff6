"""What approving a draft means: which type, which device."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from neomind_sdk import BadRequest, Conflict, Device, DeviceDirectory, DeviceType, NotFound

from .errors import NoType
from .models import NewType, Wish
from .proposals import Typist, generated_type
from .records import Approval, Draft

_TYPE_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


@attrs.frozen
class Decider:
    """Decides, and changes nothing."""

    directory: DeviceDirectory
    typist: Typist

    def decide(self, draft: Draft, wish: Wish, before: Mapping[int, int]) -> Approval:
        """What is to be done; raises ``BadRequest``, ``NotFound`` and ``Conflict``."""
        device = self.directory.get(draft.device_id)
        if device is not None:
            self._check_same(device, wish)
            return Approval(device=device, device_type=None, before=before)
        chosen = self._type(draft, wish)
        fresh = self.directory.get_type(chosen.device_type) is None
        device = device_of(draft, wish, chosen.device_type)
        return Approval(device=device, device_type=chosen if fresh else None, before=before)

    def _check_same(self, device: Device, wish: Wish) -> None:
        """Somebody registered the device meanwhile: approving hands its samples over, and changes nothing else."""
        wanted = wish.existing_type or (wish.new_type and wish.new_type.device_type)
        if wanted not in (None, device.device_type):
            raise Conflict(f"The device '{device.device_id}' is registered already, as '{device.device_type}'")

    def _type(self, draft: Draft, wish: Wish) -> DeviceType:
        if wish.existing_type:
            known = self.directory.get_type(wish.existing_type)
            if known is None:
                raise NotFound("DEVICE_TYPE", wish.existing_type)
            return known
        if draft.analysis is None or not draft.analysis.usable:
            raise NoType(draft.device_id, draft.error_message)
        if wish.new_type is None:
            return self.typist.proposal(draft, draft.analysis)
        return self._named(generated_type(draft, draft.analysis), wish.new_type)

    def _named(self, made: DeviceType, wanted: NewType) -> DeviceType:
        """The generated type under the wanted name. An attempt that was cut short may have registered it before."""
        ident = wanted.device_type
        if not _TYPE_ID.fullmatch(ident):
            raise BadRequest("new_type.device_type: must be 1 to 100 letters, digits, _ or -")
        described = made.description if wanted.description is None else wanted.description
        made = attrs.evolve(made, device_type=ident, name=wanted.name.strip(), description=described)
        known = self.directory.get_type(ident)
        if known is not None and known.metrics != made.metrics:
            raise Conflict(f"There is a device type '{ident}' with other metrics; approve with existing_type to use it")
        return known or made


def device_of(draft: Draft, wish: Wish, device_type: str) -> Device:
    """The device as it is to be registered; over MQTT it goes on sending where it was found."""
    heard_at = draft.original_topic if draft.source == "mqtt" else None
    return Device(
        device_id=draft.device_id,
        name=(wish.device_name or draft.user_name or draft.device_id).strip() or draft.device_id,
        device_type=device_type,
        adapter_type=draft.source,
        connection_config={"telemetry_topic": heard_at} if heard_at else {},
        adapter_id=draft.adapter_id or f"internal-{draft.source}",
    )
