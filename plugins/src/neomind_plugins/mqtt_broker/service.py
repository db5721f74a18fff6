"""The broker with its configuration, credentials and certificates."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs

from neomind_sdk import BadRequest, BrokerAccess, BrokerState, Database, Health, Logger, PluginUnavailable
from neomind_sdk.addresses import ANY_ADDRESS
from neomind_sdk.turns import Turns
from neomind_sdk.vault import CannotUnseal, Vault

from . import certificates, tables
from .certificates import Files, Pems
from .errors import CannotApply, CredentialNotFound, NoCertificate
from .models import (
    MAX_CREDENTIALS,
    RESERVED,
    BrokerSettings,
    Config,
    ConfigView,
    Credential,
    ip_problem,
    port_problem,
)
from .ports import LOOPBACK, check_free, connections, free_port
from .process import Launch, Supervisor
from .toml import Inside, Tls, broker_toml

OFF = "switched off by the setting mqtt_broker.enabled"
ANONYMOUS = "every device may connect and send as any other; set auth_enabled to want credentials"
CLIENT_ID = "neomind-internal"
USERNAME = "__neomind_internal__"


class Broker:
    """The ``EmbeddedBroker``, and what its endpoints do. Changes take turns, and are kept once the broker runs so."""

    def __init__(
        self, settings: Callable[[], BrokerSettings], db: Database, folder: Path, vault: Vault, log: Logger
    ) -> None:
        self._settings = settings
        self._db = db
        self._vault = vault
        self._log = log
        self._files = Files(folder / "tls")
        self._turns = Turns()
        self._supervisor = Supervisor(self._launch, log)
        self._users: dict[str, str] = {}
        self._sealed: dict[str, str] = {}
        self._inside: Inside | None = None
        self._config = config_of(settings(), {})

    # ---- life cycle

    async def start(self) -> None:
        """Raises ``PortInUse`` and ``BrokerDown``."""
        await asyncio.to_thread(self._vault.load)
        stored = await self._db.read(tables.load)
        self._config = config_of(self._settings(), stored.changes)
        self._open(stored.credentials)
        if self._settings().enabled:
            self._resolve_port()
            await self._supervisor.start()
            self._warn()

    async def stop(self) -> None:
        await self._turns.close()
        await self._supervisor.stop()

    # ---- what others ask

    def access(self) -> BrokerAccess | None:
        """See ``EmbeddedBroker``."""
        inside = self._inside
        if inside is None or not self._supervisor.running:
            return None
        return BrokerAccess(
            host=LOOPBACK,
            port=inside.port,
            client_id=inside.client_id,
            username=inside.username,
            password=inside.password,
        )

    def state(self) -> BrokerState:
        """See ``EmbeddedBroker``."""
        config = self._config
        return BrokerState(
            enabled=self._settings().enabled,
            running=self._supervisor.running,
            detail=self._supervisor.detail if self._settings().enabled else OFF,
            listen=config.listen,
            port=config.port,
            tls_enabled=config.tls_enabled,
            tls_ca_available=self._files.ca.exists(),
            auth_enabled=config.auth_enabled,
            usernames=tuple(sorted(self._sealed)),
        )

    async def clients(self) -> int | None:
        """See ``EmbeddedBroker``."""
        return await asyncio.to_thread(connections, self._config.port) if self._supervisor.running else 0

    async def health(self) -> Health:
        if not self._settings().enabled:
            return Health(ok=True, detail=OFF)
        return Health(ok=self._supervisor.running, detail=self._supervisor.detail)

    @property
    def pid(self) -> int | None:
        """Of the broker's process, ``None`` while there is none."""
        return self._supervisor.pid

    def view(self) -> ConfigView:
        there = self._files.complete()
        return ConfigView(
            **attrs.asdict(self._config),
            tls_cert_path=str(self._files.cert) if there else None,
            tls_key_path=str(self._files.key) if there else None,
            tls_ca_path=str(self._files.ca) if self._files.ca.exists() else None,
            credentials=[Credential(username=name) for name in sorted(self._sealed)],
        )

    async def ca(self) -> bytes:
        """The CA's certificate as PEM; raises ``NoCertificate``."""
        try:
            return await asyncio.to_thread(self._files.ca.read_bytes)
        except FileNotFoundError as error:
            raise NoCertificate from error

    # ---- changes

    async def change(self, values: Mapping[str, Any]) -> None:
        """Run with other values from now on; raises ``BadRequest`` and ``CannotApply``."""
        await self._turns.run(lambda: self._change(values))

    async def add_credential(self, username: str, password: str) -> None:
        """Raises ``BadRequest`` for a name that is reserved or taken, and for too many."""
        if username.startswith(RESERVED):
            raise BadRequest(f"username: names that begin with {RESERVED} are reserved")
        await self._turns.run(lambda: self._add(username, password))

    async def delete_credential(self, username: str) -> None:
        """Raises ``CredentialNotFound``."""
        await self._turns.run(lambda: self._delete(username))

    async def use_certificates(self, pems: Pems) -> ConfigView:
        """Raises ``BadRequest`` for what does not fit together, ``CannotApply``."""
        await asyncio.to_thread(_authority().check, pems)
        await self._turns.run(lambda: self._certify(pems))
        return self.view()

    async def generate_certificates(self) -> ConfigView:
        """Make a CA and a certificate by it, in place of those that are there."""
        return await self.use_certificates(await asyncio.to_thread(_authority().generate))

    async def _change(self, values: Mapping[str, Any]) -> None:
        _check(values)
        before, config = self._config, attrs.evolve(self._config, **values)
        if config.tls_enabled and not self._files.complete():
            raise BadRequest("tls_enabled: there is no certificate yet; upload one or have one generated")
        if config == before:
            return
        await self._apply(config, self._users)
        try:
            await self._db.write(lambda: tables.save_config(values))
        except Exception:
            await self._undo(before, self._users)
            raise

    async def _add(self, username: str, password: str) -> None:
        if username in self._sealed:
            raise BadRequest(f"username: '{username}' has a credential already; delete it first")
        if len(self._sealed) >= MAX_CREDENTIALS:
            raise BadRequest(f"There may be at most {MAX_CREDENTIALS} credentials")
        sealed, before = self._vault.seal(password, purpose(username)), self._users
        await self._login({**before, username: password})
        try:
            await self._db.write(lambda: tables.add_credential(username, sealed))
        except Exception:
            await self._undo(self._config, before)
            raise
        self._sealed[username] = sealed

    async def _delete(self, username: str) -> None:
        if username not in self._sealed:
            raise CredentialNotFound(username)
        before = self._users
        await self._login({name: word for name, word in before.items() if name != username})
        try:
            await self._db.write(lambda: tables.delete_credential(username))
        except Exception:
            await self._undo(self._config, before)
            raise
        del self._sealed[username]

    async def _login(self, users: dict[str, str]) -> None:
        """The broker reads credentials when it starts, so it starts anew where it wants any."""
        if self._config.auth_enabled:
            await self._apply(self._config, users)
        self._users = users

    async def _certify(self, pems: Pems) -> None:
        before = await asyncio.to_thread(certificates.read, self._files)
        await asyncio.to_thread(certificates.write, self._files, pems)
        if self._config.tls_enabled:
            try:
                await self._apply(self._config, self._users)
            except CannotApply:
                await asyncio.to_thread(self._put_back, before)
                raise

    def _put_back(self, before: Pems | None) -> None:
        if before is None:
            certificates.remove(self._files)
        else:
            certificates.write(self._files, before)

    # ---- the process

    async def _apply(self, config: Config, users: dict[str, str]) -> None:
        """Restart with these; when that fails, with the old ones again."""
        before = (self._config, self._users)
        if not self._settings().enabled:
            self._config, self._users = config, users
            return
        await self._supervisor.stop()
        try:
            self._config, self._users = config, users
            await self._supervisor.start()
        except (PluginUnavailable, OSError) as error:
            self._config, self._users = before
            await self._supervisor.resume()
            raise CannotApply(str(error)) from error
        self._warn()

    async def _undo(self, config: Config, users: dict[str, str]) -> None:
        """A change that runs could not be kept: run as before, at once or as soon as the broker starts so."""
        read = config != self._config or config.auth_enabled  # else the broker was not told of the change either
        self._config, self._users = config, users
        if read and self._settings().enabled:
            await self._supervisor.stop()
            await self._supervisor.resume()

    def _launch(self) -> Launch:
        """Asked before every start: port and password of our own client are new each time. Raises ``PortInUse``."""
        config = self._config
        check_free(config.listen, config.port)
        self._inside = inside = Inside(
            port=free_port(),
            client_id=f"{CLIENT_ID}-{secrets.token_hex(4)}",  # who knew it could take the connection over
            username=USERNAME,
            password=secrets.token_urlsafe(24),
        )
        tls = Tls(cert_path=str(self._files.cert), key_path=str(self._files.key)) if config.tls_enabled else None
        host = LOOPBACK if config.listen in ANY_ADDRESS else config.listen
        endpoints = ((host, config.port), (LOOPBACK, inside.port))
        return Launch(toml=broker_toml(config, inside, self._users, tls), endpoints=endpoints)

    def _resolve_port(self) -> None:
        if self._config.port == 0:
            self._config = attrs.evolve(self._config, port=free_port(self._config.listen))

    def _open(self, credentials: Mapping[str, str]) -> None:
        self._sealed = dict(credentials)
        for username, sealed in credentials.items():
            try:
                self._users[username] = self._vault.unseal(sealed, purpose(username))
            except CannotUnseal as error:
                self._log.error("mqtt_credential_unreadable", username=username, reason=str(error))

    def _warn(self) -> None:
        config = self._config
        if not config.auth_enabled:
            self._log.warning("mqtt_broker_is_anonymous", listen=config.listen, port=config.port, reason=ANONYMOUS)


def config_of(settings: BrokerSettings, changes: Mapping[str, Any]) -> Config:
    """The settings with what was changed through the API."""
    names = [field.name for field in attrs.fields(Config)]
    values = {name: getattr(settings, name) for name in names}
    return Config(**{**values, **{name: value for name, value in changes.items() if name in values}})


def _authority() -> ModuleType:
    """Loaded when somebody wants certificates: the library takes its time."""
    from . import authority

    return authority


def _check(values: Mapping[str, Any]) -> None:
    problems = {
        "listen": ip_problem(values["listen"]) if "listen" in values else None,
        "port": port_problem(values["port"]) if "port" in values else None,
    }
    found = [f"{field}: {problem}" for field, problem in problems.items() if problem]
    if found:
        raise BadRequest("; ".join(found))


def purpose(username: str) -> str:
    """What a credential is sealed for."""
    return f"mqtt_broker.credential:{username}"
