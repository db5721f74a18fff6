"""``neomind serve``."""

from __future__ import annotations

import gc

import click

from .cli_place import Place, pass_place, place_options


def _names(_ctx: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> list[str] | None:
    """Names given once or several times, with commas or spaces between; ``None`` when not given at all."""
    return [name for value in values for name in value.replace(",", " ").split()] if values else None


@click.command(params=place_options())
@click.option("--host", help="The address to listen on.  [default: 0.0.0.0; env: NEOMIND_HOST]")
@click.option("--port", type=click.IntRange(0, 65535), help="The port.  [default: 9375; env: PORT, NEOMIND_PORT]")
@click.option("--safe", is_flag=True, default=None, help="Start first-party plugins only.")
@click.option("--only", multiple=True, callback=_names, help="Load these plugins only, e.g. --only devices,telemetry.")
@click.option("--block", multiple=True, callback=_names, help="Do not load these plugins.")
@pass_place
def serve(
    place: Place,
    *,
    host: str | None,
    port: int | None,
    safe: bool | None,
    only: list[str] | None,
    block: list[str] | None,
) -> None:
    """Run the platform until SIGTERM or Ctrl-C.

    Settings come from the configuration file, then from NEOMIND_* in the environment, then from these options.
    """
    values = {
        ("server", "host"): host,
        ("server", "port"): port,
        ("plugins", "safe"): safe,
        ("plugins", "only"): only,
        ("plugins", "block"): block,
    }
    gc.disable()  # hardly anything of a start is garbage; once all is there, ``serve`` switches it on again
    config = place.load({key: value for key, value in values.items() if value is not None})
    from .serve import run

    click.get_current_context().exit(run(config))
