"""The process that evaluates an account's queries, in the query language of npm's @vercel/cosmosdb-server.

That server keeps everything in memory, makes up its own ETags and times, and knows no partition in a query,
no TTL and no atomic batch, so it does not hold the data here: the journal does, and this process works on a
copy of it that is brought up to date before each query. It may be killed at any moment and nothing is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import time
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Resource
from sandbox.azure.documentdb.container import Container
from sandbox.azure.documentdb.databases import AccountData
from sandbox.azure.documentdb.errors import CosmosError, bad_request
from sandbox.azure.documentdb.journal import Journal
from sandbox.config import Config
from sandbox.services import Program, Supervisor
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.toolchain import Toolchain

_SCRIPT = Path(__file__).with_name("query_engine.cjs")
#: Seconds it may take to start, or to start again after it died.
_START_SECONDS = 30
#: Documents sent at once.
_CHUNK = 1000


class QueryEngine:
    def __init__(self, config: Config, name: str) -> None:
        self._config = config
        self._program = f"cosmos-{name}"
        self._socket = config.run / f"cosmos-{name}.sock"
        self._client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(self._socket)), base_url="http://engine", timeout=60
        )
        self._updating: dict[str, asyncio.Lock] = {}

    def _define(self) -> Program:
        try:
            server = Toolchain.load(self._config).program("cosmosdb-server")
        except ToolchainError as error:
            raise ArmError(500, "CosmosServerNotInstalled", str(error)) from error
        node = shutil.which("node")
        if node is None:
            raise ArmError(
                500, "CosmosServerNotInstalled", "The program node is missing: install Node.js 20 or newer."
            )
        self._config.run.mkdir(parents=True, exist_ok=True)
        # A process that was killed leaves its socket, and none can listen where one lies.
        remove_and_run = f'rm -f "{self._socket}"; exec "$@"'
        command = (
            "/bin/sh",
            "-c",
            remove_and_run,
            "engine",
            node,
            str(_SCRIPT),
            str(self._socket),
            str(server),
        )
        return Program(self._program, command, netns=self._config.netns, directory=Path("/"))

    async def start(self, supervisor: Supervisor) -> None:
        """Run it and wait until it answers. Raises ArmError when it does not."""
        await supervisor.start(await asyncio.to_thread(self._define))
        try:
            await self._post("/", {})
        except httpx.TransportError as error:
            raise ArmError(
                500,
                "CosmosServerDidNotStart",
                f"The query engine does not answer: see the log {self._program}.",
            ) from error

    async def stop(self, supervisor: Supervisor) -> None:
        await supervisor.stop(self._program)

    async def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """Ask it, waiting while it starts. Raises httpx.TransportError when it does not come up in time."""
        content = json.dumps(body, ensure_ascii=False).encode()
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                return await self._client.post(path, content=content)
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.05)

    async def query(
        self,
        data: AccountData,
        container: Container,
        *,
        sql: str,
        parameters: list[dict[str, Any]],
        keys: list[str] | None,
        keyed: bool,
    ) -> list[Any]:
        """All rows of a query, over some partition keys or over all.

        With `keyed` the query itself must name the partition key. Raises CosmosError.
        """
        indexing = container.definition.get("indexingPolicy") or {}
        asked = {
            "container": container.rid,
            "sql": sql,
            "parameters": parameters,
            "keys": keys,
            "paths": list(container.paths) if keyed else None,
            "composites": indexing.get("compositeIndexes") or [],
        }
        while True:
            lsn = await data.run(lambda journal: _swept(journal, container))
            answer = await self._ask("/query", {**asked, "lsn": lsn})
            if answer.status_code != 409:
                break
            await self._update(data, container, int(answer.json()["lsn"]))
        content = answer.json()
        if answer.status_code == 200:
            return list(content)
        if content.get("crossPartition"):
            raise bad_request(
                "Cross partition query is required but disabled. Please set "
                "x-ms-documentdb-query-enablecrosspartition to true, specify "
                "x-ms-documentdb-partitionkey, or revise your query to avoid this exception."
            )
        raise bad_request(
            f"Syntax error, or a feature that the local query engine lacks: {content['message']}"
        )

    async def holds(self, condition: str, document: dict[str, Any]) -> bool:
        """Whether a patch's condition is true of a document. Raises CosmosError."""
        answer = await self._ask("/test", {"condition": condition, "document": document})
        if answer.status_code != 200:
            raise bad_request(f"The patch condition is not valid: {answer.json()['message']}")
        return bool(answer.json())

    async def forget(self, container: Container) -> None:
        """Drop a container's copy; a process that is away has none."""
        with contextlib.suppress(httpx.TransportError):
            await self._client.post("/forget", json={"container": container.rid})

    async def _ask(self, path: str, body: dict[str, Any]) -> httpx.Response:
        try:
            return await self._post(path, body)
        except httpx.TransportError as error:
            raise CosmosError(503, "ServiceUnavailable", "The query engine does not answer.") from error

    async def _update(self, data: AccountData, container: Container, lsn: int) -> None:
        """Send the writes after `lsn`; of several requests that lag behind at once, one does it."""
        lock = self._updating.setdefault(container.rid, asyncio.Lock())
        if lock.locked():
            async with lock:
                return
        async with lock:
            changes = await data.run(lambda journal: _changes(journal, container, lsn))
            for change in changes:
                await self._ask("/update", {"container": container.rid, **change})


def _swept(journal: Journal, container: Container) -> int:
    journal.sweep(container, time.time())
    return journal.last(container)


def _changes(journal: Journal, container: Container, lsn: int) -> list[dict[str, Any]]:
    """What to send to a copy that has reached `lsn`. Only with the last part does it reach a later one: half
    of the changes are no state that the container was ever in."""
    rows = journal.after(container, lsn)
    parts = [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]
    changes = [
        {"lsn": lsn, "documents": [[key, json.loads(body)] for _, key, body in part], "removed": []}
        for part in parts
    ]
    removed = journal.removed_after(container, lsn) if lsn else []
    return [*changes, {"lsn": journal.last(container), "documents": [], "removed": removed}]


@cache
def _engine(config: Config, name: str) -> QueryEngine:
    return QueryEngine(config, name)


def engine(config: Config, account: Resource) -> QueryEngine:
    return _engine(config, account.id.name.lower())
