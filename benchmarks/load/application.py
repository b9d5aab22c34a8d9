"""`python -m benchmarks.load.application`: an agent's process as in its container, on loopback only.

It runs in an environment of the application's own packages, so it imports nothing else.
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn

from app.__main__ import main

_config = uvicorn.Config


def _on_loopback(app: Any, **options: Any) -> uvicorn.Config:
    return _config(app, **{**options, "host": "127.0.0.1"})


if __name__ == "__main__":
    uvicorn.Config = _on_loopback  # type: ignore[assignment,misc]
    sys.exit(main())
