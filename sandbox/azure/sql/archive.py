"""The archived log of an instance: how far it reaches, and making it reach the present.

PostgreSQL archives a segment when it is full, or after `ARCHIVE_SECONDS`. A restore to a moment needs a
commit after that moment in the archive, or recovery cannot tell that it has come far enough; so one is made.
Source: https://www.postgresql.org/docs/15/continuous-archiving.html.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from sandbox.arm.errors import ArmError
from sandbox.azure.sql.instance import Instance

#: Seconds for a segment to be compressed and on disk.
_ARCHIVE_SECONDS = 60.0
_LOOK = 0.05
_SEGMENTS = f"{'?' * 24}.gz"


async def complete(instance: Instance) -> None:
    """Archive all that is committed by now, and a commit after it.

    Raises ArmError 503 when the instance does not answer, or does not archive in time.
    """
    async with instance.connect() as connection:
        await connection.execute("SELECT pg_logical_emit_message(true, 'azure', 'log backup')")
        row = await (await connection.execute("SELECT pg_walfile_name(pg_switch_wal())")).fetchone()
    if row is None:
        raise ArmError(500, "InternalServerError", "PostgreSQL did not name its log segment.")
    wanted = instance.archive / f"{row[0]}.gz"
    deadline = time.monotonic() + _ARCHIVE_SECONDS
    while not wanted.exists():
        if time.monotonic() > deadline:
            raise ArmError(
                503,
                "ServiceUnavailable",
                f"The log of '{instance.name}' was not archived in {_ARCHIVE_SECONDS:.0f} s.",
            )
        await asyncio.sleep(_LOOK)


def newest(archive: Path) -> float | None:
    """When the newest archived segment was last written (seconds since 1970); None when there is none.

    What was committed before that is in the archive.
    """
    return max((segment.stat().st_mtime for segment in archive.glob(_SEGMENTS)), default=None)
