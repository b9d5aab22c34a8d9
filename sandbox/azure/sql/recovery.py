"""PostgreSQL's own recovery, in a scratch folder: a base backup unpacked, the archived log replayed.

The recovered cluster is a process of this one, not of the supervisor: it ends with the restore, and a kill of
the sandbox ends it too. Nobody but the restore reaches it.
Source: https://www.postgresql.org/docs/15/runtime-config-wal.html#RUNTIME-CONFIG-WAL-RECOVERY-TARGET.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from sandbox.arm.errors import ArmError
from sandbox.azure.sql import memory, naming, programs
from sandbox.azure.sql.configuration import SUPERUSER, quoted
from sandbox.host import files

#: Seconds that unpacking, and then replaying the log, may take.
_LONGEST = 3600.0
_LOOK = 0.05
_STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Source:
    """What to recover from: the folder of a base backup, and the log after it (None: the backup alone).

    `moment` is the time to stop at, in seconds since 1970; None replays all there is.
    """

    backup: Path
    archive: Path | None
    moment: float | None


@asynccontextmanager
async def recovered(folder: Path, socket: Path, source: Source) -> AsyncIterator[None]:
    """The cluster as of the source's moment, accepting connections at `socket` until the context ends.

    `folder` and `socket` are new folders of PostgreSQL's user; what is made in `folder` stays there. Raises
    ArmError when the log does not reach the moment.
    """
    process: Process | None = None
    data = folder / "data"
    try:
        await _unpack(source.backup, data)
        await asyncio.to_thread(_configure, folder, socket, source)
        with (folder / "log").open("wb") as output:
            process = await programs.spawn(
                *(programs.program("postgres"), f"--config-file={folder / 'postgresql.conf'}"), output=output
            )
        await _recovered(process, socket, folder / "log")
        yield
    finally:
        if process is not None:
            await _end(process)
        memory.forget(data)


def prepare(*folders: Path) -> None:
    """Make folders that only PostgreSQL's user (and root) can look into."""
    for folder in folders:
        folder.mkdir(parents=True)
        shutil.chown(folder, programs.USER, programs.USER)
        folder.chmod(0o700)


async def _unpack(backup: Path, data: Path) -> None:
    await asyncio.to_thread(prepare, data)
    for name, into in (("base.tar.gz", data), ("pg_wal.tar.gz", data / "pg_wal")):
        command = ("tar", "--extract", "--gzip", f"--file={backup / name}", f"--directory={into}")
        await programs.run(*command, seconds=_LONGEST)


def _configure(folder: Path, socket: Path, source: Source) -> None:
    settings: dict[str, str | int] = {
        "data_directory": str(folder / "data"),
        "hba_file": str(folder / "pg_hba.conf"),
        "ident_file": str(folder / "pg_ident.conf"),
        "listen_addresses": "",
        "unix_socket_directories": str(socket),
        "unix_socket_permissions": "0700",
        "shared_buffers": "32MB",
        "dynamic_shared_memory_type": "mmap",
        "jit": "off",
        "autovacuum": "off",
        "archive_mode": "off",
        # It is thrown away when it was read.
        "fsync": "off",
        "full_page_writes": "off",
        # Connections are refused until the moment is reached: who is let in sees the restored state.
        "hot_standby": "off",
        "restore_command": _fetch(source.archive),
        "recovery_target_action": "promote",
        # What another primary wrote after a failover lies in that one's archive.
        "recovery_target_timeline": "current",
        "log_timezone": "UTC",
        "timezone": "UTC",
        "lc_messages": "C",
    }
    if source.moment is not None:
        moment = datetime.fromtimestamp(source.moment, UTC)
        settings["recovery_target_time"] = moment.isoformat(timespec="microseconds")
    texts = {
        "postgresql.conf": "".join(f"{name} = {quoted(value)}\n" for name, value in settings.items()),
        "pg_hba.conf": "local all all trust\n",
        "pg_ident.conf": "",
        "data/recovery.signal": "",
        # What `ALTER SYSTEM` once said would come last, and win.
        "data/postgresql.auto.conf": "",
    }
    for name, text in texts.items():
        files.write(folder / name, text)
        shutil.chown(folder / name, programs.USER, programs.USER)


def _fetch(archive: Path | None) -> str:
    """A command that fails for a segment that there is not: the log ends there."""
    return "false" if archive is None else f'gzip -dc "{archive}/%f.gz" >"%p"'


async def _recovered(process: Process, socket: Path, log: Path) -> None:
    deadline = time.monotonic() + _LONGEST
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(
                host=str(socket), dbname=naming.MASTER, user=SUPERUSER, connect_timeout=10
            )
        except psycopg.OperationalError:
            if process.returncode is not None or time.monotonic() > deadline:
                raise _failed(log) from None
        else:
            await connection.close()
            return
        await asyncio.sleep(_LOOK)


async def _end(process: Process) -> None:
    """At once, nothing written out; the children go with it."""
    if process.returncode is not None:
        return
    process.send_signal(programs.IMMEDIATE_SHUTDOWN)
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _failed(log: Path) -> ArmError:
    fatal = [line.partition("FATAL:")[2].strip() for line in log.read_text(errors="replace").splitlines()]
    # What it told those who asked too early is not why it ended.
    said = [line for line in fatal if line and not line.startswith("the database system is")]
    reason = said[-1] if said else "recovery did not end"
    return ArmError(500, "RestoreFailed", f"The backups do not lead to the restore point: {reason}.")
