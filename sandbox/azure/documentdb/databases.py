"""The open data files of the accounts: one per account, each used by one thread.

Files are named after the account's instance id, so an account made anew under an old name begins empty.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TypeVar

from sandbox.arm.resource import Resource
from sandbox.azure.documentdb.container import Container
from sandbox.azure.documentdb.journal import Journal
from sandbox.config import Config

T = TypeVar("T")


class AccountData:
    """An account's journal, from the event loop's side."""

    def __init__(self, path: Path) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"cosmos-{path.stem}")
        self._journal = self._thread.submit(Journal, path).result()

    async def run(self, work: Callable[[Journal], T]) -> T:
        """Do something with the journal, after what others began to do with it."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._journal)

    async def define(self, container: Container) -> None:
        await self.run(lambda journal: journal.define(container))

    async def drop(self, container: Container) -> None:
        await self.run(lambda journal: journal.drop(container))

    async def close(self) -> None:
        await self.run(lambda journal: journal.close())
        self._thread.shutdown(wait=False)


class Databases:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, AccountData] = {}

    def _file(self, account: Resource) -> Path:
        return self._folder / f"{account.properties['instanceId']}.db"

    def of(self, account: Resource) -> AccountData:
        key = str(account.properties["instanceId"])
        if key not in self._open:
            self._open[key] = AccountData(self._file(account))
        return self._open[key]

    async def close(self, account: Resource, *, keep: bool) -> None:
        """`keep` leaves the file, as a continuous backup outlives its account."""
        data = self._open.pop(str(account.properties["instanceId"]), None)
        if data is not None:
            await data.close()
        if not keep:
            await asyncio.to_thread(self._remove, account)

    def _remove(self, account: Resource) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._file(account)}{suffix}").unlink(missing_ok=True)

    async def close_all(self) -> None:
        for data in self._open.values():
            await data.close()
        self._open.clear()


@cache
def databases(config: Config) -> Databases:
    return Databases(config.state / "cosmos")
