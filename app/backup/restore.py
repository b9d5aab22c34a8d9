"""`python -m app.backup.restore`: bring the copies of a vault's secrets into another; see `Restoration`.

Told by `Source__VaultUri`, `Copies__Endpoint`, `Copies__Key`, `Target__VaultUri` and `Target__Kept`. Needs to
read the container of copies, to unwrap with the key, and to get and set secrets in the vault. It says of each
secret what became of it, and never a value.

Exit code 1: something could not be restored, which is named; the rest was; 2: wrong settings.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.keyvault.secrets.aio import SecretClient
from azure.storage.blob.aio import ContainerClient
from pydantic import ValidationError

from app.backup.container import Container
from app.backup.key import VaultKey
from app.backup.restoration import Outcome, Restoration
from app.backup.settings import RestoreSettings
from app.credentials import credential
from app.dependency import from_azure
from app.telemetry import logs

log = logging.getLogger("app.backup.restore")


async def assemble(
    settings: RestoreSettings, identity: AsyncTokenCredential, stack: AsyncExitStack
) -> Restoration:
    """The restoration with its clients, which are closed with the stack."""
    copies, target = settings.copies, settings.target
    container = Container(ContainerClient(str(copies.endpoint), copies.secrets, credential=identity))
    stack.push_async_callback(container.close)
    key = VaultKey(str(copies.key), identity)
    stack.push_async_callback(key.close)
    vault = await stack.enter_async_context(SecretClient(str(target.vault_uri), identity))
    return Restoration(settings.source.vault, container, key, vault, target.kept)


async def run(settings: RestoreSettings, identity: AsyncTokenCredential) -> int:
    """Restore, as this identity; the exit code."""
    async with AsyncExitStack() as stack:
        restoration = await assemble(settings, identity, stack)
        try:
            outcomes = await restoration.run()
        except AzureError as error:
            log.error("cannot list the copies: %s", from_azure(error))  # noqa: TRY400 - the message says it all
            return 1
    if not outcomes:
        log.warning("there are no copies of secrets of %s", restoration.vault)
    failed = [name for name, outcome in outcomes.items() if outcome is Outcome.FAILED]
    log.info(
        "%d of %d secrets are as their copies say or as somebody wanted them",
        len(outcomes) - len(failed),
        len(outcomes),
    )
    return 1 if failed else 0


async def _main(settings: RestoreSettings) -> int:
    async with credential() as identity:
        return await run(settings, identity)


def main(arguments: Sequence[str] | None = None) -> int:
    # It takes none; somebody who asks for help, or is wrong about that, must not set it going.
    argparse.ArgumentParser(
        prog="python -m app.backup.restore",
        description="Bring the copies of a vault's secrets into another.",
        epilog="Settings are environment variables: Source__VaultUri, Copies__Endpoint, Copies__Key, "
        "Target__VaultUri, Target__Kept.",
    ).parse_args(arguments)
    logs.configure()
    try:
        # pydantic-settings fills the fields from the environment, which a type checker cannot see.
        settings = RestoreSettings()  # type: ignore[call-arg]
    except ValidationError as error:
        log.error("wrong settings: %s", error)  # noqa: TRY400 - the message says it all, a traceback nothing
        return 2
    return asyncio.run(_main(settings))


if __name__ == "__main__":
    sys.exit(main())
