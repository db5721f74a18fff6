"""peewee for plugins: the base class of models, and the first migration step."""

from __future__ import annotations

from neomind_core.host.tables import Model, bind_thread, create, use_database

__all__ = ["Model", "bind_thread", "create", "use_database"]
