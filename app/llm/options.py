"""What a caller may wish for a call of a model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """`deadline` is an instant of `time.monotonic()`, `skip` names providers to pass over.

    `fresh`: no answer from the cache.
    """

    deadline: float | None = None
    skip: frozenset[str] = frozenset()
    fresh: bool = False


DEFAULTS = Options()
