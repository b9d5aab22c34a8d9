"""What can go wrong while the toolchain is installed, said so that a person can act on it."""

from __future__ import annotations


class ToolchainError(Exception):
    """A refusal or a failure: what was wrong, and what to do about it."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}"
