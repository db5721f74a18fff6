"""The channel: one mail to all recipients over SMTP, with STARTTLS, TLS from the first byte, or plain."""

from __future__ import annotations

import asyncio
import re
from typing import Literal

import attrs

from neomind_sdk import ChannelType, Delivery, Label, OutgoingMessage, PluginContext, SendTools, fields, hookimpl

from .mail import letter, mailbox
from .place import as_url

MAX_RECIPIENTS = 100


def _port(value: int | str) -> str | None:
    number = int(value) if re.fullmatch(r"[0-9]{1,5}", str(value), re.ASCII) else 0
    return None if 1 <= number <= 65535 else "must be a port, 1 to 65535"


def _address(value: str) -> str | None:
    try:
        mailbox(value)
    except ValueError as error:
        return str(error)
    return None


def _addresses(values: list[str]) -> str | None:
    if len(values) > MAX_RECIPIENTS:
        return f"must have at most {MAX_RECIPIENTS} entries"
    return next((f"{value[:80]!r} {problem}" for value in values if (problem := _address(value))), None)


@attrs.frozen(kw_only=True)
class EmailConfig:
    """A server that takes mail, and who gets it."""

    smtp_server: str = fields.text(
        min=1, max=253, pattern=r"[A-Za-z0-9._:-]+", converter=str.strip, doc="Host name or address of the mail server"
    )
    smtp_port: int | str = fields.field(_port, doc="Usually 465 (TLS), 587 (STARTTLS) or 25 (plain)")
    username: str = fields.text(max=320, default="", doc="Empty: the server wants no login")
    password: str = fields.secret(max=1024, default="", doc="Of the username")
    from_address: str = fields.field(_address, converter=str.strip, doc="Whom the mails are from")
    use_tls: bool | None = fields.field(default=None, doc="Encrypt or not; absent: do, but for port 25")
    security: Literal["auto", "starttls", "implicit", "none"] = fields.field(
        default="auto", doc="auto: TLS from the first byte on port 465, else STARTTLS, as use_tls says"
    )
    recipients: list[str] = fields.field(_addresses, factory=list, doc="Who gets the mails")

    def mode(self) -> Literal["starttls", "implicit", "none"]:
        """How the connection is encrypted."""
        if self.security != "auto":
            return self.security
        port = int(self.smtp_port)
        if port == 465:
            return "implicit"
        return "starttls" if (port != 25 if self.use_tls is None else self.use_tls) else "none"


class EmailChannel:
    name = "email"
    label = Label(
        name="Email",
        description="Sends messages by email",
        name_zh="邮件",
        description_zh="通过电子邮件发送消息",
        icon="Mail",
    )
    config = EmailConfig

    def targets(self, config: EmailConfig) -> list[str]:
        """Where it sends to, for the check when a channel is saved."""
        return [as_url(config.smtp_server, int(config.smtp_port))]

    async def send(self, config: EmailConfig, message: OutgoingMessage, tools: SendTools) -> Delivery:
        from .smtp import Server, attempt

        if not config.recipients:
            return Delivery(ok=False, retry=False, detail="The channel has no recipients")
        mail = await asyncio.to_thread(
            letter, message, config.from_address, config.recipients, tools.delivery_id, tools.clock.now_ms()
        )
        server = Server(
            host=config.smtp_server,
            port=int(config.smtp_port),
            mode=config.mode(),
            username=config.username,
            password=config.password,
        )
        return await attempt(server, mail, tools.egress)


@hookimpl
def neomind_channels(ctx: PluginContext) -> list[ChannelType]:
    return [EmailChannel()]
