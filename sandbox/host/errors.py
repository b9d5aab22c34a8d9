"""The one exception of the host side."""

from __future__ import annotations


class HostError(Exception):
    """The machine is not as the sandbox needs it. The message says what is wrong, where, and what to do."""
