"""``neomind openapi``."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any

import click

from .cli_place import Place, pass_place, place_options, quiet_logs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .config import HostConfig
    from .records import Record


@click.command(params=place_options())
@click.option("-o", "--output", type=click.File("w", "utf-8", atomic=True), default="-", help="Write to this file.")
@pass_place
def openapi(place: Place, output: IO[str]) -> None:
    """Print the OpenAPI document of the plugins that load here.

    Nothing is started or served, and the data directory stays as it is.
    """
    import asyncio

    config = place.load()
    quiet_logs(config)
    document, left_out = asyncio.run(_document(config))
    for record in left_out:
        click.echo(f"Without {record.name}: {record.status.value}: {record.reason}", err=True)
    output.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


async def _document(config: HostConfig) -> tuple[dict[str, Any], Sequence[Record]]:
    from .host import Host

    host = Host(config)
    await host.assemble()
    return host.api.openapi(), [record for record in host.board if record.failed]
