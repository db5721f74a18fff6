"""What authors of plugins import: the public names of the core.

They are exactly those that ``neomind_core.contracts`` exports, and ``hookimpl``. ``neomind_sdk.tables`` has the base
class of peewee models, ``fields`` the fields of bodies and settings, ``neomind_sdk.testing`` the harness and the
contract suites.
"""

from __future__ import annotations

from neomind_core import __version__, contracts
from neomind_core.contracts import *  # noqa: F403 - what is public is said in one place, there
from neomind_core.hookspecs import hookimpl

__all__ = ["__version__", "hookimpl", *contracts.__all__]  # noqa: PLE0604 - a list of texts all the same
