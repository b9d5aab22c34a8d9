"""Base backups of an instance: taken, listed and forgotten, with the log that goes with them.

A backup is a folder named after the second in which it ended, with what `pg_basebackup` wrote (compressed
tar archives and a manifest) and `backup.json`. Together with the archived log after it, it leads to every
moment from its end to that of the newest archived segment; `Backup.log_start` names the first segment that
is needed.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sandbox.azure.sql import programs
from sandbox.azure.sql.configuration import REPLICATION, SEGMENT_MIB
from sandbox.azure.sql.instance import Instance
from sandbox.host import files

_SEGMENT = SEGMENT_MIB << 20
#: Segments per 4 GiB of log, by which their names count.
_PER_FILE = (1 << 32) // _SEGMENT
#: Digits of a segment's name: its timeline, and all.
_TIMELINE, _NAME = 8, 24
_MINE = "backup.json"


@dataclass(frozen=True)
class Backup:
    """Times are seconds since 1970; the cluster was as in the backup at `ended`."""

    folder: Path
    began: float
    ended: float
    log_start: str


async def take(instance: Instance) -> Backup:
    """A base backup of the running instance. Raises ArmError when it fails; nothing is left of it then."""
    # Not where a program that a killed run had started may still be writing.
    part = instance.backups / f"part.{uuid.uuid4().hex[:8]}"
    await asyncio.to_thread(_tidy, instance.backups)
    began = time.time()
    try:
        await programs.run(
            *(programs.program("pg_basebackup"), f"--host={instance.socket}", f"--username={REPLICATION}"),
            *("--no-password", f"--pgdata={part}", "--format=tar", "--gzip", "--compress=1"),
            *("--wal-method=stream", "--checkpoint=fast", "--label=azure"),
        )
        return await asyncio.to_thread(_keep, part, began)
    finally:
        await asyncio.to_thread(shutil.rmtree, part, ignore_errors=True)


def _tidy(folder: Path) -> None:
    for left in folder.glob("part.*"):
        shutil.rmtree(left, ignore_errors=True)


def _keep(part: Path, began: float) -> Backup:
    ended = time.time()
    ranges = json.loads((part / "backup_manifest").read_text())["WAL-Ranges"]
    start = segment(ranges[0]["Timeline"], ranges[0]["Start-LSN"])
    files.write(part / _MINE, json.dumps({"began": began, "ended": ended, "log_start": start}))
    folder = part.with_name(f"{datetime.fromtimestamp(ended, UTC):%Y%m%dT%H%M%S.%fZ}")
    part.rename(folder)
    return Backup(folder, began, ended, start)


def segment(timeline: int, position: str) -> str:
    """The name of the log segment that a position (`16/B374D848`) lies in."""
    high, _, low = position.partition("/")
    number = ((int(high, 16) << 32) + int(low, 16)) // _SEGMENT
    return f"{timeline:08X}{number // _PER_FILE:08X}{number % _PER_FILE:08X}"


def taken(folder: Path) -> list[Backup]:
    """The backups below `folder`, the oldest first."""
    return [
        Backup(mine.parent, **json.loads(mine.read_text())) for mine in sorted(folder.glob(f"*Z/{_MINE}"))
    ]


async def is_followed(instance: Instance, backup: Backup) -> bool:
    """Whether the log that the instance writes goes on from the backup.

    Not after a failover and back: what the other server wrote meanwhile lies in that one's archive. Raises
    ArmError when the instance does not answer.
    """
    async with instance.connect() as connection:
        query = "SELECT pg_walfile_name(pg_current_wal_lsn())"
        row = await (await connection.execute(query)).fetchone()
    return row is not None and str(row[0])[:_TIMELINE] == backup.log_start[:_TIMELINE]


def superfluous(backups: Iterable[Backup], *, before: float) -> list[Backup]:
    """Those without which every moment from `before` on can be restored."""
    old = [backup for backup in sorted(backups, key=lambda one: one.ended) if backup.ended <= before]
    return old[:-1]


async def prune(instance: Instance, *, before: float) -> None:
    """Forget backups and log that no moment from `before` on needs."""
    known = taken(instance.backups)
    doomed = superfluous(known, before=before)
    for backup in doomed:
        await asyncio.to_thread(shutil.rmtree, backup.folder, ignore_errors=True)
    kept = [backup for backup in known if backup not in doomed]
    if doomed and kept:
        await asyncio.to_thread(_forget_log, instance.archive, kept[0].log_start)


def _forget_log(archive: Path, start: str) -> None:
    """Remove what was written before a segment, on any timeline; the timelines' own histories stay."""
    for path in archive.glob("*.gz"):
        position = path.name[_TIMELINE:_NAME]
        if "." not in position and position < start[_TIMELINE:]:
            path.unlink()
