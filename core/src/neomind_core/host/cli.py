"""``neomind``: the command line.

Only click is imported before a command runs. Commands of plugins are looked for when somebody asks for help or for a
command that is not the core's own; so ``serve`` and the recovery commands work whatever plugins are like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from neomind_core import __version__

from .cli_doctor import doctor
from .cli_openapi import openapi
from .cli_place import BadConfig, Place, place_options
from .cli_plugins import plugins
from .cli_serve import serve

if TYPE_CHECKING:
    from .cli_commands import Offer

OWN = {"serve": serve, "plugins": plugins, "doctor": doctor, "openapi": openapi}


class NeoMind(click.Group):
    """The core's commands, and those of plugins when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*OWN, *sorted(_offers(ctx))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in OWN:
            return OWN[cmd_name]
        offer = _offers(ctx).get(cmd_name)
        return offer.build() if offer else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own = [(name, command.get_short_help_str(limit=90)) for name, command in OWN.items()]
        with formatter.section("Commands"):
            formatter.write_dl(own)
        try:
            offered = [(name, offer.command.summary) for name, offer in sorted(_offers(ctx).items())]
        except BadConfig as error:
            click.echo(f"The commands of plugins cannot be listed: {error.message}", err=True)
            return
        if offered:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(offered)


def _offers(ctx: click.Context) -> dict[str, Offer]:
    found: dict[str, Offer] | None = ctx.meta.get(__name__)
    if found is None:
        from .cli_commands import offers

        found = ctx.meta[__name__] = offers(ctx.ensure_object(Place), taken=OWN)
    return found


cli = NeoMind(
    "neomind",
    help="NeoMind, an edge platform of plugins: devices, telemetry, rules, agents, dashboards.",
    params=place_options(top=True),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
cli = click.version_option(__version__, prog_name="neomind", message="%(prog)s %(version)s")(cli)


def main() -> None:
    """The console script."""
    cli(prog_name="neomind")


if __name__ == "__main__":
    main()
