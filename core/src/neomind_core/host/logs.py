"""Structured logs without secrets."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from .config import LogConfig

SECRET_NAME = re.compile(
    r"password|passwd|passphrase|secret|token|(?:api|private)[_-]?key|authorization|cookie|credential", re.I
)
SECRET_TEXT = re.compile(
    r"nmk_[0-9a-f]{8,}|ds_[0-9a-f]{32}|eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]{5,}"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)|(?<=[?&]token=)[^&\s]+|(?<=[?&]api_key=)[^&\s]+"
)
MASK = "***"


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: values under a secret's name, and texts that look like one, become ``***``."""
    for key, value in event.items():
        if key.startswith("_"):  # structlog's own
            continue
        event[key] = MASK if SECRET_NAME.search(key) and value is not None else _clean(value)
    return event


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return SECRET_TEXT.sub(MASK, value)
    if isinstance(value, Mapping):
        return {_clean(k): MASK if SECRET_NAME.search(str(k)) else _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else _clean(_written(value))


def _written(value: Any) -> str:
    """What the renderer would write for any other object, which it sees only after us."""
    try:
        return repr(value)
    except Exception:  # a log line must not fail for what it shows
        return f"<{type(value).__name__}>"


def configure(config: LogConfig) -> None:
    """Send structlog and the standard library's logging to stderr, one event a line."""
    console = config.format == "console" or (config.format == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact,
    ]
    plain = structlog.dev.plain_traceback  # tracebacks are text already, so that they are redacted too
    pretty = structlog.dev.ConsoleRenderer(exception_formatter=plain)
    renderer: Any = pretty if console else structlog.processors.JSONRenderer(ensure_ascii=False)
    level = getattr(logging, config.level.upper())
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)


def plain() -> None:
    """Unless somebody configured logging: print events with plain tracebacks (for tests).

    structlog's own default may print the variables of every frame, passwords among them, and takes seconds for it.
    """
    if not structlog.is_configured():
        renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
        structlog.configure(processors=[structlog.processors.add_log_level, redact, renderer])


def logger(name: str) -> Any:
    """A logger whose events carry the plugin's name."""
    return structlog.get_logger("neomind").bind(plugin=name)
