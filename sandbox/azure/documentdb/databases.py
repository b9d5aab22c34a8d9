"""The open data files of the accounts: one per account, each used by one thread.

Files are named after the account's instance id, so an account made anew under an old name begins empty.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Set
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

    def file(self, account: Resource) -> Path:
        return self._folder / f"{account.properties['instanceId']}.db"

    def of(self, account: Resource) -> AccountData:
        key = str(account.properties["instanceId"])
        if key not in self._open:
            self._open[key] = AccountData(self.file(account))
        return self._open[key]

    async def close(self, account: Resource, *, keep: bool) -> None:
        """`keep` leaves the file, as a continuous backup outlives its account."""
        data = self._open.pop(str(account.properties["instanceId"]), None)
        if data is not None:
            await data.close()
        if not keep:
            await asyncio.to_thread(_remove, self.file(account))

    def keep_only(self, instances: Set[str]) -> None:
        """Remove the files of all other accounts; those that are open are left alone."""
        for file in self._folder.glob("*.db"):
            if file.stem not in instances and file.stem not in self._open:
                _remove(file)

    async def close_all(self) -> None:
        for data in self._open.values():
            await data.close()
        self._open.clear()


def _remove(file: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)


@cache
def databases(config: Config) -> Databases:
    return Databases(config.state / "cosmos")
