"""Azure SQL: servers and databases in ARM, each server a PostgreSQL instance, one gateway in front of all."""

from __future__ import annotations

from sandbox.azure.sql import policies
from sandbox.azure.sql.administrators import AdministratorHandler, EntraOnlyHandler
from sandbox.azure.sql.capabilities import CapabilityHandler
from sandbox.azure.sql.databases import DatabaseHandler
from sandbox.azure.sql.dropped import RestorableDroppedHandler
from sandbox.azure.sql.estate import estate_of
from sandbox.azure.sql.failover_groups import FailoverGroupHandler
from sandbox.azure.sql.long_term_backups import LongTermBackupHandler
from sandbox.azure.sql.recoverable import RecoverableHandler
from sandbox.azure.sql.servers import ServerHandler
from sandbox.services import Services

HANDLERS = (
    ServerHandler,
    DatabaseHandler,
    AdministratorHandler,
    EntraOnlyHandler,
    FailoverGroupHandler,
    CapabilityHandler,
    RestorableDroppedHandler,
    RecoverableHandler,
    LongTermBackupHandler,
    *policies.HANDLERS,
)


async def start(services: Services) -> None:
    estate_of(services).keeper.start()


async def stop(services: Services) -> None:
    await estate_of(services).close()
