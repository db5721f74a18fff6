"""The letter: a text part, and the same as an HTML card in which everything that came from outside is escaped."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from neomind_sdk import OutgoingMessage, fields

MAX_SUBJECT = 200
COLORS = {"info": "#2563eb", "warning": "#d97706", "critical": "#dc2626", "emergency": "#7f1d1d"}
MAILBOX = re.compile(
    r'(?:(?P<name>[^<>\r\n]*)<)?\s*(?P<user>[^\s@<>"(),:;\\\[\]]{1,64})'
    r"@(?P<host>(?![.-])[\w.-]{1,253}(?<![.-]))\s*(?P<end>>?)"
)
# What headers, readers of mail and HTML want none of.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")

CARD = """<!DOCTYPE html>
<html><head><meta charset="utf-8"></head>
<body style="font-family:sans-serif;margin:0;padding:16px;background:#f3f4f6">
<div style="max-width:600px;margin:0 auto;background:#fff;border-top:4px solid {color};padding:16px">
<h2 style="margin:0 0 8px">{title}</h2>
<p style="color:#6b7280;margin:0 0 16px">
<span style="background:{color};color:#fff;padding:2px 8px">{severity}</span>
{time} UTC &middot; {source}</p>
<div style="white-space:pre-wrap">{message}</div>
<p style="color:#9ca3af;margin:16px 0 0">NeoMind</p>
</div></body></html>
"""


def mailbox(text: str) -> Address:
    """``someone@host`` or ``Some One <someone@host>``; raises ``ValueError`` for anything else."""
    found = MAILBOX.fullmatch(text.strip())
    if not found or not fields.clean(text) or (found["name"] is None) != (found["end"] == ""):
        raise ValueError("must be an address such as someone@example.com")
    try:
        host = found["host"].encode("idna").decode()
    except UnicodeError:
        raise ValueError("must have a proper host name after the @") from None
    return Address(_line(found["name"] or "").strip('"'), found["user"], host)


def letter(message: OutgoingMessage, sender: str, recipients: list[str], delivery_id: str, now_ms: int) -> EmailMessage:
    """The mail. Its ``Message-ID`` is the delivery's, so that a repetition can be told."""
    mail, origin = EmailMessage(policy=SMTP), mailbox(sender)
    title = _line(message.title)
    mail["Subject"] = f"[{message.severity.capitalize()}] {title}"[:MAX_SUBJECT]
    mail["From"] = origin
    mail["To"] = [mailbox(one) for one in recipients]
    mail["Date"] = format_datetime(_utc(now_ms))
    mail["Message-ID"] = f"<{re.sub('[^A-Za-z0-9_-]', '-', delivery_id)}@{origin.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    body = CONTROL.sub("", message.message.replace("\r\n", "\n"))
    mail.set_content(f"{title}\n\n{body}\n")
    mail.add_alternative(_card(message, title, body), subtype="html")
    return mail


def _card(message: OutgoingMessage, title: str, body: str) -> str:
    return CARD.format(
        color=COLORS.get(message.severity, COLORS["info"]),
        title=escape(title),
        severity=escape(message.severity.upper()),
        time=f"{_utc(message.ts_ms):%Y-%m-%d %H:%M:%S}",
        source=escape(_line(message.source)),
        message=escape(body),
    )


def _utc(ts_ms: int) -> datetime:
    return datetime.fromtimestamp(ts_ms // 1000, UTC)


def _line(text: str) -> str:
    """One line without control characters, for headers."""
    return " ".join(CONTROL.sub(" ", text).split())
