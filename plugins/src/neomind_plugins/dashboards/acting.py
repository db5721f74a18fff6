"""Commands that viewers give through an interactive link: those the dashboard has a control for, and no others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from neomind_sdk import CommandRecord, DeviceCommands, ExtensionCommands, Principal, Unavailable

from . import sources
from .errors import FixedParameter, ReadOnlyLink
from .pacing import Pace
from .records import Opened, Share
from .share_models import CommandAnswer
from .shown import Shown
from .sources import Source

Params = Mapping[str, Any]


@attrs.frozen
class Actor:
    """Gives commands; the services that do are found when they are wanted."""

    devices: Callable[[], DeviceCommands | None]
    extensions: Callable[[], ExtensionCommands | None]
    pace: Pace

    async def act(self, opened: Opened, shown: Shown, source_id: str, params: Params) -> CommandAnswer:
        """Give a command.

        Raises ``ReadOnlyLink``, ``NotShown``, ``FixedParameter``, 429 for too many, and what the command raises.
        """
        if not opened.share.allow_interactive:
            raise ReadOnlyLink
        control, whole = chosen(shown.commands(source_id), params)
        self.pace.count(opened.share.id)
        if control.kind == sources.COMMAND:
            return await self._tell_device(opened.share, control, whole)
        return await self._run_extension(opened.share, control, whole)

    async def _tell_device(self, share: Share, control: Source, params: Params) -> CommandAnswer:
        commands = self.devices()
        if commands is None:
            raise Unavailable("Nothing here gives commands to devices")
        principal = principal_of(share)
        record = await commands.send(
            control.owner, control.field, params, cause=f"share:{share.id}", hops=0, principal=principal
        )
        return answer(control, record)

    async def _run_extension(self, share: Share, control: Source, params: Params) -> CommandAnswer:
        commands = self.extensions()
        if commands is None:
            raise Unavailable("Nothing here runs commands of extensions")
        principal = principal_of(share)
        result = await commands.run(
            control.owner, control.field, params, principal=principal, cause=f"share:{share.id}"
        )
        return CommandAnswer(source=control.id, sent=True, result=result)


def chosen(controls: list[Source], params: Params) -> tuple[Source, Params]:
    """The control that allows these parameters, and all parameters; raises ``FixedParameter``.

    What the owner wrote into a control is not the viewer's to choose.
    """
    conflict = ""
    for control in controls:
        against = [name for name, value in control.params.items() if name in params and params[name] != value]
        if not against:
            return control, {**params, **control.params}
        conflict = against[0]
    raise FixedParameter(conflict)


def principal_of(share: Share) -> Principal:
    """Who gives the command: the link, without a single scope."""
    return Principal(kind="share", id=share.id, name=f"share link {share.preview}")


def answer(control: Source, record: CommandRecord) -> CommandAnswer:
    return CommandAnswer(
        source=control.id,
        sent=record.state not in ("queued", "failed", "expired"),
        command_id=record.command_id,
        state=record.state,
        detail=record.error,
    )
