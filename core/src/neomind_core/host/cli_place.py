"""Where a command works: the data directory and the configuration, and the sentences when that cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

if TYPE_CHECKING:
    from .config import HostConfig
    from .state import StateFile


class BadConfig(click.ClickException):
    """The configuration cannot be used."""

    exit_code = 2


@attrs.define
class Place:
    """What ``--data-dir`` and ``--config`` (or the environment) say."""

    data_dir: Path = Path("data")
    config: Path | None = None

    def load(self, flags: Mapping[tuple[str, str], Any] | None = None) -> HostConfig:
        """The configuration; raises ``BadConfig``."""
        from .config import ConfigError, load

        try:
            return load(flags, data_dir=self.data_dir, file=self.config)
        except ConfigError as error:
            raise BadConfig(str(error)) from error


pass_place = click.make_pass_decorator(Place, ensure=True)


def place_options(*, top: bool = False) -> list[click.Parameter]:
    """``--data-dir`` and ``--config``: of ``neomind`` itself (``top``), or of a command, where they win."""
    about = {"data_dir": "Where everything is kept.", "config": "The configuration, by default DATA_DIR/neomind.toml."}
    if top:
        about = {"data_dir": f"{about['data_dir']}  [default: data; env: NEOMIND_DATA_DIR]", "config": about["config"]}
    return [
        click.Option(
            [f"--{name.replace('_', '-')}"],
            type=click.Path(path_type=Path),
            envvar=f"NEOMIND_{name.upper()}" if top else None,
            help=text,
            expose_value=False,
            is_eager=True,  # before --help, which lists the commands of the plugins of that place
            callback=_remember,
        )
        for name, text in about.items()
    ]


def _remember(ctx: click.Context, option: click.Parameter, value: Path | None) -> None:
    if value is not None and option.name:
        setattr(ctx.ensure_object(Place), option.name, value)


@contextmanager
def held(data_dir: Path, *, hint: str = "") -> Iterator[StateFile]:
    """The data directory, for this process alone; one sentence (and ``hint``) when another works on it."""
    from .state import DataDirectoryInUse, StateFile

    state = StateFile(data_dir)
    try:
        state.lock()
    except DataDirectoryInUse as error:
        raise click.ClickException(f"{error}{hint}") from error
    except OSError as error:
        raise click.ClickException(f"the data directory {data_dir} cannot be used: {error.strerror}") from error
    try:
        yield state
    finally:
        state.unlock()


def quiet_logs(config: HostConfig) -> None:
    """Logs for a command that ends soon: errors only, unless ``debug`` was asked for."""
    from . import logs

    level = config.log.level if config.log.level == "debug" else "error"
    logs.configure(attrs.evolve(config.log, level=level))
