"""What is raised while the parts of a rule are read."""

from __future__ import annotations


class Unfit(Exception):
    """A part of a rule cannot be: ``path`` names it from the rule's outside, ``problem`` says why in words."""

    def __init__(self, path: str, problem: str, code: str = "INVALID_VALUE") -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem
        self.code = code
