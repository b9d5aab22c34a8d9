"""`python -m sandbox.engine.azure_native --port N`: serve the provider until SIGTERM."""

from __future__ import annotations

import logging

from sandbox.engine import plug
from sandbox.engine.azure_native.provider import AzureNative

if __name__ == "__main__":
    # They tell of every request at INFO.
    for name in ("azure", "httpx", "msal"):
        logging.getLogger(name).setLevel(logging.WARNING)
    plug.main(AzureNative())
