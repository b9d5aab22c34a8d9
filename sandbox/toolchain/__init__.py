"""Everything the sandbox runs that is not Python of its own: found on PATH, or made in the user's cache.

`install` brings it about and answers a `Toolchain`, which `Toolchain.load` finds again later.
"""

from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.install import install
from sandbox.toolchain.toolchain import Toolchain

__all__ = ["Toolchain", "ToolchainError", "install"]
