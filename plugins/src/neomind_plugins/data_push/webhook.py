"""The target type ``webhook``: the body, posted to a URL with the headers of Standard Webhooks."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

import attrs

from neomind_sdk import ADMIN_TARGET, Delivery, Label, PushPayload, SendTools, fields

from .records import RESENT

HOPS, RESEND = "X-NeoMind-Hops", "X-NeoMind-Resend"
MAX_HEADERS = 32
METHODS = ("POST", "PUT")
PATIENCE_S = 60.0
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
VALUE = re.compile(r"([!-~]([ -~\t]{0,8000}[!-~])?)?")
# The connection's own, those of the body, and those that carry the delivery's id, signature and way.
RESERVED = frozenset(
    {"accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host"}
    | {"keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", HOPS.lower(), RESEND.lower()}
)


def _headers(headers: dict[str, str]) -> str | None:
    if len(headers) > MAX_HEADERS:
        return f"must have at most {MAX_HEADERS} entries"
    for name, value in headers.items():
        if not NAME.fullmatch(name):
            return f"{name[:40]!r} is not the name of a header"
        if name.lower() in RESERVED or name.lower().startswith("webhook-"):
            return f"the header {name} is set by the platform"
        if not VALUE.fullmatch(value):
            return f"the header {name} must be printable ASCII without blanks around it"
    return None


def _token(value: str) -> str | None:
    return None if VALUE.fullmatch(value) else "must be printable ASCII without blanks around it"


def _signing(value: str) -> str | None:
    from neomind_sdk.signing import check_secret

    return check_secret(value) if value else None


def _hidden(value: str | None) -> str:
    return repr(value and "***")


@attrs.frozen(kw_only=True)
class BasicAuth:
    """Who logs in by name and password."""

    username: str = fields.text(max=256, pattern=r"[^:]*")
    password: str = fields.secret(max=1024, default="")


@attrs.frozen(kw_only=True)
class WebhookConfig:
    """Where values go."""

    url: str = fields.text(min=1, max=2048, pattern=r"https?://\S+", doc="Where values are sent")
    method: str = fields.one_of(METHODS, default="POST", doc="POST or PUT")
    headers: dict[str, str] = fields.field(_headers, factory=dict, repr=False, doc="Headers to send along")
    auth_token: str | None = fields.field(_token, secret=True, default=None, repr=_hidden, doc="A bearer token")
    auth_basic: BasicAuth | None = fields.field(default=None, doc="A name and a password, where there is no token")
    timeout_secs: float = fields.number(ge=1, le=120, default=30, doc="How long one attempt may take, in seconds")
    secret: str | None = fields.field(
        _signing,
        secret=True,
        default=None,
        repr=_hidden,
        doc="whsec_ and base64: sign what is sent, as Standard Webhooks describes it",
    )


class WebhookTarget:
    name = "webhook"
    label = Label(
        name="Webhook",
        description="Sends values as JSON to a URL",
        name_zh="Webhook",
        description_zh="以 JSON 格式将数据发送到指定 URL",
        icon="Webhook",
    )
    config = WebhookConfig

    def targets(self, config: WebhookConfig) -> list[str]:
        """Where it sends to, for the check when a target is saved."""
        return [config.url]

    async def deliver(self, config: WebhookConfig, payload: PushPayload, tools: SendTools) -> Delivery:
        answer = await tools.egress.request(
            config.method,
            config.url,
            trust=ADMIN_TARGET,
            headers=headers(config, payload, tools),
            content=payload.body,
            timeout_s=config.timeout_secs,
        )
        delivery = Delivery.of(answer, tools.clock.now_ms())
        if delivery.ok or delivery.gone:
            return delivery
        # A receiver that is set up wrongly is mended sooner or later: any refusal is tried again, as often as is set.
        busy = answer.status in (429, 503) and delivery.retry_after is None
        return attrs.evolve(delivery, retry=True, retry_after=PATIENCE_S if busy else delivery.retry_after)


def headers(config: WebhookConfig, payload: PushPayload, tools: SendTools) -> Mapping[str, str]:
    """What tells the receiver who sends, what it is and how far it came, and with a secret that it is ours."""
    given = {name.lower(): value for name, value in config.headers.items()}
    if config.auth_token:
        given["authorization"] = f"Bearer {config.auth_token}"
    elif config.auth_basic is not None:
        pair = f"{config.auth_basic.username}:{config.auth_basic.password}"
        given["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    now_s = str(tools.clock.now_ms() // 1000)
    tools = attrs.evolve(tools, headers={"webhook-id": tools.delivery_id, "webhook-timestamp": now_s, **tools.headers})
    own = {"content-type": payload.media_type, HOPS.lower(): str(payload.hops)}
    if RESENT in payload.sources:
        own[RESEND.lower()] = "true"
    if not config.secret:
        return {**given, **own, **tools.headers}
    from neomind_sdk.signing import signed

    return {**given, **own, **signed(tools, config.secret, payload.body)}
