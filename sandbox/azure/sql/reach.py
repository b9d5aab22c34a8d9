"""Up to when a server's backups lead.

On Azure the log is backed up every 5 to 10 minutes, and copied to the paired region within an hour: what is
newer cannot be restored. Here it is archived at once, unless a delay is injected (`sandbox fault backups
--service sql`). From a region that is lost no backup comes any more.
Source: https://learn.microsoft.com/azure/azure-sql/database/automated-backups-overview.
"""

from __future__ import annotations

import time

from sandbox.arm.resource import Resource
from sandbox.services import Services


def newest(services: Services, server: Resource) -> float:
    """The last moment that can be restored, in seconds since 1970."""
    lost = services.regions.since(server.location)
    return (time.time() if lost is None else lost) - behind(services, server)


def behind(services: Services, server: Resource) -> float:
    """Seconds by which backups are behind the log."""
    return services.delays.backups("sql", server.id.name)
