"""What a command's arguments may look like."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime


def moment(text: str) -> datetime:
    """A time in ISO 8601, in UTC unless it says. Raises ArgumentTypeError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time like 2026-11-01T08:00:00Z") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
