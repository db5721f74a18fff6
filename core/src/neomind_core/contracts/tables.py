"""Tables of a plugin and the steps that made them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Migration:
    """One step: ``apply(db)`` gets the peewee database inside a transaction. Never change a step that was released."""

    name: str
    apply: Callable[[Any], None]


@attrs.frozen(kw_only=True)
class Tables:
    """The peewee models of a plugin and its ordered migrations.

    ``name``    the set's name in the ledger, the plugin's name; every table is named ``<name>_…``
    ``models``  subclasses of ``neomind_sdk.tables.Model``
    ``steps``   run once each, in order, one transaction each; a ledger that knows more steps than the code (an older
                version was installed over newer data) stops the plugin with a sentence that says so
    """

    name: str
    models: tuple[type[Any], ...]
    steps: tuple[Migration, ...]
