"""Operations of a resource provider that act on no stored resource: soft-deleted ones, name checks, usages.

A `Handler` lists them in `operations()`; the ARM core matches method and path (case-insensitively, after
the stored types), authorizes `action` at the subscription or resource group in the path, and answers what
`run` returns. `{name}` in a template matches one path segment.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.arm.resource import Body

if TYPE_CHECKING:
    from sandbox.arm.handler import Principal


@dataclass(frozen=True)
class OperationCall:
    """One request: the template's parameters as the caller spelled them, the parsed body ({} if none)."""

    parameters: Mapping[str, str]
    query: Mapping[str, str]
    body: Body
    principal: Principal
    api_version: str


@dataclass(frozen=True)
class Answer:
    """What goes back. `body` None sends no content."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    action: str
    run: Callable[[OperationCall], Awaitable[Answer]]
    #: A 202 with Azure-AsyncOperation whose background work is `run`; its answer is the operation's result.
    long_running: bool = False
