"""`python -m sandbox.types`: derive every schema that the cache does not hold."""

from __future__ import annotations

import time

from sandbox.types import cache

if __name__ == "__main__":
    begun = time.monotonic()
    count = cache.warm()
    print(f"{count} types in {cache.folder()} after {time.monotonic() - begun:.1f} s")  # noqa: T201
