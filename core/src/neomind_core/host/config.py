"""The configuration: a TOML file, then ``NEOMIND_*`` from the environment, then flags; the later wins."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_origin

import attrs

from ..contracts import ValidationFailed, fields
from .egress_policy import EgressConfig
from .http.app import HttpConfig
from .http.structure import hints_of, parts_of, structure

FILE_NAME = "neomind.toml"


class ConfigError(Exception):
    """The configuration cannot be used; one sentence with the place and the reason."""


@attrs.frozen(kw_only=True)
class ServerConfig:
    """Where to listen."""

    host: str = fields.text(min=1, default="0.0.0.0")  # noqa: S104 - devices on the LAN post here, as in the reference
    port: int = fields.number(ge=0, le=65535, default=9375)


@attrs.frozen(kw_only=True)
class PluginsConfig:
    """Which plugins are loaded, by the names of entry points; without ``only`` all that are not blocked."""

    only: list[str] | None = None
    block: list[str] = attrs.field(factory=list)
    safe: bool = False
    strict: bool = False
    start_warn_s: float = fields.number(ge=0.01, default=10.0)
    start_cap_s: float = fields.number(ge=0.01, default=60.0)
    stop_cap_s: float = fields.number(ge=0.1, default=8.0)


@attrs.frozen(kw_only=True)
class StorageConfig:
    """Which storage engine to open; ``None`` = the only one there is, ``sqlite`` among several."""

    engine: str | None = None


@attrs.frozen(kw_only=True)
class LogConfig:
    """``format`` ``auto`` is ``console`` on a terminal and ``json`` elsewhere."""

    level: str = fields.one_of(("debug", "info", "warning", "error"), default="info")
    format: str = fields.one_of(("auto", "console", "json"), default="auto")


@attrs.frozen(kw_only=True)
class HostConfig:
    """Everything the host itself needs to know; ``plugin`` and ``environment`` are the raw sections of plugins."""

    data_dir: Path = Path("data")
    server: ServerConfig = ServerConfig()
    http: HttpConfig = HttpConfig()
    plugins: PluginsConfig = PluginsConfig()
    storage: StorageConfig = StorageConfig()
    log: LogConfig = LogConfig()
    egress: EgressConfig = EgressConfig()
    plugin: Mapping[str, Any] = attrs.field(factory=dict)
    environment: Mapping[str, str] = attrs.field(factory=dict)

    def section(self, plugin: str, name: str) -> tuple[dict[str, Any], dict[str, str]]:
        """The values of a plugin's section from the file, and its texts from the environment."""
        values = _table(self.plugin.get(plugin, {}), plugin)
        prefix = f"NEOMIND_{plugin.upper()}__"
        if name != plugin:
            values, prefix = _table(values.get(name, {}), f"{plugin}.{name}"), f"{prefix}{name.upper()}__"
        texts = {key[len(prefix) :].lower(): text for key, text in self.environment.items() if key.startswith(prefix)}
        return dict(values), {key: text for key, text in texts.items() if "__" not in key}


SECTIONS: Mapping[str, type[Any]] = {
    "server": ServerConfig,
    "http": HttpConfig,
    "plugins": PluginsConfig,
    "storage": StorageConfig,
    "log": LogConfig,
    "egress": EgressConfig,
}
# Short names of the environment for what people set most; the general form is NEOMIND_<SECTION>__<FIELD>.
SHORT = {
    "PORT": ("server", "port"),
    "NEOMIND_PORT": ("server", "port"),
    "NEOMIND_HOST": ("server", "host"),
    "NEOMIND_ONLY": ("plugins", "only"),
    "NEOMIND_BLOCK": ("plugins", "block"),
    "NEOMIND_SAFE": ("plugins", "safe"),
    "NEOMIND_STRICT": ("plugins", "strict"),
    "NEOMIND_LOG_LEVEL": ("log", "level"),
    "NEOMIND_LOG_FORMAT": ("log", "format"),
}


def load(
    flags: Mapping[tuple[str, str], Any] | None = None,
    *,
    data_dir: Path | None = None,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> HostConfig:
    """Read the configuration; ``flags`` map ``(section, field)`` to values. Raises ``ConfigError``."""
    env = os.environ if environment is None else environment
    where = data_dir or Path(env.get("NEOMIND_DATA_DIR") or "data")
    raw = _read(file or _named(env) or where / FILE_NAME, required=file is not None or _named(env) is not None)
    _refuse_unknown(raw)
    sections = {name: _section(name, raw.get(name, {}), env, flags or {}) for name in SECTIONS}
    ours = {key: value for key, value in env.items() if key.startswith("NEOMIND_")}
    return HostConfig(data_dir=where, plugin=raw.get("plugin", {}), environment=ours, **sections)


def spread(cls: Any, texts: Mapping[str, str]) -> dict[str, Any]:
    """Texts of the environment; those of fields that are lists are split at commas and spaces."""
    lists = {name for name, kind in hints_of(cls).items() if get_origin(parts_of(kind)[0]) in (list, tuple)}
    return {key: text.replace(",", " ").split() if key in lists else text for key, text in texts.items()}


def _table(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValidationFailed((path, "must be a table"))
    return value


def _named(env: Mapping[str, str]) -> Path | None:
    name = env.get("NEOMIND_CONFIG")
    return Path(name) if name else None


def _read(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if required:
            raise ConfigError(f"{path}: there is no such file") from error
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error


def _refuse_unknown(raw: Mapping[str, Any]) -> None:
    for name in raw:
        if name not in SECTIONS and name != "plugin":
            raise ConfigError(f"[{name}]: there is no such section; known are {', '.join(SECTIONS)}, plugin.<name>")
    for name, section in raw.items():
        if not isinstance(section, dict):
            raise ConfigError(f"{name}: must be a table, [{name}]")


def _section(name: str, raw: Mapping[str, Any], env: Mapping[str, str], flags: Mapping[tuple[str, str], Any]) -> Any:
    cls = SECTIONS[name]
    known = {field.name for field in attrs.fields(cls)}
    texts = spread(cls, _texts(name, env))
    values = {**raw, **texts, **{key: value for (where, key), value in flags.items() if where == name}}
    unknown = next((key for key in values if key not in known), None)
    if unknown:
        raise ConfigError(f"{name}.{unknown}: there is no such setting; known are {', '.join(sorted(known))}")
    try:
        return structure(cls, values, text=True)
    except ValidationFailed as error:
        raise ConfigError(f"{name}.{error.message}") from error


def _texts(section: str, env: Mapping[str, str]) -> dict[str, str]:
    prefix = f"NEOMIND_{section.upper()}__"
    found = {key[len(prefix) :].lower(): text for key, text in env.items() if key.startswith(prefix)}
    return found | {field: env[key] for key, (where, field) in SHORT.items() if where == section and env.get(key)}
