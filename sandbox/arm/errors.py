"""ARM's error shape: `{"error": {"code", "message", "target", "details": [...]}}`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class ArmError(Exception):
    """A refusal with ARM's code and wording. `target` is the JSON path of the property at fault."""

    status: int
    code: str
    message: str
    target: str | None = None
    details: list[ArmError] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def body(self) -> dict[str, Any]:
        return {"error": self._inner()}

    def _inner(self) -> dict[str, Any]:
        inner: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target is not None:
            inner["target"] = self.target
        if self.details:
            inner["details"] = [detail._inner() for detail in self.details]  # noqa: SLF001
        return inner


def bad_request(code: str, message: str, target: str | None = None) -> ArmError:
    return ArmError(400, code, message, target)


def not_found(resource_id: str) -> ArmError:
    return ArmError(404, "ResourceNotFound", f"The Resource '{resource_id}' was not found.")


def conflict(code: str, message: str) -> ArmError:
    return ArmError(409, code, message)
