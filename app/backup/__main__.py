"""`python -m app.backup`: copy, compare and show metrics until told to stop; with `--once`, one pass.

Exit code 1: `--once` found something wrong; 2: wrong settings.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from contextlib import AsyncExitStack

import httpx
from azure.core.credentials_async import AsyncTokenCredential
from azure.keyvault.secrets.aio import SecretClient
from azure.storage.blob.aio import ContainerClient
from prometheus_client import start_http_server
from pydantic import ValidationError

from app.backup.container import Container
from app.backup.key import VaultKey
from app.backup.letters import LetterCopies
from app.backup.restorable import ResourceManager, restorables
from app.backup.secrets import SecretCopies
from app.backup.settings import BackupSettings, read
from app.backup.worker import Kind, Worker
from app.credentials import credential
from app.telemetry import logs

log = logging.getLogger("app.backup")
_TIMEOUT_SECONDS = 30.0


async def assemble(settings: BackupSettings, identity: AsyncTokenCredential, stack: AsyncExitStack) -> Worker:
    """The worker with its clients, which are closed with the stack."""

    def container(endpoint: object, name: str) -> Container:
        made = Container(ContainerClient(str(endpoint), name, credential=identity))
        stack.push_async_callback(made.close)
        return made

    source, copies = settings.source, settings.copies
    key = VaultKey(str(copies.key), identity)
    stack.push_async_callback(key.close)
    vault = await stack.enter_async_context(SecretClient(str(source.vault_uri), identity))
    http = await stack.enter_async_context(httpx.AsyncClient(timeout=_TIMEOUT_SECONDS))
    kinds: list[Kind] = [
        SecretCopies(source.vault, vault, container(copies.endpoint, copies.secrets), key),
        LetterCopies(
            container(source.dead_letters, copies.dead_letters),
            container(copies.endpoint, copies.dead_letters),
        ),
    ]
    arm = ResourceManager(str(settings.resource_manager.endpoint), identity, http)
    return Worker(kinds, restorables(settings, arm))


async def run(settings: BackupSettings, *, once: bool) -> int:
    stopping = asyncio.Event()
    loop, work = asyncio.get_running_loop(), asyncio.current_task()

    def stop() -> None:
        stopping.set()
        if work is not None:
            work.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        async with AsyncExitStack() as stack:
            identity = await stack.enter_async_context(credential())
            worker = await assemble(settings, identity, stack)
            if once:
                return 0 if await worker.once() else 1
            start_http_server(settings.port)
            log.info("backup of %s started", settings.source.vault_uri.host)
            await worker.run(settings.interval_seconds, stopping)
    except asyncio.CancelledError:
        log.info("stopped")
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m app.backup", description="Copy what has no backup.")
    parser.add_argument("--once", action="store_true", help="one pass; exit code 1 when something is wrong")
    options = parser.parse_args(arguments)
    logs.configure()
    try:
        settings = read()
    except ValidationError as error:
        log.error("cannot start: %s", error)  # noqa: TRY400 - the message says it all, a traceback nothing
        return 2
    return asyncio.run(run(settings, once=options.once))


if __name__ == "__main__":
    sys.exit(main())
