"""One PostgreSQL instance per server: its folders, its process, and SQL as its superuser.

Below `state/sql/<server>` lie `data` (the cluster), `archive` (its write-ahead log, compressed, segment by
segment), `backups` (base backups by time) and `conf`. `data` appears in one rename when it is complete, so a
kill leaves no half-made server. Only the unix socket below `run/sql` leads in.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import pwd
import re
import shutil
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Resource
from sandbox.azure.sql import memory, naming, programs
from sandbox.azure.sql.configuration import SEGMENT_MIB, SUPERUSER, Configuration, bootstrap
from sandbox.host import files
from sandbox.services import Program, Services

#: Seconds it may take to accept connections; recovery after a kill included.
_START_SECONDS = 90.0
_LOOK = 0.05
#: Marks a cluster that follows another one (PostgreSQL's own name).
_STANDBY = "standby.signal"
_CONTROL = re.compile(r"^(.+?): +(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Instance:
    services: Services
    #: The server's name.
    name: str

    @property
    def folder(self) -> Path:
        return self.services.config.state / "sql" / self.name.lower()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    @property
    def backups(self) -> Path:
        return self.folder / "backups"

    @property
    def socket(self) -> Path:
        """The folder of the unix socket; only root and PostgreSQL's user may look into it."""
        return self.services.config.run / "sql" / naming.key(self.name)

    @property
    def socket_file(self) -> Path:
        return self.socket / ".s.PGSQL.5432"

    @property
    def link(self) -> Path:
        """The folder of the socket at which a replica finds its primary."""
        return self.socket / "primary"

    @property
    def program(self) -> str:
        """The name of its supervised process."""
        return f"sql-{self.name.lower()}"

    @property
    def exists(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    @property
    def is_standby(self) -> bool:
        """Whether it follows another server's instance."""
        return (self.data / _STANDBY).exists()

    async def start(self) -> None:
        """Make the cluster if there is none, start it, and return when it accepts connections.

        Raises ArmError when it does not.
        """
        await asyncio.to_thread(self.prepare)
        if not self.exists:
            await self._create()
        await self.services.supervisor.start(self._definition())
        await self._answering()

    async def stop(self) -> None:
        """End the process, its transactions rolled back and its log written out. Repeatable."""
        await self.services.supervisor.stop(self.program)

    async def remove(self) -> None:
        """End it and forget everything, backups too: a deleted server's backups are deleted with it."""
        await self.stop()
        await asyncio.to_thread(memory.forget, self.data)
        for folder in (self.folder, self.socket):
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def prepare(self) -> None:
        """Folders and configuration files."""
        user = pwd.getpwnam(programs.USER)
        for above in (self.folder.parent, self.socket.parent):
            above.mkdir(parents=True, exist_ok=True)
            above.chmod(0o755)
        for folder in (
            *(self.folder, self._settings, self.archive, self.backups),
            *(self.socket, self.link),
        ):
            folder.mkdir(exist_ok=True)
            shutil.chown(folder, user.pw_uid, user.pw_gid)
            folder.chmod(0o700)
        for name, text in self._configuration().files().items():
            owner = (user.pw_uid, user.pw_gid)
            files.write_if_changed(self._settings / name, text, mode=0o600, owner=owner)

    @property
    def _settings(self) -> Path:
        return self.folder / "conf"

    def _configuration(self) -> Configuration:
        return Configuration(self._settings, self.data, self.socket, self.link, self.archive)

    def become_standby(self, data: Path | None = None) -> None:
        """Have the stopped cluster follow another one when it starts."""
        signal = (data or self.data) / _STANDBY
        signal.touch()
        shutil.chown(signal, programs.USER, programs.USER)

    def aside(self) -> Path:
        """Where a cluster may be made that is to take this one's place: a new place each time, for a program
        that a killed run had started may still be at work. What earlier runs left is removed."""
        for left in self.folder.glob("data.*"):
            shutil.rmtree(left, ignore_errors=True)
        return self.folder / f"data.{uuid.uuid4().hex[:8]}"

    async def control(self, data: Path | None = None) -> dict[str, str]:
        """What the cluster's control file says, by `pg_controldata`'s names."""
        said = await programs.run(programs.program("pg_controldata"), str(data or self.data))
        return dict(_CONTROL.findall(said))

    async def replace(self, data: Path) -> None:
        """Put another cluster, complete in a folder beside, in the stopped one's place. Backups stay if they
        are of the same cluster."""
        key = "Database system identifier"
        old = (await self.control()).get(key) if self.exists else None
        if old != (await self.control(data))[key]:
            for folder in (self.archive, self.backups):
                await asyncio.to_thread(shutil.rmtree, folder)
            await asyncio.to_thread(self.prepare)
        await asyncio.to_thread(self._swap, data)

    def _swap(self, data: Path) -> None:
        old = self.folder / f"data.{uuid.uuid4().hex[:8]}"
        if self.data.exists():
            self.data.rename(old)
        data.rename(self.data)
        shutil.rmtree(old, ignore_errors=True)

    async def _create(self) -> None:
        made = await asyncio.to_thread(self.aside)
        await programs.run(
            *(programs.program("initdb"), f"--pgdata={made}", f"--username={SUPERUSER}"),
            *("--auth=reject", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"),
            f"--wal-segsize={SEGMENT_MIB}",
        )
        single = [programs.program("postgres"), "--single", "-D", str(made), "-j", "template1"]
        # With -j a statement ends at a semicolon and an empty line; an error does not end the program.
        sql = "".join(f"{line};\n\n" for line in bootstrap().splitlines())
        said = await programs.run(*single, stdin=sql)
        if "ERROR:" in said or "FATAL:" in said:
            raise ArmError(500, "InternalServerError", f"The new server could not be set up: {said[-800:]}")
        made.rename(self.data)

    def _definition(self) -> Program:
        settings = "".join(self._configuration().files().values())
        return Program(
            name=self.program,
            command=(programs.program("postgres"), f"--config-file={self._settings / 'postgresql.conf'}"),
            # Another configuration is another definition: the supervisor restarts what runs with the old one.
            env={"SQL_SETTINGS": hashlib.sha256(settings.encode()).hexdigest()[:12]},
            netns=self.services.config.netns,
            directory=self.folder,
            user=programs.USER,
            # Fast shutdown: clients are disconnected instead of waited for.
            stop_signal="INT",
            stop_seconds=20,
        )

    async def _answering(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                async with self.connect():
                    return
            except ArmError as error:
                if time.monotonic() > deadline:
                    raise ArmError(
                        500,
                        "InternalServerError",
                        f"The server '{self.name}' did not start in {_START_SECONDS:.0f} s: {error.message} "
                        f"See {self.services.config.logs / self.program}.log.",
                    ) from error
            await asyncio.sleep(_LOOK)

    @asynccontextmanager
    async def connect(self, database: str = naming.MASTER) -> AsyncIterator[AsyncConnection[TupleRow]]:
        """A connection as superuser, each statement by itself. Raises ArmError 503 when it is refused."""
        try:
            connection = await AsyncConnection.connect(
                host=str(self.socket), dbname=database, user=SUPERUSER, autocommit=True, connect_timeout=10
            )
        except psycopg.OperationalError as error:
            raise ArmError(
                503, "ServiceUnavailable", f"The server '{self.name}' does not answer: {error}."
            ) from error
        try:
            yield connection
        finally:
            with contextlib.suppress(psycopg.Error):
                await connection.close()


def instance(services: Services, server: Resource | str) -> Instance:
    return Instance(services, server if isinstance(server, str) else server.id.name)
