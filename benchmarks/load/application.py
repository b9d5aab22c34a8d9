"""`python -m benchmarks.load.application`: an agent's process as in its container, on loopback only.

It runs in an environment of the application's own packages, so it imports nothing else.
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn

from app.__main__ import main

_run = uvicorn.run


def _on_loopback(app: Any, **options: Any) -> None:
    _run(app, **{**options, "host": "127.0.0.1"})


if __name__ == "__main__":
    uvicorn.run = _on_loopback
    sys.exit(main())
