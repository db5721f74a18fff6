"""Benchmarks are no tests: they are run by ``python tests/bench``, and nothing here is collected."""

collect_ignore_glob = ["*.py"]
