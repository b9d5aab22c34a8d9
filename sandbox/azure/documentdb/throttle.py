"""Holds operations to the throughput that is provisioned: over it, 429 and how long to wait."""

from __future__ import annotations

import math

from sandbox.arm.resource import Resource
from sandbox.azure.documentdb import charges, throughput
from sandbox.azure.documentdb.account_body import serverless
from sandbox.azure.documentdb.charges import Meter, Meters
from sandbox.azure.documentdb.errors import CosmosError
from sandbox.services import Store


class Throttle:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._meters = Meters()

    def _provisioned(self, account: Resource, container: Resource) -> tuple[str, int]:
        """Whose throughput a container uses (its own, or its database's), and RU/s."""
        own = str(container.id)
        if serverless(account.properties):
            return own, charges.SERVERLESS
        if (units := throughput.units(self._store, own)) is not None:
            return own, units
        database = own.rsplit("/", 2)[0]
        return database, throughput.units(self._store, database) or throughput.DEFAULT

    def admit(self, account: Resource, container: Resource) -> Meter:
        """The meter to charge. Raises CosmosError 429 while it is overdrawn."""
        owner, units = self._provisioned(account, container)
        meter = self._meters.of(owner.lower(), units)
        wait = meter.wait(units)
        if wait > 0:
            raise CosmosError(
                429,
                "TooManyRequests",
                "The request rate is too large. More Request Units may be needed, so no changes were made. "
                "Please retry this request later. Learn more: http://aka.ms/cosmosdb-error-429",
                substatus=3200,
                headers={"x-ms-retry-after-ms": str(math.ceil(wait * 1000))},
            )
        return meter
