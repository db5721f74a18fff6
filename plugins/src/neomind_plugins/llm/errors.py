"""What can be wrong with backends."""

from __future__ import annotations

from neomind_sdk import BadRequest, Conflict, NotFound, Unavailable


class BackendNotFound(NotFound):
    """404 ``LLM_BACKEND_NOT_FOUND``."""

    def __init__(self, backend_id: str) -> None:
        super().__init__("LLM_BACKEND", backend_id)
        self.message = f"LLM backend with id '{backend_id}' not found"


class TypeNotFound(NotFound):
    """404 ``LLM_BACKEND_TYPE_NOT_FOUND``."""

    def __init__(self, name: str) -> None:
        super().__init__("LLM_BACKEND_TYPE", name, by="name")
        self.message = f"LLM backend type with name '{name}' not found"


class UnknownType(BadRequest):
    """400: nobody contributes such a type."""

    def __init__(self, name: str, known: str) -> None:
        super().__init__(f"There is no LLM backend type '{name[:100]}'; installed are: {known}")


class BackendActive(Conflict):
    """409: the active backend stays."""

    def __init__(self, name: str) -> None:
        super().__init__(f"'{name}' is the active LLM backend; activate another one before deleting it")


class BackendUnusable(Conflict):
    """409: the backend's configuration cannot be changed at the moment; says why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"The LLM backend '{name}' is not available: {reason}")


class NoBackend(Unavailable):
    """Nothing can be asked at the moment; says why."""
