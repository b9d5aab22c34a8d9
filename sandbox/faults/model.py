"""One fault: which requests it hits, and what then happens to them."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatchcase
from typing import Any, Literal

Effect = Literal["status", "operation-fails", "hang", "cut"]

#: Statuses that a refusal may have.
_STATUSES = range(400, 600)
_METHODS = ("*", "GET", "HEAD", "PUT", "PATCH", "POST", "DELETE")
#: One row of numbers for whatever can be cleared.
numbers = itertools.count(1)


@dataclass
class Fault:
    """Patterns are those of file names (`*`, `?`), compared without case; `*` hits everything.

    `target` is `arm` or the name of a data plane. `type` and `name` are a resource's, for `arm`; `host` and
    `path` are a request's, for data planes. `times` is how many requests it still hits; None is until it is
    cleared.
    """

    target: str
    status: int | None = None
    operation_fails: bool = False
    #: Seconds.
    hang: float = 0.0
    #: The answer ends after its head.
    cut: bool = False
    method: str = "*"
    type: str = "*"
    name: str = "*"
    host: str = "*"
    path: str = "*"
    times: int | None = None
    #: Seconds that a 429 or 503 asks to wait.
    retry_after: int = 5
    code: str | None = None
    message: str | None = None
    number: int = 0

    @property
    def effect(self) -> Effect:
        if self.operation_fails:
            return "operation-fails"
        if self.cut:
            return "cut"
        return "status" if self.status is not None else "hang"

    def hits_resource(self, method: str, type_name: str, name: str) -> bool:
        return self.target == "arm" and all(
            _like(pattern, text)
            for pattern, text in ((self.method, method), (self.type, type_name), (self.name, name))
        )

    def hits_request(self, plane: str, method: str, host: str, path: str) -> bool:
        return self.target == plane and all(
            _like(pattern, text)
            for pattern, text in ((self.method, method), (self.host, host), (self.path, path))
        )

    def wire(self) -> dict[str, Any]:
        return asdict(self)


def read(given: dict[str, Any]) -> Fault:
    """A fault from what a client sent. Raises ValueError that says what is wrong."""
    known = {field.name for field in fields(Fault)} - {"number"}
    unknown = set(given) - known
    if unknown:
        raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
    try:
        fault = Fault(**given, number=next(numbers))
    except TypeError as error:
        raise ValueError(f"a fault has a target: {error}") from error
    effects = [fault.status is not None, fault.operation_fails, fault.hang > 0, fault.cut]
    if sum(effects) != 1:
        raise ValueError("say one of --status, --operation-fails, --hang and --cut")
    if fault.status is not None and fault.status not in _STATUSES:
        raise ValueError(f"{fault.status} is no refusal; a status is from 400 to 599")
    if fault.method.upper() not in _METHODS:
        raise ValueError(f"{fault.method} is no method of these planes; there are {', '.join(_METHODS)}")
    if fault.operation_fails and fault.target != "arm":
        raise ValueError("only Resource Manager has asynchronous operations")
    if fault.operation_fails and fault.method.upper() not in ("*", "PUT", "PATCH", "DELETE"):
        raise ValueError(f"{fault.method} starts no asynchronous operation")
    if fault.times is not None and fault.times < 1:
        raise ValueError("--times is at least 1")
    return fault


def _like(pattern: str, text: str) -> bool:
    return fnmatchcase(text.lower(), pattern.lower())
