"""A cloud that asks for a restore and kills itself (SIGKILL) at one of its stages; run as a program.

`python -m tests.sandbox.azure.sql.killed STATE STAGE NAME MOMENT`
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest

from sandbox.azure.sql import programs, recovery, restore, transfer
from tests.sandbox.azure.sql.conftest import running
from tests.sandbox.azure.sql.restoring import to_moment


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def while_recovering(patch: pytest.MonkeyPatch) -> None:
    async def recovered(*_: Any) -> None:
        die()

    patch.setattr(recovery, "_recovered", recovered)


def while_loading(patch: pytest.MonkeyPatch) -> None:
    """With the tables there, and no row in them."""
    genuine = programs.run

    async def run(*command: str, **options: Any) -> str:
        if not command[0].endswith("pg_restore"):
            return await genuine(*command, **options)
        await genuine(*command[:-1], "--section=pre-data", command[-1], **options)
        die()

    patch.setattr(transfer.programs, "run", run)


def before_it_has_its_name(patch: pytest.MonkeyPatch) -> None:
    async def publish(*_: Any) -> None:
        die()

    patch.setattr(transfer, "publish", publish)


def before_it_is_said_to_be_there(patch: pytest.MonkeyPatch) -> None:
    genuine = transfer.publish

    async def publish(*given: Any) -> None:
        await genuine(*given)
        die()

    patch.setattr(restore.transfer, "publish", publish)


STAGES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    stage.__name__: stage
    for stage in (while_recovering, while_loading, before_it_has_its_name, before_it_is_said_to_be_there)
}


def main(state: Path, stage: str, name: str, moment: datetime) -> None:
    with pytest.MonkeyPatch.context() as patch, running(state, patch) as sql:
        STAGES[stage](patch)
        to_moment(sql, name, moment)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], datetime.fromisoformat(sys.argv[4]))
