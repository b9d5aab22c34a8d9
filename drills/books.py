"""What the environment's stores say of the drill's executions, read in an agent's pod (`app/audit.py`)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from app.audit import Books
from drills.shell import CommandError, Shell
from infra.naming import workload


def read_books(shell: Shell, namespace: str, run: str, days: Iterable[date]) -> Books:
    """Raises CommandError when the pod cannot read them."""
    asked = [part for day in days for part in ("--day", day.isoformat())]
    said = shell.kubectl(
        *("exec", "-n", namespace, f"deploy/{workload('notification')}", "--"),
        *("python", "-m", "app.audit", "--correlation", run, *asked),
    )
    try:
        return Books.model_validate_json(said.splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise CommandError(f"app.audit printed no books: {said[-500:]}") from error
