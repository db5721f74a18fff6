"""The core of NeoMind: contracts, hook specs and the host. It knows no feature."""

__version__ = "0.1.0"
