"""`python -m sandbox.engine.azure_native --port N`: serve the provider until SIGTERM."""

from __future__ import annotations

from sandbox.engine import plug
from sandbox.engine.azure_native.provider import AzureNative

if __name__ == "__main__":
    plug.main(AzureNative())
