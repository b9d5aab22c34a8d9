"""What soaks share: a table of what they measured, printed at the end and copied into `benchmarks/`."""

from __future__ import annotations

import pytest

_ROWS = pytest.StashKey[list[tuple[str, ...]]]()


@pytest.fixture(scope="session")
def table(pytestconfig: pytest.Config) -> list[tuple[str, ...]]:
    """Rows of (moment, what ran, seconds of the healing run); whoever measures appends."""
    return pytestconfig.stash.setdefault(_ROWS, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = config.stash.get(_ROWS, [])
    if rows:
        terminalreporter.section("kills")
    for row in rows:
        terminalreporter.line(f"| {' | '.join(row)} |")
