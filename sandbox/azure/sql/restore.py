"""Making a database from backups: recover the cluster beside, take the one database out, give it its name.

What is left to do stands in the resource (`Order`, in its body, shown to nobody) until it is done, so that a
restore that a kill interrupted is begun again at the next start. Until then its status is `Restoring`, or
`RecoveryPending` when it failed and may be asked for again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.resource import Resource
from sandbox.azure.sql import archive, backups, naming, recovery, transfer
from sandbox.azure.sql.instance import Instance, instance
from sandbox.azure.sql.keeper import Keeper
from sandbox.azure.sql.recovery import Source
from sandbox.azure.sql.sources import Origin
from sandbox.services import Services

log = logging.getLogger(__name__)

ONLINE, RESTORING, FAILED = "Online", "Restoring", "RecoveryPending"
#: Where a resource's body has its order.
KEY = "restore"


@dataclass(frozen=True)
class Order:
    """`server`, `database_id`, `moment` and `backup` as in `Origin`; `asked` is what the PUT said of it."""

    server: str
    database_id: str
    moment: float | None
    backup: str | None
    asked: Mapping[str, Any]


def order(origin: Origin, asked: Mapping[str, Any]) -> dict[str, Any]:
    """As it is stored."""
    return asdict(Order(origin.server, origin.database_id, origin.moment, origin.backup, asked))


def is_pending(resource: Resource) -> bool:
    return bool(resource.properties["status"] != ONLINE)


async def run(services: Services, keeper: Keeper, resource: Resource) -> None:
    """Do what the resource's order says. Repeatable; raises ArmError, nothing of it left, when it fails."""
    target = instance(services, naming.server_id(resource.id).name)
    new_id, wanted = resource.properties["databaseId"], Order(**resource.body[KEY])
    if not await transfer.is_published(target, resource.id.name, new_id):
        try:
            await _load(services, keeper, target, new_id, wanted)
            await transfer.publish(target, resource.id.name, new_id)
        except Exception:
            resource.properties["status"] = FAILED
            with contextlib.suppress(ArmError):
                await transfer.discard(target, new_id)
            raise
    resource.properties["status"] = ONLINE


async def _load(services: Services, keeper: Keeper, target: Instance, new_id: str, wanted: Order) -> None:
    folder, socket = await asyncio.to_thread(_scratch, target, new_id)
    try:
        # The source's backups are neither pruned nor replaced while they are read.
        async with keeper.exclusive(wanted.server):
            source = await _source(instance(services, wanted.server), wanted)
            async with recovery.recovered(folder / "cluster", socket, source):
                found = await transfer.extract(socket, wanted.database_id, new_id, folder / "database.dump")
        await transfer.load(target, new_id, folder / "database.dump", found)
    finally:
        for place in (folder, socket):
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)


def _scratch(target: Instance, new_id: str) -> tuple[Path, Path]:
    """New folders for the cluster and for its socket. What an earlier attempt left is removed."""
    prefix = f"restore.{new_id[:8]}"
    for left in (*target.folder.glob(f"{prefix}.*"), *target.socket.glob(f"{prefix}.*")):
        shutil.rmtree(left, ignore_errors=True)
    name = f"{prefix}.{uuid.uuid4().hex[:4]}"
    folder, socket = target.folder / name, target.socket / name
    recovery.prepare(folder, folder / "cluster", socket)
    return folder, socket


async def _source(source: Instance, wanted: Order) -> Source:
    if wanted.backup is not None:
        return Source(Path(wanted.backup), None, None)
    moment = wanted.moment
    if moment is not None:
        try:
            await archive.complete(source)
        except ArmError as error:
            # A server that is down may have archived enough before.
            log.warning("restoring from what %s has archived: %s", source.name, error.message)
    known = [one for one in backups.taken(source.backups) if moment is None or one.ended <= moment]
    if not known:
        raise bad_request(
            "InvalidRestorePointInTime",
            "The backups that lead to the restore point are no longer kept.",
            "properties.restorePointInTime",
        )
    return Source(known[-1].folder, source.archive, moment)
