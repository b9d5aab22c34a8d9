"""x"""

from drills.shell import Shell
from collections.abc import Sequence
from drills.report import Report
from pathlib import Path


def publish(shell: Shell, reports: Sequence[Report], folder: Path) -> None:
    """x"""
