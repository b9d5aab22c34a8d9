"""One key signs the tokens of all clouds of a run: to make one takes longer than all else at their start."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any
from unittest import mock

from sandbox.entra import keys

_shared = lru_cache(maxsize=1)(keys.generate)


def shared_key() -> AbstractContextManager[Any]:
    """A cloud that is made meanwhile, and has no key yet, gets the shared one."""
    return mock.patch.object(keys, "generate", _shared)
